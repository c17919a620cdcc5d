#include "layers/window.h"

/* Keeps arithmetic on options far from overflow. */
static const int64_t largest = INT64_C(1) << 30;

static int64_t reach(const thaw_window *window, int axis)
{
    return window->dilation[axis] * (window->kernel[axis] - 1) + 1;
}

/* As in PyTorch: in ceil mode, the last window must start inside the input or its left padding. */
static int64_t output_size(const thaw_window *window, int axis, int64_t input)
{
    const int64_t stride = window->stride[axis], before = window->padding_before[axis];
    const int64_t free = input + before + window->padding_after[axis] - reach(window, axis);
    if (free < 0)
        return 0;
    const int64_t size = (free + (window->ceil_mode ? stride - 1 : 0)) / stride + 1;
    return window->ceil_mode && (size - 1) * stride >= input + before ? size - 1 : size;
}

void thaw_window_fit(thaw_window *window, const thaw_shape *input)
{
    for (int i = 0; i < 2; i++) {
        const int64_t both = window->same ? reach(window, i) - 1 : 2 * window->padding[i];
        window->padding_before[i] = both / 2;
        window->padding_after[i] = both - both / 2; /* odd excess: right and below */
        window->output[i] = output_size(window, i, input->dims[i]);
        const int64_t end = (window->output[i] - 1) * window->stride[i] + reach(window, i);
        const int64_t overhang = end - input->dims[i] - window->padding_before[i];
        if (overhang > window->padding_after[i])
            window->padding_after[i] = overhang;
    }
}

thaw_status thaw_window_check_range(thaw_layer_builder *builder, const char *what, const int64_t value[2],
                                    int64_t least, bool sequence)
{
    for (int i = sequence ? 1 : 0; i < 2; i++) {
        if (value[i] >= least && value[i] <= largest)
            continue;
        if (sequence)
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "%s is %lld, must be from %lld to %lld", what,
                                     (long long)value[1], (long long)least, (long long)largest);
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "%s is [%lld, %lld], must be from %lld to %lld", what,
                                 (long long)value[0], (long long)value[1], (long long)least, (long long)largest);
    }
    return THAW_OK;
}

static thaw_status check_ranges(thaw_layer_builder *builder, const thaw_window *w)
{
    thaw_status status = thaw_window_check_range(builder, "kernel", w->kernel, 1, w->sequence);
    if (status == THAW_OK)
        status = thaw_window_check_range(builder, "stride", w->stride, 1, w->sequence);
    if (status == THAW_OK)
        status = thaw_window_check_range(builder, "padding", w->padding, 0, w->sequence);
    return status == THAW_OK ? thaw_window_check_range(builder, "dilation", w->dilation, 1, w->sequence) : status;
}

thaw_status thaw_window_check_image(thaw_layer_builder *builder, const thaw_shape *input)
{
    char text[80];
    return input->rank == 3 ? THAW_OK
                            : thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                                "the input has shape %s, must be [height, width, channels]",
                                                thaw_shape_format(input, text, sizeof text));
}

thaw_status thaw_window_check(thaw_layer_builder *builder, thaw_window *window, const thaw_shape *image)
{
    char text[80];
    const thaw_status status = check_ranges(builder, window);
    if (status != THAW_OK)
        return status;
    thaw_window_fit(window, image);
    if (window->output[0] >= 1 && window->output[1] >= 1)
        return THAW_OK;
    if (window->sequence)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "a kernel of %lld does not fit into a sequence of %lld steps",
                                 (long long)window->kernel[1], (long long)image->dims[1]);
    return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                             "a kernel of [%lld, %lld] does not fit into an input of shape %s",
                             (long long)window->kernel[0], (long long)window->kernel[1],
                             thaw_shape_format(image, text, sizeof text));
}

thaw_status thaw_window_build(thaw_layer_builder *builder, thaw_window *window)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    const thaw_status status = thaw_window_check_image(builder, input);
    return status == THAW_OK ? thaw_window_check(builder, window, input) : status;
}

/* The last dimensions: both, or of a sequence the width. */
static thaw_onnx_attribute last(const thaw_window *window, const char *name, const int64_t values[2])
{
    const int first = window->sequence;
    thaw_onnx_attribute made = { .name = name, .kind = THAW_ONNX_INTEGERS, .count = first ? 1 : 2 };
    for (size_t i = 0; i < made.count; i++)
        made.integers[i] = values[(size_t)first + i];
    return made;
}

thaw_onnx_operator thaw_window_export(const thaw_window *window, const char *kind)
{
    thaw_onnx_operator made = { .kind = kind };
    thaw_onnx_attribute pads = last(window, "pads", window->padding_before);
    const thaw_onnx_attribute after = last(window, "", window->padding_after);
    for (size_t i = 0; i < after.count; i++)
        pads.integers[pads.count++] = after.integers[i];
    made.attributes[0] = last(window, "kernel_shape", window->kernel);
    made.attributes[1] = last(window, "strides", window->stride);
    made.attributes[2] = pads;
    made.attributes[3] = last(window, "dilations", window->dilation);
    return made;
}
