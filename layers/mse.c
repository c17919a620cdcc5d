/* Squared error: the mean or sum of (x - target)^2 over batch and features. */
#include "layers/pointwise_loss.h"

static double sum(const thaw_loss_span *span)
{
    double total = 0;
    for (size_t i = span->begin; i < span->end; i++) {
        const double difference = (double)span->prediction[i] - (double)span->target[i];
        total += difference * difference;
    }
    return total;
}

static void differentiate(const thaw_loss_span *span, double scale, float *gradient)
{
    const float factor = (float)(2 * scale);
    for (size_t i = span->begin; i < span->end; i++)
        gradient[i] = factor * (span->prediction[i] - span->target[i]);
}

static const thaw_pointwise_loss loss = {
    .sum = sum, .differentiate = differentiate, .squares = true, .kernel = "squared error"
};
static const thaw_layer_module module = {
    THAW_POINTWISE_LOSS_HEAD,
    .name = "mse",
    .options_size = sizeof(thaw_pointwise_options),
    .build = thaw_pointwise_loss_build,
};

thaw_status thaw_mse(thaw_model *model, thaw_node prediction, const thaw_mse_options *options, thaw_node *output)
{
    const thaw_mse_options o = options ? *options : (thaw_mse_options){ 0 };
    const thaw_pointwise_options settings = { .loss = &loss,
                                              .reduction = o.reduction,
                                              .target_deviation = o.target_deviation };
    return thaw_model_append(model, &module, o.name, &prediction, 1, &settings, output);
}
