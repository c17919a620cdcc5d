/* What ranks add up where backward wrote it, with one shard each: the bits of one process, also with weighted losses, and
   nothing of a step that failed or was skipped. */
#include <stdlib.h>
#include <string.h>

#include "support/network.h"
#include "support/ranks.h"

enum { RANKS = 3, EACH = 4, BATCH = RANKS * EACH, WORDS = 4, ROWS = 40, WIDTH = 8, CLASSES = 3 };

/* Steps with shards of EACH samples, and what the ranks end with. */
typedef struct steps {
    int failing;      /* the step in which the last rank has an id that the table has not; 0: none */
    int infinite;     /* the step whose gradients exceed a float's range; 0: none */
    bool without_bad; /* leaves that step out */
    float *weights[MOST_RANKS];
    size_t counts[MOST_RANKS];
} steps;

/* Class 0 weighs more than the others, so each shard has another weight. */
static thaw_model *build(thaw_context *context)
{
    static const float weights[CLASSES] = { 2.5F, 1, 0.7F };
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 2, .dims = { 2, 2 } }, &x));
    assert_ok(context, thaw_embedding(model, x, &(thaw_embedding_options){ .rows = ROWS, .width = WIDTH }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    assert_ok(context,
              thaw_softmax_cross_entropy(model, x, &(thaw_softmax_cross_entropy_options){ .class_weights = weights },
                                         &x));
    support_optimize(model, "sgd:lr=0.1");
    return model;
}

/* Each sample has ids of its own, so that the ranks write other rows. */
static void make_batch(uint32_t step, float *ids, int32_t *labels)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        labels[i] = (int32_t)(i * i + step) % CLASSES;
        for (uint32_t k = 0; k < WORDS; k++)
            ids[i * WORDS + k] = (float)((3 * i + 7 * k + 11 * step) % ROWS);
    }
}

/* Makes the gradient of some of the last layer's weights infinite, and nothing else: samples of one class have huge
   values, with weights of 0. */
static void spoil(thaw_model *model, int32_t *labels)
{
    float *table = thaw_parameter_edit(thaw_model_find_parameter(model, "embedding1.weight"));
    float *weight = thaw_parameter_edit(thaw_model_find_parameter(model, "dense1.weight"));
    for (size_t i = 0; i < ROWS; i++)
        table[i * WIDTH + WIDTH - 1] = 3e38F;
    for (size_t i = 0; i < CLASSES * WORDS; i++) /* which are in the order of channels, as in PyTorch */
        weight[i / WORDS * WORDS * WIDTH + (WIDTH - 1) * WORDS + i % WORDS] = 0;
    for (size_t i = 0; i < BATCH; i++)
        labels[i] = 0;
}

static void copy_values(thaw_model *model, const char *name, float *values, bool back)
{
    thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    const size_t bytes = thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float);
    float *own = thaw_parameter_edit(parameter);
    memcpy(back ? own : values, back ? values : own, bytes);
}

static void copy_all(thaw_model *model, float *values, bool back)
{
    copy_values(model, "embedding1.weight", values, back);
    copy_values(model, "dense1.weight", values + ROWS * WIDTH, back);
}

static void take_steps(void *argument, const thaw_communicator *communicator)
{
    steps *taken = argument;
    const int own = communicator ? communicator->rank : 0, ranks = communicator ? communicator->ranks : 1;
    const int64_t count = BATCH / ranks;
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    for (int step = 1; step <= 4; step++) {
        const bool fails = step == taken->failing, overflows = step == taken->infinite;
        float ids[BATCH * WORDS];
        int32_t labels[BATCH];
        if ((fails || overflows) && taken->without_bad)
            continue;
        make_batch((uint32_t)step, ids, labels);
        if (fails)
            ids[BATCH * WORDS - 1] = ROWS;
        float kept[ROWS * WIDTH + CLASSES * WORDS * WIDTH];
        copy_all(model, kept, false);
        if (overflows)
            spoil(model, labels);
        const thaw_tensor inputs = thaw_view_f32(ids + own * count * WORDS, 3, (int64_t[]){ count, 2, 2 });
        const thaw_tensor targets = thaw_view_i32(labels + own * count, 1, &count);
        thaw_step_result result;
        const thaw_status status =
            thaw_step(model, &inputs, &targets, &(thaw_step_options){ .shards = RANKS, .communicator = communicator },
                      &result);
        cr_assert_eq(status == THAW_OK, !fails, "rank %d, step %d: %s", own, step, thaw_context_message(context));
        cr_assert_eq(status == THAW_OK && result.skipped, overflows, "rank %d, step %d", own, step);
        if (overflows)
            copy_all(model, kept, true);
    }
    taken->weights[own] = support_weights(model, &taken->counts[own]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void check_same(const steps *spread, const steps *alone)
{
    for (int i = 0; i < RANKS; i++) {
        cr_assert_eq(memcmp(spread->weights[i], alone->weights[0], alone->counts[0] * sizeof(float)), 0,
                     "rank %d has other weights", i);
        free(spread->weights[i]);
    }
    free(alone->weights[0]);
}

Test(rank_sums, shards_of_other_weights_have_the_bits_of_one_process, .timeout = 60)
{
    steps alone = { 0 }, spread = { 0 };
    take_steps(&alone, NULL);
    run_ranks(RANKS, take_steps, &spread);
    check_same(&spread, &alone);
}

/* Only the rank that adds up the infinite sums sees them. */
Test(rank_sums, all_ranks_skip_the_same_steps, .timeout = 60)
{
    steps alone = { .infinite = 3, .without_bad = true }, spread = { .infinite = 3 };
    take_steps(&alone, NULL);
    run_ranks(RANKS, take_steps, &spread);
    check_same(&spread, &alone);
}

/* The first ranks have got sums by then: nothing of them may be left in rows that later steps do not write. */
Test(rank_sums, a_failed_step_leaves_no_gradients, .timeout = 60)
{
    steps alone = { .failing = 2, .without_bad = true }, spread = { .failing = 2 };
    take_steps(&alone, NULL);
    run_ranks(RANKS, take_steps, &spread);
    check_same(&spread, &alone);
}
