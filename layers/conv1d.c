/* 1-D convolution of sequences [L, C]: the 2-D convolution of images with one row. */
#include <thaw/layer_capabilities.h>

#include "layers/conv2d.h"
#include "layers/weighted.h"

static thaw_conv2d_options of_one_row(const thaw_conv1d_options *o)
{
    return (thaw_conv2d_options){
        .filters = o->filters,
        .kernel = { 1, o->kernel },
        .stride = { 1, o->stride },
        .padding = { 0, o->padding },
        .same = o->same,
        .dilation = { 1, o->dilation },
        .groups = o->groups,
        .no_bias = o->no_bias,
        .initializer = o->initializer,
        .bias_initializer = o->bias_initializer,
    };
}

static thaw_shape as_row(const thaw_shape *sequence)
{
    return (thaw_shape){ 3, { 1, sequence->dims[0], sequence->dims[1] } };
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 2)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input has shape %s, must be [length, channels]",
                                 thaw_shape_format(input, text, sizeof text));
    const thaw_conv2d_options o = of_one_row(options);
    const thaw_shape image = as_row(input);
    return thaw_conv2d_build(builder, &o, &image, true);
}

/* A demand on this layer, as a demand on the convolution of images. */
typedef struct image_demand {
    thaw_layer_demand demand;
    thaw_conv2d_options options;
    thaw_shape input;
} image_demand;

static const thaw_layer_demand *of_image(const thaw_layer_demand *demand, image_demand *image)
{
    *image = (image_demand){ *demand, of_one_row(demand->options), as_row(&demand->inputs[0]) };
    image->demand.options = &image->options;
    image->demand.inputs = &image->input;
    image->demand.output = as_row(&demand->output);
    return &image->demand;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    image_demand image;
    return thaw_conv2d_module.prepare(of_image(demand, &image), needs);
}

static bool takes_epilogue(const thaw_layer_demand *demand)
{
    image_demand image;
    return thaw_conv2d_module.capabilities->takes_epilogue(of_image(demand, &image));
}

static bool takes_low_rank(const void *options, size_t parameter)
{
    const thaw_conv2d_options o = of_one_row(options);
    return thaw_conv2d_module.capabilities->takes_low_rank(&o, parameter);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_conv2d_options o = of_one_row(layer->options);
    const thaw_shape image = as_row(&layer->inputs[0]);
    return thaw_conv2d_export(layer, &o, &image, true);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .takes_epilogue = takes_epilogue,
    .bfloat16 = THAW_BFLOAT16_CHOSEN,
    .takes_low_rank = takes_low_rank,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "conv1d",
    .options_size = sizeof(thaw_conv1d_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .pack = thaw_weighted_pack,
    .forward = thaw_weighted_forward,
    .backward = thaw_weighted_backward,
    .release = thaw_weighted_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_conv1d(thaw_model *model, thaw_node input, const thaw_conv1d_options *options, thaw_node *output)
{
    const thaw_conv1d_options settings = options ? *options : (thaw_conv1d_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
