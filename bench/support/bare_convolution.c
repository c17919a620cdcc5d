#include "support/bare_convolution.h"

#include <stdlib.h>
#include <thaw/layers.h>

#include "kernels/choice.h"
#include "support/arrays.h"
#include "support/check.h"
#include "support/timing.h"

thaw_convolution bench_convolution_of(const thaw_model *model, size_t index, int64_t batch)
{
    const thaw_graph_node *node = &model->nodes[index];
    const thaw_conv2d_options *o = node->options;
    const thaw_shape *input = &model->nodes[node->inputs[0]].output;
    thaw_convolution problem = {
        .batch = batch,
        .groups = o->groups ? o->groups : 1,
        .input_channels = input->dims[2],
        .output_channels = o->filters,
        .bias = !o->no_bias,
    };
    for (int i = 0; i < 2; i++) {
        problem.input[i] = input->dims[i];
        problem.output[i] = node->output.dims[i];
        problem.kernel[i] = o->kernel[i];
        problem.stride[i] = o->stride[i] ? o->stride[i] : 1;
        problem.dilation[i] = o->dilation[i] ? o->dilation[i] : 1;
        const int64_t whole = (problem.output[i] - 1) * problem.stride[i] +
                              problem.dilation[i] * (problem.kernel[i] - 1) + 1 - problem.input[i];
        problem.padding_before[i] = o->same ? (whole > 0 ? whole / 2 : 0) : o->padding[i];
        problem.padding_after[i] = whole - problem.padding_before[i];
        if (problem.padding_after[i] < 0)
            problem.padding_after[i] = 0;
    }
    problem.direct = thaw_choose_direct_convolution(&problem);
    return problem;
}

void bench_bare_open(thaw_context *context, const thaw_convolution *problem, bool training, bool first,
                     bench_bare_convolution *b)
{
    thaw_kernel *relayout;
    thaw_convolution forward = *problem;
    forward.training = training;
    bench_check(context, thaw_convolution_forward(context, &forward, &b->forward, &relayout));
    thaw_kernel_release(context, relayout);
    b->source = bench_zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_SOURCE));
    b->destination = bench_zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_DESTINATION));
    b->weights = bench_zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_WEIGHTS));
    b->bias = bench_zeros((size_t)problem->output_channels * sizeof(float));
    if (!training)
        return;
    bench_check(context, thaw_convolution_backward_weights(context, problem, &b->backward_weights, &relayout));
    thaw_kernel_release(context, relayout);
    b->weights_gradient = bench_zeros(thaw_kernel_bytes(b->backward_weights, THAW_ARGUMENT_WEIGHTS_GRADIENT));
    b->destination_gradient = bench_zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_DESTINATION));
    if (first)
        return;
    bench_check(context, thaw_convolution_backward_data(context, problem, &b->backward_data, &relayout));
    thaw_kernel_release(context, relayout);
    b->data_weights = bench_zeros(thaw_kernel_bytes(b->backward_data, THAW_ARGUMENT_WEIGHTS));
    b->source_gradient = bench_zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_SOURCE));
}

void bench_bare_close(thaw_context *context, bench_bare_convolution *b)
{
    float *const arrays[] = { b->source,  b->destination,  b->source_gradient,  b->destination_gradient,
                              b->weights, b->data_weights, b->weights_gradient, b->bias };
    thaw_kernel_release(context, b->forward);
    thaw_kernel_release(context, b->backward_data);
    thaw_kernel_release(context, b->backward_weights);
    for (size_t i = 0; i < THAW_COUNT(arrays); i++)
        free(arrays[i]);
}

double bench_bare_time(thaw_context *context, thaw_kernel *kernel, const bench_bare_convolution *b, void *scratch)
{
    /* A kernel ignores arguments that it does not have. */
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, b->source },
        { THAW_ARGUMENT_WEIGHTS, kernel == b->backward_data ? b->data_weights : b->weights },
        { THAW_ARGUMENT_BIAS, b->bias },
        { THAW_ARGUMENT_DESTINATION, b->destination },
        { THAW_ARGUMENT_SOURCE_GRADIENT, b->source_gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, b->weights_gradient },
        { THAW_ARGUMENT_BIAS_GRADIENT, b->bias },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, b->destination_gradient },
    };
    if (!kernel)
        return 0;
    const double begin = bench_now();
    bench_check(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
    return bench_now() - begin;
}
