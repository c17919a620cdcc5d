/* Whole runs on several ranks with batch normalisation by the statistics of all: data that does not divide,
   checkpoints, and what is refused. */
#include <stdio.h>
#include <string.h>

#include "support/allocator.h"
#include "support/files.h"
#include "support/gradients.h"
#include "support/network.h"
#include "train/rank_run.h"

enum { CHANNELS = 3 };

static thaw_model *normalised(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x));
    assert_ok(context,
              thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv1", .filters = CHANNELS, .kernel = { 3, 3 } },
                          &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.3 }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense1", .units = 6 }, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = NETWORK_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

static thaw_model *synced(thaw_context *context)
{
    thaw_model *model = normalised(context);
    thaw_model_set_sync_batch_norm(model, true);
    return model;
}

static void forget_sync(thaw_model *model, thaw_fit_options *options)
{
    (void)options;
    thaw_model_set_sync_batch_norm(model, false);
}

static rank_run run_of(size_t samples, int epochs)
{
    return (rank_run){ .build = synced,
                       .optimizer = "sgd:lr=0.05,momentum=0.9",
                       .samples = samples,
                       .options = { .epochs = epochs, .batch = 12 } };
}

static void check_equals(const rank_run *alone, const rank_run *spread, int ranks, const char *what)
{
    for (int i = 0; i < ranks; i++) {
        cr_assert_eq(spread->statuses[i], THAW_OK, "%s, rank %d of %d: %s", what, i, ranks, spread->messages[i]);
        const double apart = support_distance(alone->weights[0], spread->weights[i], alone->counts[0]);
        cr_assert_leq(apart, 1e-5, "%s, rank %d of %d: weights are %.3g apart", what, i, ranks, apart);
        cr_assert_eq(memcmp(spread->weights[i], spread->weights[0], spread->counts[0] * sizeof(float)), 0);
        cr_assert_float_eq(spread->results[i].loss, alone->results[0].loss, 1e-5);
    }
}

/* The last batch has 2 samples: on 4 ranks, two have none, and the others one, which without the others would have no
   variance behind the dense layer. On 3 ranks with 4 samples, one has more than the others. Several shards on a rank
   differ in the same way. */
Test(sync_runs, equal_whole_batches_where_ranks_have_few_samples_or_none, .timeout = 120)
{
    static const size_t samples[] = { 26, 28 };
    for (size_t k = 0; k < THAW_COUNT(samples); k++) {
        rank_run alone = run_of(samples[k], 3);
        rank_run_train(&alone, NULL);
        cr_assert_eq(alone.statuses[0], THAW_OK, "%s", alone.messages[0]);
        for (int ranks = 1; ranks <= 4; ranks++)
            for (int64_t shards = ranks; shards <= 12; shards += ranks) {
                rank_run spread = run_of(samples[k], 3);
                char what[64];
                spread.options.shards = shards;
                if (12 % shards)
                    continue;
                snprintf(what, sizeof what, "%zu samples, %lld shards", samples[k], (long long)shards);
                run_ranks(ranks, rank_run_train, &spread);
                check_equals(&alone, &spread, ranks, what);
                rank_run_release(&spread);
            }
        rank_run_release(&alone);
    }
}

/* Frozen layers at the bottom, of which the feature cache keeps the outputs. */
Test(sync_runs, start_shards_at_the_feature_cache, .timeout = 60)
{
    rank_run alone = run_of(26, 3), cached = run_of(26, 3);
    alone.frozen = cached.frozen = "conv1|batch_norm1";
    alone.options.shards = cached.options.shards = 4;
    cached.options.cache_bytes = 1 << 20;
    run_ranks(1, rank_run_train, &alone);
    for (int ranks = 1; ranks <= 4; ranks *= 2) {
        run_ranks(ranks, rank_run_train, &cached);
        for (int i = 0; i < ranks; i++) {
            cr_assert_eq(cached.statuses[i], THAW_OK, "%s", cached.messages[i]);
            cr_assert(cached.results[i].cached, "rank %d of %d", i, ranks);
            cr_assert_eq(memcmp(cached.weights[i], alone.weights[0], alone.counts[0] * sizeof(float)), 0);
        }
        rank_run_release(&cached);
    }
    rank_run_release(&alone);
}

/* 2 C + 1 doubles of each shard to each other rank, twice a step; backward needs none below what trains. */
Test(sync_runs, tell_what_they_send_and_keep)
{
    static const size_t layers[] = { 2 * CHANNELS + 1, 2 * 6 + 1 };
    for (int k = 0; k < 4; k++) {
        const bool frozen = k % 2;
        const size_t shards = k < 2 ? 1 : 2; /* on each rank */
        rank_run apart = run_of(24, 1), taken = run_of(24, 1);
        apart.build = normalised;
        apart.options.shards = taken.options.shards = 3 * (int64_t)shards;
        apart.frozen = taken.frozen = frozen ? "conv1" : NULL;
        run_ranks(3, rank_run_train, &apart);
        run_ranks(3, rank_run_train, &taken);
        const size_t doubles = (frozen ? 1U : 2U) * layers[0] + 2 * layers[1];
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(taken.statuses[i], THAW_OK, "%s", taken.messages[i]);
            cr_assert_eq(taken.results[i].sent_bytes,
                         apart.results[i].sent_bytes + 2 * shards * doubles * sizeof(double));
            cr_assert_eq(taken.results[i].gradient_bytes, shards * apart.results[i].gradient_bytes);
            cr_assert_geq(taken.results[i].activation_bytes, shards * apart.results[i].activation_bytes);
        }
        rank_run_release(&apart);
        rank_run_release(&taken);
    }
}

Test(sync_runs, continue_from_a_checkpoint_with_the_same_bits, .timeout = 60)
{
    char directory[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    const thaw_checkpoint_options checkpoint = { .folder = support_path(folder, directory, "run"), .resume = true };
    rank_run whole = run_of(26, 2), begun = run_of(26, 1), other = run_of(26, 2), rest = run_of(26, 2);
    begun.options.checkpoint = other.options.checkpoint = rest.options.checkpoint = checkpoint;
    other.build = normalised;
    run_ranks(2, rank_run_train, &whole);
    run_ranks(2, rank_run_train, &begun);
    run_ranks(2, rank_run_train, &other);
    run_ranks(2, rank_run_train, &rest);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(other.statuses[i], THAW_INVALID_ARGUMENT, "%s", other.messages[i]);
        cr_assert_not_null(strstr(other.messages[i], "batch normalisation: by all shards in the checkpoint"), "%s",
                           other.messages[i]);
        cr_assert_eq(rest.statuses[i], THAW_OK, "%s", rest.messages[i]);
        cr_assert_eq(memcmp(rest.weights[i], whole.weights[i], whole.counts[i] * sizeof(float)), 0);
    }
    rank_run_release(&whole);
    rank_run_release(&begun);
    rank_run_release(&other);
    rank_run_release(&rest);
    support_remove_tree(directory);
}

/* Four shards on one, two or four ranks.*/
Test(sync_runs, continue_on_other_ranks_with_the_same_bits, .timeout = 60)
{
    rank_run whole = run_of(26, 3);
    whole.options.shards = 4;
    run_ranks(1, rank_run_train, &whole);
    for (int first = 1; first <= 4; first *= 2)
        for (int second = 1; second <= 4; second *= 2) {
            char directory[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
            support_make_directory(directory);
            const thaw_checkpoint_options checkpoint = { .folder = support_path(folder, directory, "run"),
                                                         .resume = true };
            rank_run begun = run_of(26, 1), rest = run_of(26, 3);
            begun.options.checkpoint = rest.options.checkpoint = checkpoint;
            begun.options.shards = rest.options.shards = 4;
            run_ranks(first, rank_run_train, &begun);
            run_ranks(second, rank_run_train, &rest);
            for (int i = 0; i < second; i++) {
                cr_assert_eq(rest.statuses[i], THAW_OK, "%s", rest.messages[i]);
                cr_assert_eq(memcmp(rest.weights[i], whole.weights[0], whole.counts[0] * sizeof(float)), 0,
                             "begun on %d ranks, continued on %d", first, second);
            }
            rank_run_release(&begun);
            rank_run_release(&rest);
            support_remove_tree(directory);
        }
    rank_run_release(&whole);
}

/* ---- refusals ---- */

static thaw_status step_in_shards(thaw_model *model)
{
    return support_step(model, 12, 1, &(thaw_step_options){ .shards = 3 }, NULL);
}

/* A step that finds no memory changes nothing, and can be taken again. */
Test(sync_runs, survive_where_there_is_no_memory, .timeout = 120)
{
    for (size_t at = 1;; at++) {
        support_allocator allocator = { 0 };
        thaw_context *context = support_context_on(&allocator);
        thaw_model *model = synced(context);
        support_optimize(model, "sgd:lr=0.05,momentum=0.9");
        allocator.fail_at = allocator.calls + at;
        const thaw_status status = step_in_shards(model);
        const bool failed = allocator.calls >= allocator.fail_at;
        cr_assert_eq(status, failed ? THAW_OUT_OF_MEMORY : THAW_OK, "allocation %zu: %s", at,
                     thaw_context_message(context));
        allocator.fail_at = 0;
        assert_ok(context, step_in_shards(model));
        thaw_model_destroy(model);
        thaw_context_destroy(context);
        cr_assert_eq(allocator.live, 0, "allocation %zu", at);
        if (!failed)
            break;
    }
}

Test(sync_runs, need_ranks_that_agree)
{
    rank_run taken = run_of(24, 1);
    taken.spoil = forget_sync;
    run_ranks(2, rank_run_train, &taken);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(taken.statuses[i], THAW_INVALID_ARGUMENT);
        cr_assert_not_null(strstr(taken.messages[i], "rank 1 differs from rank 0 in sync_batch_norm"), "%s",
                           taken.messages[i]);
    }
    rank_run_release(&taken);
}

/* A last batch of one sample has no variance on all ranks together either. */
Test(sync_runs, need_two_values_for_each_channel, .timeout = 60)
{
    rank_run taken = run_of(25, 1);
    run_ranks(2, rank_run_train, &taken);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(taken.statuses[i], THAW_INVALID_ARGUMENT, "rank %d: %s", i, taken.messages[i]);
        cr_assert_not_null(strstr(taken.messages[i], "one value for each channel has no variance"), "%s",
                           taken.messages[i]);
    }
    rank_run_release(&taken);
}

/* ---- the program ---- */

static size_t count_lines(const char *text, const char *operation)
{
    size_t count = 0;
    for (const char *at = strstr(text, operation); at; at = strstr(at + 1, operation))
        count++;
    return count;
}

static void check_program(const char *frozen, size_t measures, size_t scales)
{
    thaw_context *context = support_context(1);
    thaw_model *model = synced(context);
    const thaw_plan *plan;
    char *text;
    support_optimize(model, "sgd:lr=0.1");
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 12, .shards = 3 }, &plan));
    assert_ok(context, thaw_plan_program(plan, &text));
    cr_assert_eq(count_lines(text, " measure "), measures, "%s:\n%s", frozen, text);
    cr_assert_eq(count_lines(text, " share "), measures, "%s:\n%s", frozen, text);
    cr_assert_eq(count_lines(text, " scale "), scales, "%s:\n%s", frozen, text);
    cr_assert(measures == 0 || strstr(text, "13 sums of each of 3 shards"), "%s", text);
    thaw_text_destroy(context, text);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 12 }, &plan));
    cr_assert_eq(thaw_plan_totals_of(plan).synced_bytes, 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(sync_runs, share_only_what_follows_the_batches)
{
    check_program(NULL, 4, 1);
    check_program("conv1", 3, 1);
    check_program("conv1|batch_norm1|dense1", 1, 0);
    check_program("batch_norm*", 0, 0);
}
