/* Divides each row by its Euclidean norm. */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/row_normalisation.h"

/* The least norm that a row is divided by: PyTorch's default. */
static const double least = 1e-12;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has no dimensions, must have channels");
    thaw_builder_flops(builder, 3 * (double)thaw_shape_count(input));
    return thaw_builder_output(builder, input);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const size_t columns = (size_t)demand->output.dims[demand->output.rank - 1];
    return thaw_row_normalisation_prepare(demand, needs, THAW_ROWS_BY_LENGTH, columns, least);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute last = { .name = "axes", .kind = THAW_ONNX_INTEGERS, .integers = { -1 }, .count = 1 };
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    thaw_onnx_value *length = thaw_onnx_apply(layer, "ReduceL2", x, NULL, &last);
    length = thaw_onnx_apply(layer, "Max", length, thaw_onnx_fill(layer, &(thaw_shape){ 0 }, least), NULL);
    return thaw_onnx_output(layer, thaw_onnx_apply(layer, "Div", x, length, NULL), THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "l2_normalise",
    .options_size = sizeof(thaw_simple_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = thaw_row_normalisation_forward,
    .backward = thaw_row_normalisation_backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_l2_normalise(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    const thaw_simple_options settings = options ? *options : (thaw_simple_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
