/* Dropout of attention's weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/attention.h"

static const attention_case cases[] = {
    { .batch = 2, .heads = 3, .queries = 30, .width = 4, .dropout = 0.3 },
    { .batch = 3, .heads = 2, .queries = 261, .width = 3, .dropout = 0.1, .causal = true, .lengths = true },
    { .batch = 2,
      .heads = 2,
      .queries = 25,
      .keys = 271,
      .width = 2,
      .value_width = 5,
      .apart = true,
      .dropout = 0.9,
      .bias_heads = 1 },
};

/* Forward and backward drop what the counters say: by the sample's place in the step, head, query and key. */
Test(attention_dropout, drops_by_its_counters)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        for (uint64_t origin = 0; origin < 12; origin += 11) {
            const attention_case *c = &cases[i];
            thaw_context *context = support_context(origin ? 2 : 1);
            thaw_model *model = attention_model(context, c);
            layer l = attention_open(model, c, &(layer_wish){ .training = true, .input_gradients = true }, 1);
            float *scales = attention_scales(&l, c, origin);
            l.run.random.origin = origin * l.output_size / (uint64_t)c->batch;
            layer_forward(&l);
            layer_backward(&l);
            attention_check(&l, c, scales, 1e-5);
            free(scales);
            layer_close(&l, model);
            thaw_context_destroy(context);
        }
}

/* The share of weights that stay: with values of one, an output is the sum of its weights. */
Test(attention_dropout, keeps_its_share)
{
    const attention_case c = {
        .batch = 2, .heads = 4, .queries = 100, .keys = 200, .width = 4, .value_width = 1, .apart = true, .dropout = 0.2
    };
    thaw_context *context = support_context(2);
    thaw_model *model = attention_model(context, &c);
    layer l = attention_open(model, &c, &(layer_wish){ .training = true }, 1);
    memset(l.inputs[0], 0, l.input_size[0] * sizeof(float)); /* so that all weights are equal */
    for (size_t i = 0; i < l.input_size[2]; i++)
        l.inputs[2][i] = 1;
    layer_forward(&l);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < l.output_size; i++) {
        sum += (double)l.output[i] / (double)l.output_size;
        squares += pow((double)l.output[i] - 1, 2) / (double)l.output_size;
    }
    /* The variance of a mean of 200 numbers that are 1.25 or 0. Both within five standard errors. */
    const double variance = 0.25 / 200;
    cr_assert(fabs(sum - 1) < 5 * sqrt(variance / (double)l.output_size), "the mean is %g", sum);
    cr_assert(fabs(squares / variance - 1) < 5 * sqrt(2.0 / (double)l.output_size), "the variance is %g", squares);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(attention_dropout, rests_in_inference)
{
    attention_case c = cases[0];
    thaw_context *context = support_context(1);
    thaw_model *model = attention_model(context, &c);
    layer l = attention_open(model, &c, &(layer_wish){ 0 }, 1);
    layer_forward(&l);
    attention_check(&l, &c, NULL, 1e-5);
    layer_close(&l, model);
    thaw_context_destroy(context);
}
