/* Absolute error: the mean or sum of |x - target| over batch and features. The slope where both are equal is 0, as in
   PyTorch. */
#include <math.h>

#include "layers/pointwise_loss.h"

static double sum(const thaw_loss_span *span)
{
    double total = 0;
    for (size_t i = span->begin; i < span->end; i++)
        total += fabs((double)span->prediction[i] - (double)span->target[i]);
    return total;
}

static void differentiate(const thaw_loss_span *span, double scale, float *gradient)
{
    const float slope = (float)scale;
    for (size_t i = span->begin; i < span->end; i++) {
        const float x = span->prediction[i], t = span->target[i];
        gradient[i] = x > t ? slope : x < t ? -slope : x - t; /* NaN stays NaN */
    }
}

static const thaw_pointwise_loss loss = { .sum = sum, .differentiate = differentiate, .kernel = "absolute error" };
static const thaw_layer_module module = {
    THAW_POINTWISE_LOSS_HEAD,
    .name = "mae",
    .options_size = sizeof(thaw_pointwise_options),
    .build = thaw_pointwise_loss_build,
};

thaw_status thaw_mae(thaw_model *model, thaw_node prediction, const thaw_mae_options *options, thaw_node *output)
{
    const thaw_mae_options o = options ? *options : (thaw_mae_options){ 0 };
    const thaw_pointwise_options settings = { .loss = &loss,
                                              .reduction = o.reduction,
                                              .target_deviation = o.target_deviation };
    return thaw_model_append(model, &module, o.name, &prediction, 1, &settings, output);
}
