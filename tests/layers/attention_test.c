#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/attention.h"
#include "support/golden.h"
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

Test(attention, reads_and_writes_bfloat16)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        check(&cases[i], &(layer_wish){ .bfloat16 = true }, 0, 1);
        check(&cases[i], &(layer_wish){ .bfloat16 = true, .training = true, .input_gradients = true }, 0, 2);
    }
}

Test(attention, writes_the_wanted_gradients)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        for (unsigned frozen = 0; cases[i].apart && frozen < 7; frozen++)
            check(&cases[i], &(layer_wish){ .training = true, .input_gradients = true, .frozen_inputs = frozen }, 1,
                  frozen & 1 ? 3 : 1);
}

typedef struct golden {
    const char *name;
    attention_case of;
} golden;

static const golden goldens[] = {
    { "packed", { .batch = 2, .heads = 2, .queries = 5, .width = 4 } },
    { "packed causal", { .batch = 1, .heads = 3, .queries = 9, .width = 2, .causal = true } },
    { "packed lengths", { .batch = 3, .heads = 2, .queries = 6, .width = 3, .lengths = true } },
    { "apart", { .batch = 2, .heads = 2, .queries = 3, .keys = 7, .width = 5, .value_width = 2, .apart = true } },
    { "apart causal",
      { .batch = 1,
        .heads = 2,
        .queries = 6,
        .keys = 4,
        .width = 3,
        .value_width = 3,
        .apart = true,
        .causal = true,
        .scale = 0.7 } },
    { "bias",
      { .batch = 2,
        .heads = 2,
        .queries = 4,
        .keys = 6,
        .width = 3,
        .value_width = 1,
        .apart = true,
        .bias_heads = 2 } },
    { "shared bias",
      { .batch = 2,
        .heads = 2,
        .queries = 4,
        .keys = 3,
        .width = 3,
        .value_width = 2,
        .apart = true,
        .bias_heads = 1 } },
};

static void assert_golden(FILE *file, const char *name, const float *found, size_t count)
{
    float *expected = malloc(count * sizeof *expected);
    golden_read(file, name, expected, count);
    assert_close(found, expected, count, tolerance, name);
    free(expected);
}

Test(attention, equals_pytorch)
{
    FILE *file = golden_open("attention.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(goldens); i++) {
        thaw_model *model = attention_model(context, &goldens[i].of);
        layer l = attention_open(model, &goldens[i].of, &(layer_wish){ .training = true, .input_gradients = true }, 1);
        golden_case(file, goldens[i].name);
        layer_forward(&l);
        layer_backward(&l);
        assert_golden(file, "output", l.output, l.output_size);
        for (size_t k = 0; k < l.input_count; k++) {
            char name[16];
            snprintf(name, sizeof name, "input%zu", k);
            if (l.input_gradients[k])
                assert_golden(file, name, l.input_gradients[k], l.input_size[k]);
        }
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
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
