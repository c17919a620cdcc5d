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

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_mae_options *o = options;
    return thaw_pointwise_loss_build(builder, o->reduction);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    static const thaw_pointwise_loss loss = { .sum = sum, .differentiate = differentiate, .kernel = "absolute error" };
    const thaw_mae_options *o = demand->options;
    return thaw_pointwise_loss_prepare(demand, needs, &loss, o->reduction);
}

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "mae",
    .options_size = sizeof(thaw_mae_options),
    .loss = true,
    .build = build,
    .prepare = prepare,
    .forward = thaw_pointwise_loss_forward,
    .backward = thaw_pointwise_loss_backward,
    .release = thaw_pointwise_loss_release,
    .weigh = thaw_pointwise_loss_weigh,
};

thaw_status thaw_mae(thaw_model *model, thaw_node prediction, const thaw_mae_options *options, thaw_node *output)
{
    const thaw_mae_options settings = options ? *options : (thaw_mae_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &prediction, 1, &settings, output);
}
