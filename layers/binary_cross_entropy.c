/* Binary cross-entropy of logits x against targets t, with PyTorch's weights w of positive targets. A term is
   (1 - t) x + (1 + (w - 1) t) log(1 + exp(-x)), and its slope (1 - t + w t) sigmoid(x) - w t. */
#include <math.h>
#include <string.h>

#include "layers/pointwise_loss.h"

typedef struct binary_cross_entropy {
    thaw_pointwise_options shared;
    const float *positive_weights; /* NULL: all 1 */
} binary_cross_entropy;

/* log(1 + exp(-x)), for any x. */
static double soft_minus(double x)
{
    return log1p(exp(-fabs(x))) + fmax(-x, 0);
}

static double sigmoid(double x)
{
    const double small = exp(-fabs(x));
    return (x < 0 ? small : 1) / (1 + small);
}

static double weight_of(const thaw_loss_span *span, size_t element)
{
    const binary_cross_entropy *o = span->options;
    return o->positive_weights ? (double)o->positive_weights[element % span->columns] : 1;
}

static double sum(const thaw_loss_span *span)
{
    double total = 0;
    for (size_t i = span->begin; i < span->end; i++) {
        const double x = (double)span->prediction[i], t = (double)span->target[i];
        total += (1 - t) * x + (1 + (weight_of(span, i) - 1) * t) * soft_minus(x);
    }
    return total;
}

static void differentiate(const thaw_loss_span *span, double scale, float *gradient)
{
    for (size_t i = span->begin; i < span->end; i++) {
        const double t = (double)span->target[i], positive = weight_of(span, i) * t;
        gradient[i] = (float)(scale * ((1 - t + positive) * sigmoid((double)span->prediction[i]) - positive));
    }
}

static thaw_status adopt_options(thaw_layer_builder *builder, void *options)
{
    binary_cross_entropy *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (!o->positive_weights)
        return THAW_OK;
    const size_t count = input->rank > 0 ? (size_t)input->dims[input->rank - 1] : 1;
    for (size_t i = 0; i < count; i++)
        if (!(o->positive_weights[i] >= 0) || !isfinite(o->positive_weights[i]))
            return thaw_builder_fail(
                builder, THAW_INVALID_ARGUMENT,
                "the weight of positive targets of column %zu is %g, must be finite and not negative", i,
                (double)o->positive_weights[i]);
    float *copy = thaw_allocate(thaw_builder_context(builder), count * sizeof *copy);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    o->positive_weights = memcpy(copy, o->positive_weights, count * sizeof *copy);
    return THAW_OK;
}

static void release_options(thaw_context *context, void *options)
{
    const binary_cross_entropy *o = options;
    thaw_release(context, (void *)(uintptr_t)o->positive_weights);
}

static const thaw_pointwise_loss loss = { .sum = sum,
                                          .differentiate = differentiate,
                                          .kernel = "binary cross-entropy" };
static const thaw_layer_module module = {
    THAW_POINTWISE_LOSS_HEAD,       .name = "binary_cross_entropy",     .options_size = sizeof(binary_cross_entropy),
    .adopt_options = adopt_options, .release_options = release_options, .build = thaw_pointwise_loss_build,
};

thaw_status thaw_binary_cross_entropy(thaw_model *model, thaw_node logits,
                                      const thaw_binary_cross_entropy_options *options, thaw_node *output)
{
    const thaw_binary_cross_entropy_options o = options ? *options : (thaw_binary_cross_entropy_options){ 0 };
    const binary_cross_entropy settings = { .shared = { .loss = &loss, .reduction = o.reduction },
                                            .positive_weights = o.positive_weights };
    return thaw_model_append(model, &module, o.name, &logits, 1, &settings, output);
}
