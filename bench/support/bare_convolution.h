/* A convolution as bare oneDNN kernels. */
#ifndef THAW_BENCH_BARE_CONVOLUTION_H
#define THAW_BENCH_BARE_CONVOLUTION_H

#include "graph/model.h"
#include "onednn/convolution.h"

/* The kernels, and the arrays that they read and write. NULL: not needed. */
typedef struct bench_bare_convolution {
    thaw_kernel *forward, *backward_data, *backward_weights;
    float *source, *destination, *source_gradient, *destination_gradient;
    float *weights, *data_weights, *weights_gradient, *bias;
} bench_bare_convolution;

/* The problem of a model's node, a conv2d. */
thaw_convolution bench_convolution_of(const thaw_model *model, size_t index, int64_t batch);

/* `first`: nothing below needs a gradient. Exits with a message on failure. */
void bench_bare_open(thaw_context *context, const thaw_convolution *problem, bool training, bool first,
                     bench_bare_convolution *bare);
void bench_bare_close(thaw_context *context, bench_bare_convolution *bare);

/* The seconds of one run of a kernel; 0 for NULL. */
double bench_bare_time(thaw_context *context, thaw_kernel *kernel, const bench_bare_convolution *bare, void *scratch);

#endif
