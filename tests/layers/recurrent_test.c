/* What LSTM and GRU share: one direction of one layer, against its formulas. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/layer_slope.h"
#include "support/recurrent.h"

static const recurrent_case sizes[] = {
    { .batch = 1, .steps = 1, .features = 1, .units = 1 },   { .batch = 1, .steps = 5, .features = 3, .units = 7 },
    { .batch = 3, .steps = 1, .features = 4, .units = 33 },  { .batch = 2, .steps = 3, .features = 1, .units = 32 },
    { .batch = 27, .steps = 4, .features = 5, .units = 16 }, { .batch = 50, .steps = 2, .features = 17, .units = 70 },
};

/* Weights of the size that layers have, so that sums over many units stay moderate. */
static void moderate(layer *l, const recurrent_case *c)
{
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < l->parameter_size[k]; i++)
            l->parameters[k][i] *= c->units > 16 ? 0.25F : 1;
}

static void check(const recurrent_case *c, const layer_wish *wish, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model = recurrent_model(context, c);
    layer_wish asked = *wish;
    asked.batch = (int64_t)c->batch;
    layer l = layer_open(model, &asked);
    moderate(&l, c);
    layer_forward(&l);
    if (wish->training)
        layer_backward(&l);
    /* In bfloat16 what lies between two numbers may be rounded to either, by the layer and by the formulas. */
    recurrent_check(&l, c, wish->bfloat16 ? 2 * BFLOAT16_TOLERANCE : 5e-6);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

static const layer_wish everything = { .training = true,
                                       .input_gradients = true,
                                       .parameter_gradient = { true, true, true, true } };

/* All kinds of a size: bits of `how`. */
static recurrent_case kind_of(const recurrent_case *size, unsigned how)
{
    recurrent_case c = *size;
    c.gru = how & 1;
    c.reverse = how & 2;
    c.last_only = how & 4;
    c.initial = how & 8;
    c.no_bias = how & 16;
    return c;
}

Test(recurrent, trains_by_its_formulas)
{
    for (size_t i = 0; i < THAW_COUNT(sizes); i++)
        for (unsigned how = 0; how < 32; how++) {
            const recurrent_case c = kind_of(&sizes[i], how);
            check(&c, &everything, (int)(how % 3) + 1);
        }
}

Test(recurrent, infers_by_its_formulas)
{
    for (size_t i = 0; i < THAW_COUNT(sizes); i++)
        for (unsigned how = 0; how < 32; how++) {
            const recurrent_case c = kind_of(&sizes[i], how);
            check(&c, &(layer_wish){ 0 }, (int)(how % 3) + 1);
        }
}

Test(recurrent, infers_in_bfloat16_by_its_formulas)
{
    static const recurrent_case more[] = {
        { .batch = 8, .steps = 19, .features = 9, .units = 31 },
        { .batch = 9, .steps = 3, .features = 2, .units = 65 },
        { .batch = 1, .steps = 70, .features = 3, .units = 4 }, /* more steps than are taken ahead */
    };
    for (size_t i = 0; i < THAW_COUNT(sizes) + THAW_COUNT(more); i++)
        for (unsigned how = 0; how < 32; how++) {
            const recurrent_case *size = i < THAW_COUNT(sizes) ? &sizes[i] : &more[i - THAW_COUNT(sizes)];
            const recurrent_case c = kind_of(size, how);
            check(&c, &(layer_wish){ .bfloat16 = true }, how % 3 == 2 ? 7 : (int)(how % 3) + 1);
        }
}

/* More members than blocks of units: samples are shared out, too. */
Test(recurrent, runs_on_many_threads)
{
    for (unsigned how = 0; how < 16; how++) {
        const recurrent_case c = kind_of(&(recurrent_case){ .batch = 61, .steps = 3, .features = 9, .units = 40 }, how);
        check(&c, &everything, 7);
        check(&c, &(layer_wish){ 0 }, 7);
    }
}

Test(recurrent, computes_the_gradients_that_are_demanded)
{
    for (unsigned subset = 1; subset < 128; subset++)
        for (unsigned how = 0; how < 2; how++) {
            const recurrent_case c = kind_of(&sizes[1], how | 8 | (subset & 2));
            check(&c,
                  &(layer_wish){ .training = true,
                                 .input_gradients = subset >= 16,
                                 .frozen_inputs = ~(subset >> 4),
                                 .parameter_gradient = { subset & 1, subset & 2, subset & 4, subset & 8 } },
                  2);
        }
}

Test(recurrent, keeps_its_input_only_for_the_weight)
{
    thaw_context *context = support_context(1);
    for (int trains = 0; trains < 2; trains++) {
        thaw_model *model = recurrent_model(context, &sizes[1]);
        layer l =
            layer_open(model, &(layer_wish){ .training = true, .parameter_gradient = { trains, true, true, true } });
        cr_assert_eq(l.needs.keeps_inputs, trains);
        cr_assert(!l.needs.keeps_output && !l.needs.mixes_samples);
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

/* Where the state is not kept, as when nothing trains, the same is computed. */
Test(recurrent, is_the_same_for_any_thread_count_and_without_training)
{
    for (unsigned how = 0; how < 16; how++) {
        const recurrent_case c =
            kind_of(&(recurrent_case){ .batch = 26, .steps = 6, .features = 16, .units = 96 }, how);
        float *first = NULL;
        size_t bytes = 0;
        for (int run = 0; run < 4; run++) {
            thaw_context *context = support_context(run == 0 ? 1 : run);
            thaw_model *model = recurrent_model(context, &c);
            layer_wish wish = run == 0 ? (layer_wish){ 0 } : everything;
            wish.batch = (int64_t)c.batch;
            layer l = layer_open(model, &wish);
            moderate(&l, &c);
            layer_forward(&l);
            bytes = l.output_size * sizeof(float);
            if (!first)
                first = memcpy(malloc(bytes), l.output, bytes);
            assert_close(l.output, first, l.output_size, 2e-6, "output");
            layer_close(&l, model);
            thaw_context_destroy(context);
        }
        free(first);
    }
}

static void check_bits(const recurrent_case *c, bool bfloat16)
{
    float *first = NULL;
    for (int threads = 1; threads < 5; threads++) {
        thaw_context *context = support_context(threads);
        thaw_model *model = recurrent_model(context, c);
        layer l = layer_open(model, &(layer_wish){ .batch = (int64_t)c->batch, .bfloat16 = bfloat16 });
        const size_t bytes = l.output_size * sizeof(float);
        layer_forward(&l);
        if (!first)
            first = memcpy(malloc(bytes), l.output, bytes);
        cr_assert_eq(memcmp(first, l.output, bytes), 0, "%d threads", threads);
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
    free(first);
}

Test(recurrent, infers_the_same_bits_for_any_thread_count)
{
    for (unsigned how = 0; how < 16; how++) {
        const recurrent_case c =
            kind_of(&(recurrent_case){ .batch = 26, .steps = 6, .features = 15, .units = 70 }, how);
        check_bits(&c, false);
        check_bits(&c, true);
    }
}

static void check_slopes(layer *l, float *values, const float *gradients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float slope = layer_slope(l, &values[i], 0x1p-7F);
        assert_close(&gradients[i], &slope, 1, 2e-3, "slope");
    }
}

Test(recurrent, gradients_match_finite_differences)
{
    thaw_context *context = support_context(2);
    for (unsigned how = 0; how < 16; how++) {
        const recurrent_case c = kind_of(&(recurrent_case){ .batch = 2, .steps = 4, .features = 3, .units = 5 }, how);
        thaw_model *model = recurrent_model(context, &c);
        layer_wish wish = everything;
        wish.batch = 2;
        layer l = layer_open(model, &wish);
        layer_forward(&l);
        layer_backward(&l);
        for (size_t k = 0; k < l.input_count; k++)
            check_slopes(&l, l.inputs[k], l.input_gradients[k], l.input_size[k]);
        for (size_t k = 0; k < l.parameter_count; k++)
            check_slopes(&l, l.parameters[k], l.parameter_gradients[k], l.parameter_size[k]);
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

static void check_nan(int gru, bool bfloat16)
{
    thaw_context *context = support_context(1);
    const recurrent_case c = { .batch = 2, .steps = 3, .features = 3, .units = 5, .gru = gru };
    thaw_model *model = recurrent_model(context, &c);
    layer l = layer_open(model, &(layer_wish){ .batch = 2, .bfloat16 = bfloat16 });
    l.inputs[0][c.features] = (float)NAN; /* of the first sample's second step */
    layer_forward(&l);
    for (size_t i = 0; i < l.output_size; i++)
        cr_assert_eq(isnan(l.output[i]) != 0, i >= c.units && i < c.steps * c.units, "%zu", i);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(recurrent, passes_nan_on)
{
    for (int gru = 0; gru < 2; gru++)
        check_nan(gru, false);
}

Test(recurrent, passes_nan_on_in_bfloat16)
{
    for (int gru = 0; gru < 2; gru++)
        check_nan(gru, true);
}
