/* Steps of a host's own loop on several ranks. */
#include <stdlib.h>
#include <string.h>

#include "support/network.h"
#include "support/ranks.h"

enum { EACH = 6 };

typedef struct steps {
    const char *optimizer;
    double clip_norm;
    float *weights[MOST_RANKS];
    size_t counts[MOST_RANKS];
    double losses[MOST_RANKS];
} steps;

/* Each rank gives its part of the batch, by rank. */
static void take_steps(void *argument, const thaw_communicator *communicator)
{
    steps *taken = argument;
    const int own = communicator ? communicator->rank : 0, ranks = communicator ? communicator->ranks : 1;
    const int64_t count = 2 * EACH / ranks;
    float values[2 * EACH * NETWORK_SAMPLE];
    int32_t labels[2 * EACH];
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, true);
    support_optimize(model, taken->optimizer);
    if (communicator)
        assert_ok(context, thaw_ranks_agree(model, NULL, communicator));
    for (uint32_t step = 1; step <= 3; step++) {
        thaw_step_result result;
        support_fill(values, THAW_COUNT(values), step);
        for (int i = 0; i < 2 * EACH; i++)
            labels[i] = i % NETWORK_CLASSES;
        const thaw_tensor inputs =
            thaw_view_f32(values + own * count * NETWORK_SAMPLE, 4, (int64_t[]){ count, 9, 7, 2 });
        const thaw_tensor targets = thaw_view_i32(labels + own * count, 1, &count);
        const thaw_step_options options = { .shards = 4, .clip_norm = taken->clip_norm, .communicator = communicator };
        assert_ok(context, thaw_step(model, &inputs, &targets, &options, &result));
        taken->losses[own] = result.loss;
        cr_assert_eq(result.counted, 2 * EACH);
    }
    taken->weights[own] = support_weights(model, &taken->counts[own]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void assert_same_bits(const char *optimizer, double clip_norm)
{
    steps alone = { .optimizer = optimizer, .clip_norm = clip_norm }, spread = alone;
    take_steps(&alone, NULL);
    run_ranks(2, take_steps, &spread);
    for (int i = 0; i < 2; i++) {
        cr_assert_arr_eq(spread.weights[i], alone.weights[0], alone.counts[0] * sizeof(float), "%s", optimizer);
        cr_assert_eq(spread.losses[i], alone.losses[0]);
        free(spread.weights[i]);
    }
    free(alone.weights[0]);
}

Test(rank_steps, steps_of_the_host_have_the_same_bits)
{
    assert_same_bits("adam:lr=0.01", 0);
}

Test(rank_steps, steps_that_depend_on_norms_have_the_same_bits)
{
    assert_same_bits("lamb:lr=0.01", 0);
    assert_same_bits("lamb:lr=0.01", 0.1);
    assert_same_bits("lars:lr=0.1,weight_decay=0.01", 0);
}

/* Sums of the first pass come from all ranks before the second begins. */
Test(rank_steps, second_passes_have_the_same_bits)
{
    assert_same_bits("sam:rho=0.5/adam:lr=0.01", 0);
    assert_same_bits("sam:rho=0.5,adaptive=1/lamb:lr=0.01", 0.1);
}

Test(rank_steps, wrapped_and_estimated_steps_have_the_same_bits)
{
    assert_same_bits("cautious/lookahead:k=2/adam:lr=0.01", 0);
    assert_same_bits("prodigy:d0=1e-3", 0);
}
