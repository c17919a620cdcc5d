#include "support/attention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/layer_slope.h"

/* Widths, rows and blocks with and without a rest. */
static const attention_case cases[] = {
    { .batch = 1, .heads = 1, .queries = 1, .width = 1 },
    { .batch = 2, .heads = 3, .queries = 7, .width = 7 },
    { .batch = 2, .heads = 2, .queries = 5, .width = 64, .causal = true },
    { .batch = 3, .heads = 2, .queries = 33, .width = 8, .lengths = true },
    { .batch = 3, .heads = 2, .queries = 50, .width = 5, .lengths = true, .causal = true, .scale = 0.3 },
    { .batch = 1, .heads = 2, .queries = 197, .width = 64 },
    { .batch = 1, .heads = 1, .queries = 64, .width = 80, .causal = true },
    { .batch = 1, .heads = 1, .queries = 300, .width = 16, .causal = true },
    { .batch = 2, .heads = 1, .queries = 290, .width = 3, .lengths = true },
    { .batch = 2, .heads = 2, .queries = 40, .width = 9, .bias_heads = 1 },
    { .batch = 2, .heads = 3, .queries = 31, .width = 4, .bias_heads = 3, .causal = true },
    { .batch = 2, .heads = 2, .queries = 270, .width = 4, .bias_heads = 2, .lengths = true },
    { .batch = 2, .heads = 2, .queries = 11, .keys = 29, .width = 6, .value_width = 10, .apart = true },
    { .batch = 1, .heads = 1, .queries = 1, .keys = 520, .width = 12, .value_width = 1, .apart = true },
    { .batch = 3,
      .heads = 2,
      .queries = 30,
      .keys = 21,
      .width = 4,
      .value_width = 33,
      .apart = true,
      .lengths = true,
      .causal = true },
    { .batch = 3,
      .heads = 1,
      .queries = 9,
      .keys = 40,
      .width = 4,
      .value_width = 4,
      .apart = true,
      .lengths = true,
      .query_lengths = true,
      .bias_heads = 1,
      .scale = -0.5 },
};

static const double tolerance = 3e-6;

static void check(const attention_case *c, const layer_wish *wish, int64_t shortest, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model = attention_model(context, c);
    layer l = attention_open(model, c, wish, shortest);
    cr_assert(!l.needs.mixes_samples && !l.needs.packed_bytes);
    cr_assert(wish->input_gradients || !l.needs.workspace_bytes);
    layer_forward(&l);
    if (wish->input_gradients)
        layer_backward(&l);
    attention_check(&l, c, NULL, wish->bfloat16 ? 2 * BFLOAT16_TOLERANCE : tolerance);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(attention, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        check(&cases[i], &(layer_wish){ 0 }, 1, 1);
        check(&cases[i], &(layer_wish){ .training = true, .input_gradients = true }, 1, 1);
        check(&cases[i], &(layer_wish){ .training = true, .input_gradients = true }, 0, 2);
    }
}

Test(attention, writes_the_wanted_gradients)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        for (unsigned frozen = 0; cases[i].apart && frozen < 7; frozen++)
            check(&cases[i], &(layer_wish){ .training = true, .input_gradients = true, .frozen_inputs = frozen }, 1,
                  frozen & 1 ? 3 : 1);
}

Test(attention, counts_lengths_from_none_to_all)
{
    const attention_case c = { .batch = 27, .heads = 2, .queries = 26, .width = 4, .lengths = true };
    check(&c, &(layer_wish){ .training = true, .input_gradients = true }, 0, 2);
}

Test(attention, has_the_slopes_of_its_output)
{
    const attention_case c = { .batch = 2, .heads = 2, .queries = 5, .width = 3, .bias_heads = 1, .lengths = true };
    thaw_context *context = support_context(1);
    thaw_model *model = attention_model(context, &c);
    layer l = attention_open(model, &c, &(layer_wish){ .training = true, .input_gradients = true }, 2);
    layer_forward(&l);
    layer_backward(&l);
    for (size_t k = 0; k < 3; k += 2)
        for (size_t i = 0; i < l.input_size[k]; i++) {
            const float slope = layer_slope(&l, &l.inputs[k][i], 1e-2F);
            assert_close(&l.input_gradients[k][i], &slope, 1, 1e-3, k ? "bias" : "input");
        }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

/* A query whose biases are all -infinity counts no key. */
Test(attention, gives_zeros_to_a_query_without_keys)
{
    const attention_case c = { .batch = 1, .heads = 2, .queries = 6, .width = 4, .bias_heads = 1 };
    thaw_context *context = support_context(1);
    thaw_model *model = attention_model(context, &c);
    layer l = attention_open(model, &c, &(layer_wish){ .training = true, .input_gradients = true }, 0);
    for (size_t j = 0; j < 6; j++)
        l.inputs[1][2 * 6 + j] = l.inputs[1][4 * 6 + (j + 1) % 5] = -INFINITY;
    layer_forward(&l);
    layer_backward(&l);
    for (size_t k = 0; k < 8; k++)
        cr_assert_eq(l.output[2 * 8 + k], 0);
    attention_check(&l, &c, NULL, tolerance);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

/* Products as large as floats bear: nothing overflows on the way. */
Test(attention, bears_large_scores)
{
    const attention_case c = { .batch = 1, .heads = 1, .queries = 40, .width = 4, .scale = 3e4 };
    thaw_context *context = support_context(1);
    thaw_model *model = attention_model(context, &c);
    layer l = attention_open(model, &c, &(layer_wish){ .training = true }, 0);
    layer_forward(&l);
    for (size_t i = 0; i < l.output_size; i++)
        cr_assert(fabsf(l.output[i]) <= 1);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(attention, passes_on_what_is_not_a_number)
{
    const attention_case c = { .batch = 2, .heads = 1, .queries = 40, .width = 4 };
    thaw_context *context = support_context(1);
    thaw_model *model = attention_model(context, &c);
    layer l = attention_open(model, &c, &(layer_wish){ 0 }, 0);
    l.inputs[0][3 * 12] = NAN; /* of query 3 */
    layer_forward(&l);
    for (size_t i = 0; i < l.output_size; i++)
        cr_assert_eq(isnan(l.output[i]), i / 4 == 3, "element %zu is %g", i, (double)l.output[i]);
    layer_close(&l, model);
    thaw_context_destroy(context);
}
