/* Losses that are a mean or a sum of one term for each element and its target. Each layer adds its formula, the terms
   and their slopes, and the options of it. */
#ifndef THAW_LAYERS_POINTWISE_LOSS_H
#define THAW_LAYERS_POINTWISE_LOSS_H

#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* Elements [begin, end) of a batch, and their targets. */
typedef struct thaw_loss_span {
    const float *prediction, *target;
    size_t begin, end;
    const void *options; /* the layer's, which begin with thaw_pointwise_options */
    size_t columns;      /* of the last dimension, for options that count them */
} thaw_loss_span;

typedef struct thaw_pointwise_loss {
    double (*sum)(const thaw_loss_span *span); /* of the terms */
    void (*differentiate)(const thaw_loss_span *span, double scale,
                          float *gradient); /* gradient[i]: scale times slope */
    bool squares;                           /* in its terms, so that its unit is that of the target squared */
    const char *kernel;
} thaw_pointwise_loss;

/* What a layer keeps, or how it begins if its formula has options of its own. */
typedef struct thaw_pointwise_options {
    const thaw_pointwise_loss *loss;
    thaw_reduction reduction;
    double target_deviation; /* as in thaw_mse_options */
} thaw_pointwise_options;

/* The fields of a thaw_layer_module that all these losses share: all but its name, its options and `build`. */
#define THAW_POINTWISE_LOSS_HEAD                                                                              \
    THAW_LAYER_MODULE_HEAD, .loss = true, .prepare = thaw_pointwise_loss_prepare,                             \
                            .forward = thaw_pointwise_loss_forward, .backward = thaw_pointwise_loss_backward, \
                            .release = thaw_pointwise_loss_release, .weigh = thaw_pointwise_loss_weigh

thaw_status thaw_pointwise_loss_build(thaw_layer_builder *builder, const void *options);
thaw_status thaw_pointwise_loss_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs);
thaw_status thaw_pointwise_loss_forward(const thaw_layer_run *run);
thaw_status thaw_pointwise_loss_backward(const thaw_layer_run *run);
void thaw_pointwise_loss_weigh(const thaw_layer_run *run, double *total, double *weight);
void thaw_pointwise_loss_release(thaw_context *context, void *state);

#endif
