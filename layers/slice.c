/* A part of the input along one axis. */
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* The fewest bytes that a thread copies. */
enum { GRAIN = 65536 };

/* A row is what follows one index of the dimensions before the axis. */
typedef struct slice {
    size_t rows, whole, part, offset; /* their number, for the batch; bytes of the input's and of the output's, and
                                         where the part begins in the input's */
} slice;

/* The axis and the part of the input, counted from the beginning. */
typedef struct range {
    int axis;
    int64_t begin, count;
} range;

static range range_of(const thaw_slice_options *o, const thaw_shape *input)
{
    range r = { .axis = o->axis < 0 ? o->axis + input->rank : o->axis, .begin = o->begin, .count = o->count };
    if (r.axis < 0 || r.axis >= input->rank)
        return r;
    const int64_t size = input->dims[r.axis];
    if (r.begin < 0)
        r.begin += size;
    if (r.count == 0 && r.begin >= 0)
        r.count = size - r.begin;
    return r;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_slice_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    const range r = range_of(o, input);
    char text[80];
    if (r.axis < 0 || r.axis >= input->rank)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "axis is %d for shape %s, must be from %d to %d",
                                 o->axis, thaw_shape_format(input, text, sizeof text), -input->rank, input->rank - 1);
    const int64_t size = input->dims[r.axis];
    if (r.begin < 0 || r.count < 1 || r.count > size || r.begin > size - r.count)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "begin is %lld and count %lld, must be within the %lld of axis %d of shape %s",
                                 (long long)o->begin, (long long)o->count, (long long)size, r.axis,
                                 thaw_shape_format(input, text, sizeof text));
    if (o->squeeze && r.count != 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "count is %lld, must be 1 to squeeze the axis",
                                 (long long)r.count);
    thaw_shape result = *input;
    result.dims[r.axis] = r.count;
    for (int i = r.axis; o->squeeze && i + 1 < result.rank; i++)
        result.dims[i] = result.dims[i + 1];
    result.rank -= o->squeeze;
    return thaw_builder_output(builder, &result);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_shape *input = &demand->inputs[0];
    const range r = range_of(demand->options, input);
    needs->identity = r.count == input->dims[r.axis];
    if (needs->identity)
        return THAW_OK;
    slice *s = thaw_allocate(demand->context, sizeof *s);
    if (!s)
        return THAW_OUT_OF_MEMORY;
    size_t bytes = thaw_dtype_bytes(demand->capabilities->precision);
    for (int i = r.axis + 1; i < input->rank; i++)
        bytes *= (size_t)input->dims[i];
    s->rows = (size_t)demand->batch;
    for (int i = 0; i < r.axis; i++)
        s->rows *= (size_t)input->dims[i];
    s->whole = (size_t)input->dims[r.axis] * bytes;
    s->part = (size_t)r.count * bytes;
    s->offset = (size_t)r.begin * bytes;
    needs->state = s;
    needs->kernel = "copy";
    return THAW_OK;
}

/* The data of one call. */
typedef struct pass {
    const slice *layer;
    const char *from;
    char *into;
} pass;

static void copy_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const slice *s = p->layer;
    for (size_t row = begin; row < end; row++)
        memcpy(p->into + row * s->part, p->from + row * s->whole + s->offset, s->part);
}

static void spread_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const slice *s = p->layer;
    for (size_t row = begin; row < end; row++) {
        char *whole = p->into + row * s->whole;
        memset(whole, 0, s->offset);
        memcpy(whole + s->offset, p->from + row * s->part, s->part);
        memset(whole + s->offset + s->part, 0, s->whole - s->offset - s->part);
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const slice *s = run->state;
    pass p = { s, run->inputs[0], run->output };
    thaw_parallel_for(run->context, s->rows, GRAIN / s->part + 1, copy_rows, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const slice *s = run->state;
    pass p = { s, run->output_gradient, run->input_gradients[0] };
    if (p.into)
        thaw_parallel_for(run->context, s->rows, GRAIN / s->whole + 1, spread_rows, &p);
    return THAW_OK;
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_slice_options *o = layer->options;
    const range r = range_of(o, &layer->inputs[0]);
    const int64_t end = r.begin + r.count, axis = r.axis + 1; /* behind the batch */
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    x = thaw_onnx_append(layer, &(thaw_onnx_operator){ .kind = "Slice",
                                                       .inputs = { x, thaw_onnx_integers(layer, &r.begin, 1),
                                                                   thaw_onnx_integers(layer, &end, 1),
                                                                   thaw_onnx_integers(layer, &axis, 1) } });
    if (o->squeeze)
        x = thaw_onnx_apply(layer, "Squeeze", x, thaw_onnx_integers(layer, &axis, 1), NULL);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "slice",
    .options_size = sizeof(thaw_slice_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_slice(thaw_model *model, thaw_node input, const thaw_slice_options *options, thaw_node *output)
{
    const thaw_slice_options settings = options ? *options : (thaw_slice_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
