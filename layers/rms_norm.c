/* RMS normalisation: divides each row by the root of its mean square. Zhang & Sennrich 2019, arXiv 1910.07467. */
#include <float.h>
#include <math.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/normalisation.h"
#include "layers/row_normalisation.h"

enum { WEIGHT };

static double epsilon_of(const thaw_rms_norm_options *o)
{
    return o->epsilon > 0 || o->use_epsilon ? o->epsilon : (double)FLT_EPSILON;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_rms_norm_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has no dimensions, must have channels");
    return thaw_normalisation_build(builder, &(thaw_normalisation){ .shape = { 1, { input->dims[input->rank - 1] } },
                                                                    .epsilon = o->epsilon,
                                                                    .no_affine = o->no_weight,
                                                                    .no_bias = true,
                                                                    .initializer = o->initializer });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const size_t columns = (size_t)demand->output.dims[demand->output.rank - 1];
    return thaw_row_normalisation_prepare(demand, needs, THAW_ROWS_BY_MEAN_SQUARE, columns,
                                          epsilon_of(demand->options));
}

/* x / sqrt(mean(x^2) + epsilon) * weight: opset 17 has no operator of it. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute last = { .name = "axes", .kind = THAW_ONNX_INTEGERS, .integers = { -1 }, .count = 1 };
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    thaw_onnx_value *root = thaw_onnx_apply(layer, "Mul", x, x, NULL);
    root = thaw_onnx_apply(layer, "ReduceMean", root, NULL, &last);
    root = thaw_onnx_apply(layer, "Add", root, thaw_onnx_fill(layer, &(thaw_shape){ 0 }, epsilon_of(layer->options)),
                           NULL);
    root = thaw_onnx_apply(layer, "Sqrt", root, NULL, NULL);
    x = thaw_onnx_apply(layer, "Div", x, root, NULL);
    if (layer->parameter_count > WEIGHT)
        x = thaw_onnx_apply(layer, "Mul", x, thaw_onnx_parameter(layer, WEIGHT), NULL);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "rms_norm",
    .options_size = sizeof(thaw_rms_norm_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = thaw_row_normalisation_forward,
    .backward = thaw_row_normalisation_backward,
    .recompute = thaw_row_normalisation_forward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_rms_norm(thaw_model *model, thaw_node input, const thaw_rms_norm_options *options, thaw_node *output)
{
    const thaw_rms_norm_options settings = options ? *options : (thaw_rms_norm_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
