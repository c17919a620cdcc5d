#include "layers/weight_gradient.h"

void thaw_weight_gradient_release(thaw_context *context, thaw_weight_gradient *gradient)
{
    thaw_kernel_release(context, gradient->kernel);
    thaw_kernel_release(context, gradient->unpack);
}

/* Bytes of the gradient before unpacking, at the beginning of scratch. */
static size_t packed_bytes(const thaw_weight_gradient *gradient)
{
    return gradient->unpack ? thaw_align(thaw_kernel_bytes(gradient->unpack, THAW_ARGUMENT_SOURCE)) : 0;
}

size_t thaw_weight_gradient_scratch_bytes(const thaw_weight_gradient *gradient)
{
    const size_t computing = thaw_kernel_scratch_bytes(gradient->kernel);
    const size_t unpacking = thaw_kernel_scratch_bytes(gradient->unpack);
    return packed_bytes(gradient) + (computing > unpacking ? computing : unpacking);
}

thaw_status thaw_weight_gradient_write(const thaw_weight_gradient *gradient, const thaw_weight_gradient_run *run)
{
    if (!gradient->kernel)
        return THAW_OK;
    char *rest = gradient->unpack ? (char *)run->scratch + packed_bytes(gradient) : run->scratch;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->source },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->destination_gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, gradient->unpack ? run->scratch : run->weight },
        { THAW_ARGUMENT_BIAS_GRADIENT, run->bias },
    };
    const thaw_status status = thaw_kernel_run(gradient->kernel, bindings, THAW_COUNT(bindings), rest);
    if (status != THAW_OK || !gradient->unpack)
        return status;
    const thaw_binding unpacking[] = {
        { THAW_ARGUMENT_SOURCE, run->scratch },
        { THAW_ARGUMENT_DESTINATION, run->weight },
    };
    return thaw_kernel_run(gradient->unpack, unpacking, THAW_COUNT(unpacking), rest);
}
