/* Convolutions of 3x3 with stride 1 by the definition, in doubles. */
#ifndef SUPPORT_WINOGRAD_PROBLEM_H
#define SUPPORT_WINOGRAD_PROBLEM_H

#include "kernels/winograd_loops.h"
#include "onednn/convolution.h"

typedef struct winograd_shape {
    int64_t batch, channels, filters, size[2], before[2], after[2];
} winograd_shape;

enum { WINOGRAD_SHAPES = 9 };
extern const winograd_shape winograd_shapes[WINOGRAD_SHAPES];

thaw_convolution winograd_problem_of(const winograd_shape *s);
size_t winograd_input_count(const thaw_convolution *p);
size_t winograd_output_count(const thaw_convolution *p);
size_t winograd_weight_count(const thaw_convolution *p);

/* The caller frees them. Room is filled with NaN, of floats and of bfloat16. */
void *winograd_room(size_t bytes);
float *winograd_random_values(size_t count, uint32_t seed);

/* Sums of products: the map of an image, or, rotated, the image's gradient of the map's. The caller frees them. */
double *winograd_define(const thaw_convolution *p, const float *weight, const float *values, bool back);

/* Then bias, residual and activation, as the problem says. */
void winograd_finish(const thaw_convolution *p, double *sums, const float *bias, const float *residual);

/* Packs and runs. */
void winograd_run(thaw_context *context, thaw_kernel *kernel, thaw_kernel *pack, const float *weight,
                  thaw_argument source, const void *values, const float *bias, const void *residual,
                  thaw_argument destination, void *result);

#endif
