#include "kernels/best_convolution.h"

#include "core/context.h"
#include "kernels/choice.h"
#include "kernels/winograd.h"
#include "kernels/winograd_weights.h"

/* The problem, with `direct` chosen. */
static thaw_convolution among_primitives(const thaw_convolution *problem)
{
    thaw_convolution best = *problem;
    best.direct = thaw_choose_direct_convolution(problem);
    return best;
}

thaw_status thaw_best_convolution_forward(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                          thaw_kernel **pack)
{
    if (thaw_choose_winograd_forward(context->level, problem))
        return thaw_winograd_forward(context, problem, kernel, pack);
    const thaw_convolution best = among_primitives(problem);
    return thaw_convolution_forward(context, &best, kernel, pack);
}

thaw_status thaw_best_convolution_backward_data(thaw_context *context, const thaw_convolution *problem,
                                                thaw_kernel **kernel, thaw_kernel **pack)
{
    if (thaw_choose_winograd_backward_data(context->level, problem))
        return thaw_winograd_backward_data(context, problem, kernel, pack);
    const thaw_convolution best = among_primitives(problem);
    return thaw_convolution_backward_data(context, &best, kernel, pack);
}

thaw_status thaw_best_convolution_backward_weights(thaw_context *context, const thaw_convolution *problem,
                                                   thaw_kernel **kernel, thaw_kernel **unpack)
{
    *unpack = NULL;
    if (thaw_choose_winograd_weights(problem))
        return thaw_winograd_weights_create(context, problem, kernel);
    const thaw_convolution best = among_primitives(problem);
    return thaw_convolution_backward_weights(context, &best, kernel, unpack);
}
