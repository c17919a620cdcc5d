#include "params/matrices.h"

#include "kernels/best_inner_product.h"

thaw_status thaw_matrices_create(thaw_context *context, int64_t m, int64_t k, int64_t n, thaw_matrices **matrices)
{
    *matrices = NULL;
    thaw_matrices *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    /* A dense layer from n features to k: its weight is B, already transposed, and its output's gradient is A. */
    const thaw_inner_product problem = { .batch = m, .inputs = n, .outputs = k, .training = true };
    thaw_kernel *pack = NULL;
    thaw_status status = thaw_inner_product_backward_data(context, &problem, &made->value, NULL);
    if (status == THAW_OK)
        status = thaw_best_inner_product_forward(context, &problem, &made->left, &pack);
    if (status == THAW_OK)
        status = thaw_best_inner_product_backward_weights(context, &problem, &made->right);
    thaw_kernel_release(context, pack);
    if (status != THAW_OK) {
        thaw_matrices_release(context, made);
        return status;
    }
    *matrices = made;
    return THAW_OK;
}

void thaw_matrices_release(thaw_context *context, thaw_matrices *matrices)
{
    if (!matrices)
        return;
    thaw_kernel_release(context, matrices->value);
    thaw_kernel_release(context, matrices->left);
    thaw_kernel_release(context, matrices->right);
    thaw_release(context, matrices);
}

size_t thaw_matrices_scratch_bytes(const thaw_matrices *matrices)
{
    const thaw_kernel *const kernels[] = { matrices->value, matrices->left, matrices->right };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(kernels); i++)
        if (thaw_kernel_scratch_bytes(kernels[i]) > most)
            most = thaw_kernel_scratch_bytes(kernels[i]);
    return most;
}

thaw_status thaw_matrices_multiply(const thaw_matrices *matrices, const float *a, const float *b, float *c,
                                   void *scratch)
{
    const thaw_binding bindings[] = { { THAW_ARGUMENT_DESTINATION_GRADIENT, a },
                                      { THAW_ARGUMENT_WEIGHTS, b },
                                      { THAW_ARGUMENT_SOURCE_GRADIENT, c } };
    return thaw_kernel_run(matrices->value, bindings, THAW_COUNT(bindings), scratch);
}

thaw_status thaw_matrices_left(const thaw_matrices *matrices, const float *c_gradient, const float *b,
                               float *a_gradient, void *scratch)
{
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, c_gradient },
                                      { THAW_ARGUMENT_WEIGHTS, b },
                                      { THAW_ARGUMENT_DESTINATION, a_gradient } };
    return thaw_kernel_run(matrices->left, bindings, THAW_COUNT(bindings), scratch);
}

thaw_status thaw_matrices_right(const thaw_matrices *matrices, const float *a, const float *c_gradient,
                                float *b_gradient, void *scratch)
{
    const thaw_binding bindings[] = { { THAW_ARGUMENT_DESTINATION_GRADIENT, a },
                                      { THAW_ARGUMENT_SOURCE, c_gradient },
                                      { THAW_ARGUMENT_WEIGHTS_GRADIENT, b_gradient } };
    return thaw_kernel_run(matrices->right, bindings, THAW_COUNT(bindings), scratch);
}
