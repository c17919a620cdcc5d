/* Passes over the rows of matrices whose columns are channels: for normalisations, together with what follows them,
   and for the gradients of biases. Built for each level of the CPU's instructions. Arithmetic is in floats, sums
   over rows are in doubles. Each vector is computed on its own, so that matrices of one pass may be the same, but
   must not overlap otherwise. */
#ifndef THAW_KERNELS_PASS_LOOPS_H
#define THAW_KERNELS_PASS_LOOPS_H

#include <thaw/layer_capabilities.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

#include "core/cpu.h"

/* Matrices, and arrays with one number per channel. A pass may leave out what it does not read or write. With
   z = (input - mean) scale + shift + residual and y = activation(z), whose gradient is dy: */
typedef struct thaw_channel_pass {
    size_t channels;
    thaw_dtype precision; /* of the matrices: THAW_F32 or THAW_BF16 */
    const void *input;
    const void *residual; /* NULL: none */
    const float *mean, *scale, *shift;
    thaw_activation activation;                  /* none, ReLU or ReLU6 */
    void *output;                                /* forward: y */
    const void *result;                          /* backward: y, where z cannot be computed again; else NULL */
    const void *output_gradient;                 /* dy; dz if `masked` */
    bool masked;                                 /* backward has passed the activation */
    void *slope;                                 /* where a reduction writes dz; NULL: nowhere */
    const float *gradient_shift, *gradient_rate; /* NULL: 0 */
    void *gradient;                              /* dz scale + gradient_shift + (input - mean) gradient_rate */
} thaw_channel_pass;

typedef struct thaw_pass_functions {
    void (*normalise)(const thaw_channel_pass *pass, size_t begin, size_t end);
    void (*differentiate)(const thaw_channel_pass *pass, size_t begin, size_t end);

    /* Sums over rows [begin, end), for each channel, of input - shift and of its square. */
    void (*measure)(const thaw_channel_pass *pass, size_t begin, size_t end, double *sums, double *squares);

    /* Sums of dz and of dz (input - mean). If `products` is NULL, only of dz, and no input is read. */
    void (*reduce)(const thaw_channel_pass *pass, size_t begin, size_t end, double *sums, double *products);
} thaw_pass_functions;

THAW_DECLARE_LEVELS(const thaw_pass_functions, thaw_pass_loops);

#endif
