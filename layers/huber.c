/* Huber's loss: with d = x - target, the mean or sum of d^2 / 2 where |d| is below delta, else of
   delta (|d| - delta / 2). Huber 1964, "Robust Estimation of a Location Parameter"; torch.nn.HuberLoss. */
#include <math.h>

#include "layers/pointwise_loss.h"

typedef struct huber {
    thaw_pointwise_options shared;
    double delta;
} huber;

static double sum(const thaw_loss_span *span)
{
    const huber *settings = span->options;
    const double delta = settings->delta;
    double total = 0;
    for (size_t i = span->begin; i < span->end; i++) {
        const double d = fabs((double)span->prediction[i] - (double)span->target[i]);
        total += d < delta ? d * d / 2 : delta * (d - delta / 2);
    }
    return total;
}

static void differentiate(const thaw_loss_span *span, double scale, float *gradient)
{
    const huber *settings = span->options;
    const double delta = settings->delta;
    for (size_t i = span->begin; i < span->end; i++) {
        const double d = (double)span->prediction[i] - (double)span->target[i];
        gradient[i] = (float)(scale * (d >= delta ? delta : d <= -delta ? -delta : d));
    }
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const huber *settings = options;
    if (!(settings->delta > 0) || !isfinite(settings->delta))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "delta is %g, must be finite and above 0",
                                 settings->delta);
    return thaw_pointwise_loss_build(builder, options);
}

static const thaw_pointwise_loss loss = {
    .sum = sum, .differentiate = differentiate, .squares = true, .kernel = "Huber's loss"
};
static const thaw_layer_module module = {
    THAW_POINTWISE_LOSS_HEAD,
    .name = "huber",
    .options_size = sizeof(huber),
    .build = build,
};

thaw_status thaw_huber(thaw_model *model, thaw_node prediction, const thaw_huber_options *options, thaw_node *output)
{
    const thaw_huber_options o = options ? *options : (thaw_huber_options){ 0 };
    const huber settings = {
        .shared = { .loss = &loss, .reduction = o.reduction, .target_deviation = o.target_deviation },
        .delta = o.delta == 0 ? 1 : o.delta
    };
    return thaw_model_append(model, &module, o.name, &prediction, 1, &settings, output);
}
