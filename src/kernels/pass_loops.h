/* Passes over the rows of matrices whose columns are channels, for what normalises them, with what follows it, and for
   the gradients of biases, built for each level of the CPU's instructions. Arithmetic is in floats, sums over rows are in
   doubles. Every vector is computed on its own, so that matrices of one pass may be one, but must not overlap otherwise. */
#ifndef THAW_KERNELS_PASS_LOOPS_H
#define THAW_KERNELS_PASS_LOOPS_H

#include <thaw/layer_capabilities.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

#include "core/cpu.h"

/* Matrices, and arrays of one number a channel; a pass may leave out what it does not read or write. With
   z = (input - mean) scale + shift + residual and y = activation(z), of which the gradient is dy: */
typedef struct thaw_channel_pass {
    size_t channels;
    thaw_dtype precision; /* of the matrices: THAW_F32 or THAW_BF16 */
    const void *input;
    const void *residual; /* NULL: none */
    const float *mean, *scale, *shift;
    thaw_activation activation;                  /* none, ReLU or ReLU6 */
    void *output;                                /* forward: y */
    const void *result;                          /* backward: y, where z cannot be computed again; else NULL */
    const void *output_gradient;                 /* dy; dz, where `masked` says so */
    bool masked;                                 /* the activation is behind us */
    void *slope;                                 /* where a reduction leaves dz; NULL: nowhere */
    const float *gradient_shift, *gradient_rate; /* NULL: 0 */
    void *gradient;                              /* dz scale + gradient_shift + (input - mean) gradient_rate */
} thaw_channel_pass;

typedef struct thaw_pass_functions {
    void (*normalise)(const thaw_channel_pass *pass, size_t begin, size_t end);
    void (*differentiate)(const thaw_channel_pass *pass, size_t begin, size_t end);

    /* Rows [begin, end). Sums over them, for each channel, of input - shift and of its square. */
    void (*measure)(const thaw_channel_pass *pass, size_t begin, size_t end, double *sums, double *squares);

    /* Sums of dz, and of dz (input - mean); NULL products: not of these, and no input is read. */
    void (*reduce)(const thaw_channel_pass *pass, size_t begin, size_t end, double *sums, double *products);
} thaw_pass_functions;

THAW_DECLARE_LEVELS(const thaw_pass_functions, thaw_pass_loops);

#endif
