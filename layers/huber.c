/* Huber's loss: with d = x - target, the mean or sum of d^2 / 2 where |d| is below delta, else of delta (|d| - delta / 2).
   Huber 1964, "Robust Estimation of a Location Parameter"; torch.nn.HuberLoss. */
#include <math.h>

#include "layers/pointwise_loss.h"

static double delta_of(const void *options)
{
    const thaw_huber_options *o = options;
    return o->delta > 0 ? o->delta : 1;
}

static double sum(const thaw_loss_span *span)
{
    const double delta = delta_of(span->options);
    double total = 0;
    for (size_t i = span->begin; i < span->end; i++) {
        const double d = fabs((double)span->prediction[i] - (double)span->target[i]);
        total += d < delta ? d * d / 2 : delta * (d - delta / 2);
    }
    return total;
}

static void differentiate(const thaw_loss_span *span, double scale, float *gradient)
{
    const double delta = delta_of(span->options);
    for (size_t i = span->begin; i < span->end; i++) {
        const double d = (double)span->prediction[i] - (double)span->target[i];
        gradient[i] = (float)(scale * (d >= delta ? delta : d <= -delta ? -delta : d));
    }
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_huber_options *o = options;
    if (!(o->delta >= 0) || !isfinite(o->delta))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "delta is %g, must be finite and above 0", o->delta);
    return thaw_pointwise_loss_build(builder, o->reduction);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    static const thaw_pointwise_loss loss = { .sum = sum, .differentiate = differentiate, .kernel = "Huber's loss" };
    const thaw_huber_options *o = demand->options;
    return thaw_pointwise_loss_prepare(demand, needs, &loss, o->reduction);
}

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "huber",
    .options_size = sizeof(thaw_huber_options),
    .loss = true,
    .build = build,
    .prepare = prepare,
    .forward = thaw_pointwise_loss_forward,
    .backward = thaw_pointwise_loss_backward,
    .release = thaw_pointwise_loss_release,
    .weigh = thaw_pointwise_loss_weigh,
};

thaw_status thaw_huber(thaw_model *model, thaw_node prediction, const thaw_huber_options *options, thaw_node *output)
{
    const thaw_huber_options settings = options ? *options : (thaw_huber_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &prediction, 1, &settings, output);
}
