#include "swapped_dense.h"

#include "bias.h"
#include "core/allocation.h"
#include "dnn/channels.h"

static thaw_status create_kernels(thaw_context *context, const thaw_inner_product *problem, thaw_swapped_dense *swapped)
{
    const thaw_inner_product exchanged = {
        .batch = problem->outputs,
        .inputs = problem->inputs,
        .outputs = problem->batch,
        .training = problem->training,
        .packed = true,
    };
    const thaw_status status = thaw_inner_product_forward(context, &exchanged, &swapped->product, &swapped->pack);
    /* [outputs, batch] to [batch, outputs]: an image of one column whose channels come first. */
    const thaw_images turned = { .batch = 1, .height = problem->outputs, .width = 1, .channels = problem->batch };
    return status == THAW_OK ? thaw_channels_move(context, &turned, true, &swapped->transpose) : status;
}

thaw_status thaw_swapped_dense_create(thaw_context *context, const thaw_inner_product *problem,
                                      thaw_swapped_dense *swapped)
{
    *swapped = (thaw_swapped_dense){ .batch = (size_t)problem->batch,
                                     .outputs = (size_t)problem->outputs,
                                     .relu = problem->after.activation == THAW_ACTIVATION_RELU };
    const thaw_status status = create_kernels(context, problem, swapped);
    if (status != THAW_OK) {
        thaw_swapped_dense_release(context, swapped);
        return status;
    }
    if (swapped->pack)
        swapped->packed_bytes = thaw_align(thaw_kernel_bytes(swapped->pack, THAW_ARGUMENT_DESTINATION));
    if (swapped->transpose)
        swapped->product_bytes = thaw_align(thaw_kernel_bytes(swapped->transpose, THAW_ARGUMENT_SOURCE));
    return THAW_OK;
}

void thaw_swapped_dense_release(thaw_context *context, thaw_swapped_dense *swapped)
{
    thaw_kernel_release(context, swapped->pack);
    thaw_kernel_release(context, swapped->product);
    thaw_kernel_release(context, swapped->transpose);
    *swapped = (thaw_swapped_dense){ 0 };
}

size_t thaw_swapped_dense_scratch_bytes(const thaw_swapped_dense *swapped)
{
    const thaw_kernel *const kernels[] = { swapped->pack, swapped->product, swapped->transpose };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(kernels); i++)
        if (thaw_kernel_scratch_bytes(kernels[i]) > most)
            most = thaw_kernel_scratch_bytes(kernels[i]);
    return swapped->packed_bytes + swapped->product_bytes + most;
}

static thaw_status move(thaw_kernel *kernel, const float *from, float *to, void *scratch)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, from },
        { THAW_ARGUMENT_DESTINATION, to },
    };
    return kernel ? thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch) : THAW_OK;
}

thaw_status thaw_swapped_dense_run(const thaw_swapped_dense *swapped, const thaw_layer_run *run, const float *weight,
                                   const float *bias)
{
    char *scratch = run->scratch, *rest = scratch + swapped->packed_bytes + swapped->product_bytes;
    float *packed = run->scratch;
    float *product = swapped->transpose ? (float *)(void *)(scratch + swapped->packed_bytes) : run->output;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, weight },
        { THAW_ARGUMENT_WEIGHTS, swapped->pack ? packed : run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, product },
    };
    thaw_status status = move(swapped->pack, run->inputs[0], packed, rest);
    if (status == THAW_OK)
        status = thaw_kernel_run(swapped->product, bindings, THAW_COUNT(bindings), rest);
    if (status == THAW_OK)
        status = move(swapped->transpose, product, run->output, rest);
    if (status == THAW_OK)
        thaw_add_bias(run->context, swapped->batch, swapped->outputs, THAW_F32, bias, swapped->relu, run->output);
    return status;
}
