/* Flatten: [H, W, C] to [C * H * W] in PyTorch's order. */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/kernel_pair.h"
#include "onednn/channels.h"

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 3 && input->rank != 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, must be [height, width, channels] or [features]",
                                 thaw_shape_format(input, text, sizeof text));
    return thaw_builder_output(builder, &(thaw_shape){ 1, { (int64_t)thaw_shape_count(input) } });
}

static thaw_status create_kernels(const thaw_layer_demand *demand, thaw_kernel_pair *kernels)
{
    const int64_t *input = demand->inputs[0].dims;
    const thaw_images images = { .batch = demand->batch,
                                 .height = input[0],
                                 .width = input[1],
                                 .channels = input[2],
                                 .precision = demand->capabilities->precision };
    const thaw_status status = thaw_channels_move(demand->context, &images, true, &kernels->forward);
    return status == THAW_OK && demand->input_gradient[0]
               ? thaw_channels_move(demand->context, &images, false, &kernels->backward)
               : status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_shape *input = &demand->inputs[0];
    needs->identity = input->rank == 1 || input->dims[0] * input->dims[1] == 1 || input->dims[2] == 1;
    if (needs->identity)
        return THAW_OK;
    thaw_kernel_pair *kernels = thaw_allocate(demand->context, sizeof *kernels);
    if (!kernels)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status = create_kernels(demand, kernels);
    if (status != THAW_OK) {
        thaw_kernel_pair_release_state(demand->context, kernels);
        return status;
    }
    needs->state = kernels;
    needs->scratch_bytes = thaw_kernel_pair_scratch_bytes(kernels);
    needs->kernel = thaw_kernel_name(kernels->forward);
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const thaw_kernel_pair *kernels = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(kernels->forward, bindings, THAW_COUNT(bindings), run->scratch);
}

static thaw_status backward(const thaw_layer_run *run)
{
    const thaw_kernel_pair *kernels = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->output_gradient },
        { THAW_ARGUMENT_DESTINATION, run->input_gradients[0] },
    };
    return thaw_kernel_run(kernels->backward, bindings, THAW_COUNT(bindings), run->scratch);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_onnx_attribute axis = { .name = "axis", .integer = 1 };
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    if (layer->inputs[0].rank > 1)
        x = thaw_onnx_apply(layer, "Flatten", x, NULL, &axis);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "flatten",
    .options_size = sizeof(thaw_simple_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_kernel_pair_release_state,
    .export_onnx = export_onnx,
};

thaw_status thaw_flatten(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    const thaw_simple_options settings = options ? *options : (thaw_simple_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
