#include "layers/kernel_pair.h"

size_t thaw_kernel_pair_scratch_bytes(const thaw_kernel_pair *pair)
{
    const size_t forward = thaw_kernel_scratch_bytes(pair->forward);
    const size_t backward = thaw_kernel_scratch_bytes(pair->backward);
    return forward > backward ? forward : backward;
}

void thaw_kernel_pair_release(thaw_context *context, thaw_kernel_pair *pair)
{
    thaw_kernel_release(context, pair->forward);
    thaw_kernel_release(context, pair->backward);
    *pair = (thaw_kernel_pair){ 0 };
}

void thaw_kernel_pair_release_state(thaw_context *context, void *state)
{
    if (state)
        thaw_kernel_pair_release(context, state);
    thaw_release(context, state);
}
