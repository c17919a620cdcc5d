#include "layers/pool2d.h"

thaw_window thaw_pool_window(const thaw_pool2d_options *o)
{
    thaw_window window = { .ceil_mode = o->ceil_mode };
    for (int i = 0; i < 2; i++) {
        window.kernel[i] = o->kernel[i];
        window.stride[i] = o->stride[i] ? o->stride[i] : o->kernel[i];
        window.dilation[i] = o->dilation[i] ? o->dilation[i] : 1;
        window.padding[i] = o->padding[i];
    }
    return window;
}

thaw_status thaw_pool_build(thaw_layer_builder *builder, const thaw_pool2d_options *o)
{
    thaw_window window = thaw_pool_window(o);
    const thaw_status status = thaw_window_build(builder, &window);
    if (status != THAW_OK)
        return status;
    for (int i = 0; i < 2; i++)
        if (o->padding[i] > o->kernel[i] / 2)
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                     "padding is %lld, must be at most half of the kernel, %lld",
                                     (long long)o->padding[i], (long long)o->kernel[i]);
    const int64_t channels = thaw_builder_input(builder, 0)->dims[2];
    const thaw_shape output = { 3, { window.output[0], window.output[1], channels } };
    thaw_builder_flops(builder, (double)window.output[0] * (double)window.output[1] * (double)channels *
                                    (double)o->kernel[0] * (double)o->kernel[1]);
    return thaw_builder_output(builder, &output);
}

static thaw_pooling problem_of(const thaw_layer_demand *demand, thaw_window window, thaw_pooling_kind kind)
{
    const thaw_shape *input = &demand->inputs[0];
    thaw_window_fit(&window, input);
    thaw_pooling problem = {
        .kind = kind, .precision = demand->capabilities->precision, .batch = demand->batch, .channels = input->dims[2]
    };
    for (int i = 0; i < 2; i++) {
        problem.input[i] = input->dims[i];
        problem.output[i] = window.output[i];
        problem.kernel[i] = window.kernel[i];
        problem.stride[i] = window.stride[i];
        problem.dilation[i] = window.dilation[i];
        problem.padding_before[i] = window.padding_before[i];
        problem.padding_after[i] = window.padding_after[i];
    }
    return problem;
}

thaw_status thaw_pool_create(const thaw_layer_demand *demand, thaw_window window, thaw_pooling_kind kind,
                             thaw_kernel_pair *kernels, thaw_layer_needs *needs)
{
    const thaw_pooling problem = problem_of(demand, window, kind);
    *kernels = (thaw_kernel_pair){ 0 };
    thaw_status status = thaw_pooling_forward(demand->context, &problem, demand->training, &kernels->forward);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_pooling_backward(demand->context, &problem, &kernels->backward);
    if (status != THAW_OK) {
        thaw_kernel_pair_release(demand->context, kernels);
        return status;
    }
    needs->scratch_bytes = thaw_kernel_pair_scratch_bytes(kernels);
    needs->workspace_bytes = thaw_kernel_bytes(kernels->forward, THAW_ARGUMENT_WORKSPACE);
    needs->kernel = thaw_kernel_name(kernels->forward);
    return THAW_OK;
}

thaw_status thaw_pool_forward(const thaw_kernel_pair *kernels, const thaw_layer_run *run)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, run->output },
        { THAW_ARGUMENT_WORKSPACE, run->workspace },
    };
    return thaw_kernel_run(kernels->forward, bindings, THAW_COUNT(bindings), run->scratch);
}

thaw_status thaw_pool_backward(const thaw_kernel_pair *kernels, const thaw_layer_run *run, const float *gradient,
                               void *scratch)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_DESTINATION_GRADIENT, gradient },
        { THAW_ARGUMENT_WORKSPACE, run->workspace },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
    };
    return thaw_kernel_run(kernels->backward, bindings, THAW_COUNT(bindings), scratch);
}

thaw_onnx_value *thaw_pool_export_padding(const thaw_layer_export *layer, thaw_onnx_value *x, const int64_t before[2],
                                          const int64_t after[2], double value)
{
    const int64_t pads[] = { 0, 0, before[0], before[1], 0, 0, after[0], after[1] };
    thaw_onnx_value *amounts = thaw_onnx_integers(layer, pads, THAW_COUNT(pads));
    thaw_onnx_value *fill = thaw_onnx_fill(layer, &(thaw_shape){ 0 }, value);
    return thaw_onnx_append(layer, &(thaw_onnx_operator){ .kind = "Pad", .inputs = { x, amounts, fill } });
}
