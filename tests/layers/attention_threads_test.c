/* Attention's bits do not depend on the number of threads, however heads are divided among them. */
#include <stdlib.h>
#include <string.h>

#include "support/attention.h"

static const attention_case cases[] = {
    { .batch = 1, .heads = 1, .queries = 300, .width = 16 },
    { .batch = 1, .heads = 1, .queries = 290, .width = 64, .causal = true, .dropout = 0.2 },
    { .batch = 3, .heads = 1, .queries = 130, .width = 32, .lengths = true },
    { .batch = 1, .heads = 5, .queries = 100, .width = 8, .bias_heads = 1 },
    { .batch = 2, .heads = 3, .queries = 70, .keys = 530, .width = 8, .value_width = 24, .apart = true },
};

enum { ARRAYS = 6 };

/* The output and the gradients, in the caller's memory. */
static size_t run(const attention_case *c, int threads, float *results[ARRAYS], size_t counts[ARRAYS])
{
    thaw_context *context = support_context(threads);
    thaw_model *model = attention_model(context, c);
    layer l = attention_open(model, c, &(layer_wish){ .training = true, .input_gradients = true }, 60);
    layer_forward(&l);
    layer_backward(&l);
    size_t count = 0;
    for (size_t i = 0; i <= l.input_count; i++) {
        const float *values = i ? l.input_gradients[i - 1] : l.output;
        if (!values)
            continue;
        counts[count] = i ? l.input_size[i - 1] : l.output_size;
        results[count] = malloc(counts[count] * sizeof(float));
        memcpy(results[count], values, counts[count] * sizeof(float));
        count++;
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
    return count;
}

Test(attention_threads, change_no_bit)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        float *expected[ARRAYS], *found[ARRAYS];
        size_t counts[ARRAYS];
        const size_t arrays = run(&cases[i], 1, expected, counts);
        cr_assert_geq(arrays, 2);
        for (int threads = 2; threads <= 4; threads++) {
            run(&cases[i], threads, found, counts);
            for (size_t k = 0; k < arrays; k++) {
                cr_assert(memcmp(found[k], expected[k], counts[k] * sizeof(float)) == 0,
                          "case %zu, %d threads: array %zu differs", i, threads, k);
                free(found[k]);
            }
        }
        for (size_t k = 0; k < arrays; k++)
            free(expected[k]);
    }
}
