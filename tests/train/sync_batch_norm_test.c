/* Batch normalisation by the statistics of all ranks: what one process with the whole batch computes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/combine.h>

#include "support/gradients.h"
#include "support/network.h"
#include "support/ranks.h"

enum { BATCH = 12, CLASSES = NETWORK_CLASSES, STEPS = 4, IGNORED = -1, CHANNELS = 3 };

/* What steps on one or more ranks are taken with, and what each rank ends with. */
typedef struct steps {
    const char *frozen; /* NULL: all train */
    bool tracked;       /* PyTorch's rule: frozen layers follow their batches */
    thaw_softmax_cross_entropy_options loss;
    size_t ignored;                           /* the first labels, which do not count */
    bool bfloat16, recomputes, apart, shares; /* shares: the second convolution has the weights of the third */
    int64_t shards;                           /* on each rank; 0: 1 */
    float *gradients[MOST_RANKS], *weights[MOST_RANKS];
    size_t gradient_counts[MOST_RANKS], weight_counts[MOST_RANKS];
    double losses[MOST_RANKS];
    float means[MOST_RANKS][2 * CHANNELS], variances[MOST_RANKS][2 * CHANNELS];
} steps;

static thaw_model *build(thaw_context *context, const steps *wanted)
{
    const thaw_batch_norm_options options = { .track_when_frozen = wanted->tracked, .momentum = 0.3 };
    const thaw_conv2d_options convolution = { .filters = CHANNELS, .kernel = { 3, 3 }, .no_bias = true };
    thaw_model *model;
    const thaw_conv2d_options padded = {
        .filters = CHANNELS, .kernel = { 3, 3 }, .padding = { 1, 1 }, .no_bias = true
    };
    thaw_node x, shortcut;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x));
    assert_ok(context, thaw_conv2d(model, x, &convolution, &x));
    assert_ok(context, thaw_batch_norm(model, x, &options, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &shortcut));
    assert_ok(context, thaw_conv2d(model, shortcut, &padded, &x));
    assert_ok(context, thaw_batch_norm(model, x, &options, &x));
    assert_ok(context, thaw_add(model, x, shortcut, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    if (wanted->shares) {
        assert_ok(context, thaw_conv2d(model, x, &padded, &x));
        thaw_expression *weight;
        assert_ok(context, thaw_expression_of(model, thaw_model_find_parameter(model, "conv2d2.weight"), &weight));
        assert_ok(context, thaw_parameter_bind(model, thaw_model_find_parameter(model, "conv2d3.weight"), weight));
    }
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, &wanted->loss, &x));
    support_optimize(model, "sgd:lr=0.05,momentum=0.9");
    if (wanted->frozen)
        assert_ok(context, thaw_model_freeze(model, wanted->frozen));
    if (wanted->bfloat16)
        assert_ok(context, thaw_model_set_precision(model, &(thaw_precision){ THAW_BF16, THAW_BF16, true }));
    thaw_model_set_recompute(model, wanted->recomputes);
    return model;
}

/* Each rank gives its part of the batch. */
static thaw_status step(thaw_model *model, const steps *taken, uint32_t seed, bool gradients_only,
                        const thaw_communicator *communicator, thaw_step_result *result)
{
    const int own = communicator ? communicator->rank : 0, ranks = communicator ? communicator->ranks : 1;
    const int64_t count = BATCH / ranks;
    float values[BATCH * NETWORK_SAMPLE];
    int32_t labels[BATCH];
    support_fill(values, THAW_COUNT(values), seed);
    for (size_t i = 0; i < BATCH; i++)
        labels[i] = i < taken->ignored ? IGNORED : (int32_t)((i * 7 + i / 3 + seed) % CLASSES);
    const thaw_tensor inputs = thaw_view_f32(values + own * count * NETWORK_SAMPLE, 4, (int64_t[]){ count, 9, 7, 2 });
    const thaw_tensor targets = thaw_view_i32(labels + own * count, 1, &count);
    const thaw_step_options options = { .gradients_only = gradients_only,
                                        .shards = taken->shards * ranks,
                                        .communicator = communicator };
    return thaw_step(model, &inputs, &targets, &options, result);
}

static void copy_statistics(thaw_model *model, float *means, float *variances)
{
    for (size_t i = 0, m = 0, v = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const char *name = thaw_parameter_name(parameter);
        if (strstr(name, "running_mean"))
            memcpy(means + CHANNELS * m++, thaw_parameter_data(parameter), CHANNELS * sizeof *means);
        if (strstr(name, "running_var"))
            memcpy(variances + CHANNELS * v++, thaw_parameter_data(parameter), CHANNELS * sizeof *variances);
    }
}

static void take_steps(void *argument, const thaw_communicator *communicator)
{
    steps *taken = argument;
    const int own = communicator ? communicator->rank : 0;
    thaw_context *context = support_context(1);
    thaw_model *model = build(context, taken);
    thaw_model_set_sync_batch_norm(model, !taken->apart);
    thaw_step_result result;
    assert_ok(context, step(model, taken, 1, true, communicator, &result));
    taken->losses[own] = result.loss;
    taken->gradients[own] = support_gradients(model, &taken->gradient_counts[own]);
    assert_ok(context, step(model, taken, 1, false, communicator, &result));
    copy_statistics(model, taken->means[own], taken->variances[own]);
    for (uint32_t seed = 2; seed <= STEPS; seed++)
        assert_ok(context, step(model, taken, seed, false, communicator, &result));
    taken->weights[own] = support_weights(model, &taken->weight_counts[own]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void release(const steps *taken)
{
    for (int i = 0; i < MOST_RANKS; i++) {
        free(taken->gradients[i]);
        free(taken->weights[i]);
    }
}

/* How far `spread` is apart from one process with the whole batch, in gradients and in weights; loss and running
   statistics are close. */
static void compare(const steps *alone, const steps *spread, int ranks, double tolerance, const char *what)
{
    for (int i = 0; i < ranks; i++) {
        const double gradients = support_distance(alone->gradients[0], spread->gradients[i], alone->gradient_counts[0]);
        const double weights = support_distance(alone->weights[0], spread->weights[i], alone->weight_counts[0]);
        cr_assert_leq(gradients, tolerance, "%s, rank %d of %d: gradients are %.3g apart", what, i, ranks, gradients);
        cr_assert_leq(weights, tolerance, "%s, rank %d of %d: weights are %.3g apart", what, i, ranks, weights);
        cr_assert_float_eq(spread->losses[i], alone->losses[0], tolerance * alone->losses[0], "%s: loss %.9g, not %.9g",
                           what, spread->losses[i], alone->losses[0]);
        assert_close(spread->means[i], alone->means[0], 2 * CHANNELS, tolerance, what);
        assert_close(spread->variances[i], alone->variances[0], 2 * CHANNELS, tolerance, what);
        cr_assert_eq(memcmp(spread->weights[i], spread->weights[0], alone->weight_counts[0] * sizeof(float)), 0,
                     "%s: rank %d has other weights than rank 0", what, i);
    }
}

/* Each rank has so many shards, of 12 samples together at the most. */
static void check_equals_whole_batch(const steps *wanted, double tolerance, const char *what)
{
    static const struct {
        int ranks;
        int64_t shards;
    } cuts[] = { { 2, 1 }, { 3, 1 }, { 4, 1 }, { 1, 2 }, { 1, 3 }, { 1, 4 }, { 2, 2 }, { 2, 3 }, { 4, 2 }, { 4, 3 } };
    steps alone = *wanted;
    take_steps(&alone, NULL);
    for (size_t k = 0; k < THAW_COUNT(cuts); k++) {
        steps spread = *wanted;
        spread.shards = cuts[k].shards;
        if (BATCH / cuts[k].ranks % cuts[k].shards)
            continue;
        run_ranks(cuts[k].ranks, take_steps, &spread);
        compare(&alone, &spread, cuts[k].ranks, tolerance, what);
        release(&spread);
    }
    release(&alone);
}

/* With the same shards, any number of ranks has the same bits. */
static void check_same_bits(const steps *wanted, int64_t shards, const char *what)
{
    static const int numbers[] = { 2, 3, 4, 6, 12 };
    steps alone = *wanted;
    alone.shards = shards;
    run_ranks(1, take_steps, &alone);
    for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
        steps spread = *wanted;
        spread.shards = shards / numbers[k];
        if (shards % numbers[k] || (BATCH / numbers[k]) % spread.shards)
            continue;
        run_ranks(numbers[k], take_steps, &spread);
        for (int i = 0; i < numbers[k]; i++) {
            cr_assert_eq(memcmp(spread.gradients[i], alone.gradients[0], alone.gradient_counts[0] * sizeof(float)), 0,
                         "%s, %lld shards, rank %d of %d: other gradients", what, (long long)shards, i, numbers[k]);
            cr_assert_eq(memcmp(spread.weights[i], alone.weights[0], alone.weight_counts[0] * sizeof(float)), 0,
                         "%s, %lld shards, rank %d of %d: other weights", what, (long long)shards, i, numbers[k]);
        }
        release(&spread);
    }
    release(&alone);
}

static const float class_weights[CLASSES] = { 1, 0.25F, 3, 0.5F };

Test(sync_batch_norm, ranks_equal_one_process_with_the_whole_batch, .timeout = 120)
{
    check_equals_whole_batch(&(steps){ 0 }, 1e-6, "all train");
    check_equals_whole_batch(&(steps){ .recomputes = true }, 1e-6, "recomputing");
    check_equals_whole_batch(&(steps){ .loss.reduction = THAW_REDUCE_SUM }, 1e-6, "a sum");
    check_equals_whole_batch(&(steps){ .frozen = "batch_norm*" }, 1e-6, "frozen");
    check_equals_whole_batch(&(steps){ .frozen = "batch_norm*", .tracked = true }, 1e-6, "frozen but tracked");
    check_equals_whole_batch(&(steps){ .frozen = "batch_norm*|conv*", .tracked = true }, 1e-6, "only the head trains");
    check_equals_whole_batch(&(steps){ .frozen = "conv2d1|batch_norm1" }, 1e-6, "the first block is frozen");
}

/* Shards weigh differently in the loss: the gradients of one must not be mixed with another's before they are weighted.
   With 4 ranks, no sample of the first one counts. */
Test(sync_batch_norm, shards_weigh_as_in_the_whole_batch, .timeout = 60)
{
    check_equals_whole_batch(&(steps){ .loss.class_weights = class_weights }, 1e-6, "class weights");
    check_equals_whole_batch(&(steps){ .loss = { .use_ignore_label = true, .ignore_label = IGNORED }, .ignored = 4 },
                             1e-6, "ignored labels");
}

Test(sync_batch_norm, bits_are_the_same_on_any_number_of_ranks, .timeout = 120)
{
    static const int64_t shards[] = { 2, 3, 4, 6, 12 };
    for (size_t k = 0; k < THAW_COUNT(shards); k++) {
        check_same_bits(&(steps){ 0 }, shards[k], "all train");
        check_same_bits(&(steps){ .loss.class_weights = class_weights }, shards[k], "class weights");
        check_same_bits(&(steps){ .frozen = "conv2d1|batch_norm1", .recomputes = true }, shards[k], "recomputing");
    }
}

/* A tensor's gradient comes from layers on both sides of one at which shards wait for each other. */
Test(sync_batch_norm, shards_keep_gradients_of_their_own, .timeout = 60)
{
    check_equals_whole_batch(&(steps){ .shares = true }, 1e-6, "shared weights");
    check_same_bits(&(steps){ .shares = true }, 4, "shared weights");
}

Test(sync_batch_norm, bfloat16_equals_one_process_up_to_rounding, .timeout = 60)
{
    skip_without_bfloat16();
    check_equals_whole_batch(&(steps){ .bfloat16 = true }, 2e-2, "bf16");
}

/* Otherwise the tests above would tell nothing. */
Test(sync_batch_norm, ranks_differ_from_one_process_without_it, .timeout = 60)
{
    steps alone = { .apart = true }, spread = { .apart = true };
    take_steps(&alone, NULL);
    run_ranks(2, take_steps, &spread);
    const double apart = support_distance(alone.gradients[0], spread.gradients[0], alone.gradient_counts[0]);
    cr_assert_gt(apart, 1e-2, "%.3g apart", apart);
    release(&spread);
    release(&alone);
}

Test(sync_batch_norm, changes_nothing_in_one_process)
{
    steps with = { 0 }, without = { .apart = true };
    take_steps(&with, NULL);
    take_steps(&without, NULL);
    cr_assert_arr_eq(with.weights[0], without.weights[0], with.weight_counts[0] * sizeof(float));
    release(&with);
    release(&without);
}
