#include <math.h>
#include <string.h>

#include "support/layer.h"

enum { BATCH = 2000, FEATURES = 7 };

static const layer_wish training = { .batch = BATCH, .training = true, .input_gradients = true };

static layer open_layer(thaw_context *context, thaw_model **model, double rate, const layer_wish *wish)
{
    thaw_node node;
    *model = layer_model(context, 1, (const int64_t[]){ FEATURES });
    assert_ok(context, thaw_stochastic_depth(*model, 0, &(thaw_stochastic_depth_options){ .rate = rate }, &node));
    return layer_open(*model, wish);
}

Test(stochastic_depth, drops_whole_samples_and_scales_the_rest)
{
    const double rates[] = { 0.1, 0.5, 0.9 };
    thaw_context *context = support_context(2);
    for (size_t r = 0; r < THAW_COUNT(rates); r++) {
        thaw_model *model;
        layer l = open_layer(context, &model, rates[r], &training);
        layer_forward(&l);
        layer_backward(&l);
        const float scale = (float)(1 / (1 - rates[r]));
        size_t dropped = 0;
        for (size_t i = 0; i < l.output_size; i++) {
            const bool kept = l.output[i / FEATURES * FEATURES] != 0;
            dropped += !kept && i % FEATURES == 0;
            cr_assert(l.output[i] == (kept ? l.inputs[0][i] * scale : 0));
            cr_assert(l.input_gradients[0][i] == (kept ? l.output_gradient[i] * scale : 0));
        }
        /* Five standard deviations of a binomial count. */
        const double limit = 5 * sqrt(BATCH * rates[r] * (1 - rates[r]));
        cr_assert(fabs((double)dropped - BATCH * rates[r]) < limit, "rate %g: %zu samples", rates[r], dropped);
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

static void run_with(int threads, uint64_t step, uint64_t origin, int64_t batch, float *output)
{
    thaw_context *context = support_context(threads);
    thaw_model *model;
    layer_wish wish = training;
    wish.batch = batch;
    layer l = open_layer(context, &model, 0.5, &wish);
    for (size_t i = 0; i < l.input_size[0]; i++)
        l.inputs[0][i] = 1;
    l.run.random.step = step;
    l.run.random.origin = origin;
    layer_forward(&l);
    memcpy(output, l.output, l.output_size * sizeof *output);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(stochastic_depth, depends_on_the_step_and_the_place_in_it_alone)
{
    static float one[BATCH * FEATURES], other[BATCH * FEATURES];
    run_with(1, 3, 0, BATCH, one);
    for (int threads = 2; threads < 5; threads++) {
        run_with(threads, 3, 0, BATCH, other);
        cr_assert_eq(memcmp(one, other, sizeof one), 0, "%d threads", threads);
    }
    run_with(2, 3, 100 * FEATURES, 50, other); /* a shard of it */
    cr_assert_eq(memcmp(one + 100 * FEATURES, other, 50 * FEATURES * sizeof *one), 0);
    run_with(1, 4, 0, BATCH, other);
    cr_assert_neq(memcmp(one, other, sizeof one), 0);
}

Test(stochastic_depth, runs_in_place)
{
    thaw_context *context = support_context(2);
    thaw_model *models[2];
    layer separate = open_layer(context, &models[0], 0.3, &training);
    layer_wish wish = training;
    wish.in_place = true;
    layer l = open_layer(context, &models[1], 0.3, &wish);
    layer_forward(&separate);
    layer_backward(&separate);
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.inputs[0], separate.output, separate.output_size, 0, "output");
    assert_close(l.output_gradient, separate.input_gradients[0], separate.output_size, 0, "gradient");
    layer_close(&separate, models[0]);
    layer_close(&l, models[1]);
    thaw_context_destroy(context);
}

Test(stochastic_depth, is_the_identity_in_inference_and_at_rate_zero)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l = open_layer(context, &model, 0.3, &(layer_wish){ .batch = 2 });
    cr_assert(l.needs.identity);
    layer_close(&l, model);
    l = open_layer(context, &model, 0, &training);
    cr_assert(l.needs.identity);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(stochastic_depth, refuses_rates_outside_its_range)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 3 });
    thaw_node node;
    const double wrong[] = { -0.1, 1, NAN };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        assert_fails(context,
                     thaw_stochastic_depth(model, 0, &(thaw_stochastic_depth_options){ .rate = wrong[i] }, &node),
                     THAW_INVALID_ARGUMENT, "rate is");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
