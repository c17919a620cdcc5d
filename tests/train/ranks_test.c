/* Training on several ranks: the bits of one, runs that continue, and what becomes of the others when a rank fails. */
#include <math.h>
#include <string.h>

#include "support/combined_network.h"
#include "support/files.h"
#include "support/network.h"
#include "train/rank_run.h"

/* With and without ranks, all must end with the same bits. */
static void check_same(const rank_run *wanted, const int *ranks, size_t count)
{
    rank_run alone = *wanted;
    rank_run_train(&alone, NULL);
    cr_assert_eq(alone.statuses[0], THAW_OK, "alone: %s", alone.messages[0]);
    for (size_t k = 0; k < count; k++) {
        rank_run spread = *wanted;
        run_ranks(ranks[k], rank_run_train, &spread);
        for (int i = 0; i < ranks[k]; i++) {
            cr_assert_eq(spread.statuses[i], THAW_OK, "rank %d of %d: %s", i, ranks[k], spread.messages[i]);
            cr_assert_eq(spread.counts[i], alone.counts[0]);
            cr_assert(memcmp(spread.weights[i], alone.weights[0], alone.counts[0] * sizeof(float)) == 0,
                      "rank %d of %d has other weights", i, ranks[k]);
            cr_assert_eq(spread.results[i].loss, alone.results[0].loss);
            cr_assert_eq(spread.results[i].accuracy, alone.results[0].accuracy);
        }
        rank_run_release(&spread);
    }
    rank_run_release(&alone);
}

static thaw_model *normalised(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x));
    assert_ok(context,
              thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv1", .filters = 3, .kernel = { 3, 3 } }, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.3 }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = NETWORK_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

/* Shards that are powers of two, and others, in ranks with 1 to 12 shards each. The last batch has 2 samples, and so
   fewer than shards: most ranks have none. */
Test(ranks, any_number_of_ranks_gives_the_same_bits)
{
    static const int fours[] = { 1, 2, 4 }, twelves[] = { 2, 3, 4, 6, 12 };
    check_same(&(rank_run){ .build = rank_run_network,
                            .optimizer = "adam:lr=0.01",
                            .frozen = "conv1",
                            .samples = 50,
                            .options = { .epochs = 3, .batch = 16, .shards = 4, .clip_norm = 0.5 } },
               fours, THAW_COUNT(fours));
    check_same(&(rank_run){ .build = rank_run_network,
                            .optimizer = "sgd:lr=0.05,momentum=0.9",
                            .samples = 50,
                            .options = { .epochs = 2, .batch = 24, .shards = 12 } },
               twelves, THAW_COUNT(twelves));
}

Test(ranks, statistics_and_combinations_have_the_same_bits)
{
    static const int some[] = { 2, 3, 6 };
    check_same(&(rank_run){ .build = normalised,
                            .optimizer = "sgd:lr=0.05",
                            .samples = 40,
                            .options = { .epochs = 2, .batch = 18, .shards = 6 } },
               some, THAW_COUNT(some));
    check_same(&(rank_run){ .build = support_combined_network,
                            .optimizer = "adam:lr=0.01",
                            .samples = 40,
                            .options = { .epochs = 2, .batch = 18, .shards = 6 } },
               some, THAW_COUNT(some));
}

/* ---- checkpoints ---- */

/* One epoch on `first` ranks, which the rank 0 saves, and another on `second`, from there. */
static void check_continues(const rank_run *wanted, int first, int second, const char *folder)
{
    const thaw_checkpoint_options checkpoint = { .folder = folder, .resume = true };
    rank_run begun = *wanted, parts = *wanted, alone = *wanted;
    begun.options.epochs = 1;
    begun.options.checkpoint = parts.options.checkpoint = checkpoint;
    run_ranks(first, rank_run_train, &begun);
    cr_assert_eq(support_count_entries(folder), 1);
    run_ranks(second, rank_run_train, &parts);
    rank_run_train(&alone, NULL);
    for (int i = 0; i < second; i++) {
        cr_assert_eq(parts.statuses[i], THAW_OK, "rank %d of %d: %s", i, second, parts.messages[i]);
        cr_assert_eq(memcmp(parts.weights[i], alone.weights[0], alone.counts[0] * sizeof(float)), 0,
                     "rank %d of %d, after %d, has other weights", i, second, first);
    }
    rank_run_release(&begun);
    rank_run_release(&alone);
    rank_run_release(&parts);
}

Test(ranks, a_run_continues_on_another_number_of_ranks)
{
    static const int numbers[][2] = { { 2, 4 }, { 4, 1 }, { 1, 2 } };
    const rank_run wanted = { .build = rank_run_network,
                              .optimizer = "adam:lr=0.01",
                              .samples = 50,
                              .options = { .epochs = 2, .batch = 16, .shards = 4 } };
    for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
        char directory[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
        support_make_directory(directory);
        check_continues(&wanted, numbers[k][0], numbers[k][1], support_path(folder, directory, "run"));
        support_remove_tree(directory);
    }
}

/* ---- failing in a step ---- */

static void make_weight_infinite(thaw_model *model, const thaw_progress *progress)
{
    if (progress->step == 2)
        thaw_parameter_edit(thaw_model_find_parameter(model, "dense3.bias"))[0] = NAN;
}

static thaw_model *spoiled_model;

static bool spoil_step(void *user, const thaw_progress *progress)
{
    (void)user;
    make_weight_infinite(spoiled_model, progress);
    return true;
}

static void spoil_in_callback(thaw_model *model, thaw_fit_options *options)
{
    spoiled_model = model;
    options->on_step = spoil_step;
}

Test(ranks, a_rank_that_fails_in_a_step_stops_the_others, .timeout = 60)
{
    rank_run taken = { .build = rank_run_network,
                       .optimizer = "sgd:lr=0.01",
                       .samples = 40,
                       .spoil = spoil_in_callback,
                       .options = { .batch = 12, .shards = 6 } };
    run_ranks(3, rank_run_train, &taken);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(taken.statuses[i], THAW_NOT_FINITE, "rank %d: %s", i, taken.messages[i]);
        cr_assert_not_null(strstr(taken.messages[i], "dense3.bias"), "rank %d: %s", i, taken.messages[i]);
        cr_assert(i == 2 || strstr(taken.messages[i], "rank 2: ") == taken.messages[i], "rank %d: %s", i,
                  taken.messages[i]);
    }
    cr_assert_arr_eq(taken.weights[0], taken.weights[1], taken.counts[0] * sizeof(float));
    rank_run_release(&taken);
}
