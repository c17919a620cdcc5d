/* An epsilon of 0 and a momentum of 0, which have to be asked for, since 0 alone means the default. */
#include <math.h>
#include <string.h>

#include "support/layer.h"

enum { BATCH = 4, CHANNELS = 6, VALUES = BATCH * CHANNELS };

/* Of so small a variance, 1e-8, that the default epsilon of 1e-5 would leave a thirtieth of the output. */
static void fill(layer *l)
{
    static const float parameters[] = { 1, 0, 0.25F, 3 }; /* weight, bias, running mean and variance */
    for (size_t i = 0; i < l->input_size[0]; i++)
        l->inputs[0][i] *= 1e-4F;
    for (size_t k = 0; k < l->parameter_count; k++)
        for (size_t i = 0; i < l->parameter_size[k]; i++)
            l->parameters[k][i] = parameters[k];
}

/* Compares outputs with those of groups of `count` values, `stride` apart, that begin at `first`. */
static void assert_normalised(const layer *l, size_t first, size_t count, size_t stride)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < count; i++)
        mean += (double)l->inputs[0][first + i * stride] / (double)count;
    for (size_t i = 0; i < count; i++)
        variance += pow((double)l->inputs[0][first + i * stride] - mean, 2) / (double)count;
    for (size_t i = 0; i < count; i++) {
        const double expected = ((double)l->inputs[0][first + i * stride] - mean) / sqrt(variance);
        const double found = (double)l->output[first + i * stride];
        cr_assert_lt(fabs(found - expected), 1e-4, "value %zu is %g, wanted %g", first + i * stride, found, expected);
    }
}

static const layer_wish following = { .batch = BATCH, .training = true, .follows = true };

static layer open_batch_norm(thaw_context *context, thaw_model **model, const thaw_batch_norm_options *options)
{
    thaw_node node = 0;
    *model = layer_model(context, 1, (const int64_t[]){ CHANNELS });
    assert_ok(context, thaw_batch_norm(*model, node, options, &node));
    layer l = layer_open(*model, &following);
    fill(&l);
    return l;
}

Test(normalisation_zeros, epsilon_of_batch_norm)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l = open_batch_norm(context, &model, &(thaw_batch_norm_options){ .use_epsilon = true });
    layer_forward(&l);
    for (size_t c = 0; c < CHANNELS; c++)
        assert_normalised(&l, c, BATCH, CHANNELS);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(normalisation_zeros, epsilon_of_layer_norm)
{
    thaw_context *context = support_context(1);
    thaw_node node = 0;
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ CHANNELS });
    assert_ok(context, thaw_layer_norm(model, node, &(thaw_layer_norm_options){ .use_epsilon = true }, &node));
    layer l = layer_open(model, &(layer_wish){ .batch = BATCH });
    fill(&l);
    layer_forward(&l);
    for (size_t n = 0; n < BATCH; n++)
        assert_normalised(&l, n * CHANNELS, CHANNELS, 1);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(normalisation_zeros, epsilon_of_group_norm)
{
    thaw_context *context = support_context(1);
    thaw_node node = 0;
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ CHANNELS });
    assert_ok(context,
              thaw_group_norm(model, node, &(thaw_group_norm_options){ .groups = 2, .use_epsilon = true }, &node));
    layer l = layer_open(model, &(layer_wish){ .batch = BATCH });
    fill(&l);
    layer_forward(&l);
    for (size_t n = 0; n < 2 * BATCH; n++)
        assert_normalised(&l, n * CHANNELS / 2, CHANNELS / 2, 1);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

/* PyTorch, too: a momentum of 0 keeps the running statistics. */
Test(normalisation_zeros, momentum_keeps_the_running_statistics)
{
    thaw_context *context = support_context(1);
    for (int asked = 0; asked < 2; asked++) {
        thaw_model *model;
        layer l = open_batch_norm(context, &model, &(thaw_batch_norm_options){ .use_momentum = asked });
        layer_forward(&l);
        for (size_t c = 0; c < CHANNELS; c++) {
            /* By default a tenth of the batch's, which are about 0. */
            cr_assert_float_eq(l.parameters[2][c], asked ? 0.25 : 0.225, asked ? 0 : 1e-4, "mean %g",
                               (double)l.parameters[2][c]);
            cr_assert_float_eq(l.parameters[3][c], asked ? 3 : 2.7, asked ? 0 : 1e-4, "variance %g",
                               (double)l.parameters[3][c]);
        }
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

/* The values themselves, asked for, mean what they mean without. */
Test(normalisation_zeros, other_values_are_as_they_were)
{
    static const thaw_batch_norm_options pairs[][2] = {
        { { .epsilon = 1e-5, .use_epsilon = true }, { 0 } },
        { { .momentum = 0.1, .use_momentum = true }, { 0 } },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(pairs); i++) {
        float output[VALUES], mean[CHANNELS];
        for (size_t k = 0; k < 2; k++) {
            thaw_model *model;
            layer l = open_batch_norm(context, &model, &pairs[i][k]);
            layer_forward(&l);
            cr_assert(k == 0 || memcmp(output, l.output, sizeof output) == 0, "pair %zu: output", i);
            cr_assert(k == 0 || memcmp(mean, l.parameters[2], sizeof mean) == 0, "pair %zu: mean", i);
            memcpy(output, l.output, sizeof output);
            memcpy(mean, l.parameters[2], sizeof mean);
            layer_close(&l, model);
        }
    }
    thaw_context_destroy(context);
}
