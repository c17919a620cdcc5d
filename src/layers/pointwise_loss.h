/* Losses that are a mean or a sum of one term for each element and its target; each adds its terms and their slopes. */
#ifndef THAW_LAYERS_POINTWISE_LOSS_H
#define THAW_LAYERS_POINTWISE_LOSS_H

#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* Elements [begin, end) of a batch, and their targets. */
typedef struct thaw_loss_span {
    const float *prediction, *target;
    size_t begin, end;
    const void *options; /* the module's */
    size_t columns;      /* of the last dimension, for options that count them */
} thaw_loss_span;

typedef struct thaw_pointwise_loss {
    double (*sum)(const thaw_loss_span *span); /* of the terms */
    void (*differentiate)(const thaw_loss_span *span, double scale,
                          float *gradient); /* gradient[i]: scale times slope */
    const char *kernel;
} thaw_pointwise_loss;

thaw_status thaw_pointwise_loss_build(thaw_layer_builder *builder, thaw_reduction reduction);

/* `loss` outlives the kernel. */
thaw_status thaw_pointwise_loss_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs,
                                        const thaw_pointwise_loss *loss, thaw_reduction reduction);
thaw_status thaw_pointwise_loss_forward(const thaw_layer_run *run);
thaw_status thaw_pointwise_loss_backward(const thaw_layer_run *run);
void thaw_pointwise_loss_weigh(const thaw_layer_run *run, double *total, double *weight);
void thaw_pointwise_loss_release(thaw_context *context, void *state);

#endif
