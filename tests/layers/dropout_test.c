#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/layer.h"

enum { BATCH = 5, FEATURES = 20011 };

static layer open_dropout(thaw_context *context, thaw_model **model, double rate, const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 1, (const int64_t[]){ FEATURES });
    assert_ok(context, thaw_dropout(*model, node, &(thaw_dropout_options){ .rate = rate }, &node));
    return layer_open(*model, wish);
}

static const layer_wish training = { .batch = BATCH, .training = true, .input_gradients = true };

Test(dropout, zeroes_its_rate_and_scales_the_rest)
{
    const double rates[] = { 0.1, 0.25, 0.5, 0.9 };
    thaw_context *context = support_context(2);
    for (size_t r = 0; r < THAW_COUNT(rates); r++) {
        thaw_model *model;
        layer l = open_dropout(context, &model, rates[r], &training);
        layer_forward(&l);
        layer_backward(&l);
        const float scale = (float)(1 / (1 - rates[r]));
        size_t zeroed = 0;
        for (size_t i = 0; i < l.output_size; i++) {
            const bool kept = l.output[i] != 0;
            zeroed += !kept;
            cr_assert(l.output[i] == (kept ? l.inputs[0][i] * scale : 0));
            cr_assert(l.input_gradients[0][i] == (kept ? l.output_gradient[i] * scale : 0));
        }
        /* Five standard deviations of a binomial count. */
        const double count = (double)l.output_size;
        const double limit = 5 * sqrt(count * rates[r] * (1 - rates[r]));
        cr_assert(fabs((double)zeroed - count * rates[r]) < limit, "rate %g: %zu of %zu", rates[r], zeroed,
                  l.output_size);
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

static void run_with(int threads, uint64_t step, float *output)
{
    thaw_context *context = support_context(threads);
    thaw_model *model;
    layer l = open_dropout(context, &model, 0.5, &training);
    l.run.random.step = step;
    layer_forward(&l);
    memcpy(output, l.output, l.output_size * sizeof(float));
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(dropout, is_the_same_for_any_thread_count_and_new_each_step)
{
    const size_t bytes = (size_t)BATCH * FEATURES * sizeof(float);
    float *one = malloc(bytes), *other = malloc(bytes);
    run_with(1, 3, one);
    for (int threads = 2; threads < 6; threads++) {
        run_with(threads, 3, other);
        cr_assert_eq(memcmp(one, other, bytes), 0, "%d threads", threads);
    }
    run_with(1, 4, other);
    cr_assert_neq(memcmp(one, other, bytes), 0);
    free(one);
    free(other);
}

Test(dropout, runs_in_place)
{
    thaw_context *context = support_context(2);
    thaw_model *model, *other;
    layer separate = open_dropout(context, &model, 0.3, &training);
    layer_wish wish = training;
    wish.in_place = true;
    layer l = open_dropout(context, &other, 0.3, &wish);
    cr_assert(l.needs.in_place && l.needs.gradient_in_place);
    layer_forward(&separate);
    layer_backward(&separate);
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.inputs[0], separate.output, separate.output_size, 0, "output");
    assert_close(l.output_gradient, separate.input_gradients[0], separate.output_size, 0, "gradient");
    layer_close(&separate, model);
    layer_close(&l, other);
    thaw_context_destroy(context);
}

Test(dropout, is_the_identity_in_inference_and_at_rate_zero)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    layer l = open_dropout(context, &model, 0.5, &(layer_wish){ .batch = 1 });
    cr_assert(l.needs.identity);
    layer_close(&l, model);
    l = open_dropout(context, &model, 0, &training);
    cr_assert(l.needs.identity);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(dropout, refuses_rates_outside_of_its_range)
{
    const double rates[] = { 1, -0.1, NAN, 2 };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 3 });
    thaw_node node;
    for (size_t i = 0; i < THAW_COUNT(rates); i++)
        assert_fails(context, thaw_dropout(model, 0, &(thaw_dropout_options){ .rate = rates[i] }, &node),
                     THAW_INVALID_ARGUMENT, "rate is");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
