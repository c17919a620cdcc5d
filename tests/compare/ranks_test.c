/* Comparisons whose runs are spread over ranks. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/comparison.h"
#include "support/ranks.h"

/* What each rank of a test does and ends with. The fixture's own context and data are those of the runs alone. */
typedef struct spread {
    thaw_comparison_options options;
    int other; /* the rank whose comparison is another; -1: none */
    int stops; /* the rank that stops in its first run; -1: none */
    thaw_status created[MOST_RANKS], statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
} spread;

static bool stop_now(void *user, const thaw_comparison_progress *progress)
{
    (void)user;
    return progress->training.step < 2;
}

static void run_one(void *argument, const thaw_communicator *communicator)
{
    spread *taken = argument;
    const int own = communicator->rank;
    thaw_context *context = support_context(1);
    thaw_comparison_options options = taken->options;
    options.communicator = communicator;
    options.training = support_samples(context, 40, 2);
    options.test = support_samples(context, 24, 3);
    if (taken->other == own)
        options.epochs++;
    if (taken->stops == own)
        options.on_progress = stop_now;
    thaw_comparison *made;
    taken->created[own] = thaw_comparison_create(context, &options, &made);
    if (taken->created[own] == THAW_OK)
        taken->statuses[own] = thaw_comparison_run(made);
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    thaw_comparison_destroy(made);
    thaw_dataset_destroy(options.training);
    thaw_dataset_destroy(options.test);
    thaw_context_destroy(context);
}

static void run_spread(int ranks, spread *taken)
{
    run_ranks(ranks, run_one, taken);
    for (int i = 0; i < ranks; i++)
        cr_assert_eq(taken->created[i], THAW_OK, "rank %d: %s", i, taken->messages[i]);
}

/* 2 strategies with 3 seeds: ranks that share a configuration's runs, and that have none in the last wave. */
Test(compare_ranks, the_results_are_those_of_one_process, .init = comparison_begin, .fini = comparison_end,
     .timeout = 120)
{
    static const int numbers[] = { 2, 4, 12 };
    comparison_use("full", NULL);
    comparison_use("lp-ft", NULL);
    spread taken = { .options = comparison_options(), .other = -1, .stops = -1 };
    thaw_comparison_destroy(comparison_run(&taken.options));
    json_t *whole = comparison_load_timeless();
    for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
        unlink(comparison.results);
        run_spread(numbers[k], &taken);
        for (int i = 0; i < numbers[k]; i++)
            cr_assert_eq(taken.statuses[i], THAW_OK, "rank %d: %s", i, taken.messages[i]);
        comparison_assert_no_journal();
        json_t *made = comparison_load_timeless();
        cr_assert(json_equal(whole, made), "%d ranks", numbers[k]);
        json_decref(made);
    }
    json_decref(whole);
}

/* Finished runs of the wave are kept, and the comparison goes on, on another number of ranks. */
Test(compare_ranks, a_rank_that_is_stopped_stops_the_others, .init = comparison_begin, .fini = comparison_end,
     .timeout = 120)
{
    spread taken = { .options = comparison_of_four_runs(), .other = -1, .stops = 1 };
    thaw_comparison_destroy(comparison_run(&taken.options));
    json_t *whole = comparison_load_timeless();
    unlink(comparison.results);
    run_spread(2, &taken);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(taken.statuses[i], THAW_STOPPED, "rank %d: %s", i, taken.messages[i]);
    json_t *part = comparison_load();
    cr_assert_eq(json_array_size(json_object_get(part, "runs")), 1);
    json_decref(part);
    taken.stops = -1;
    taken.options.resume = true;
    run_spread(3, &taken);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(taken.statuses[i], THAW_OK, "rank %d: %s", i, taken.messages[i]);
    json_t *resumed = comparison_load_timeless();
    cr_assert(json_equal(whole, resumed));
    json_decref(resumed);
    json_decref(whole);
}

Test(compare_ranks, must_compare_the_same, .init = comparison_begin, .fini = comparison_end, .timeout = 120)
{
    spread taken = { .options = comparison_of_four_runs(), .other = 2, .stops = -1 };
    run_spread(3, &taken);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(taken.statuses[i], THAW_INVALID_ARGUMENT, "rank %d: %s", i, taken.messages[i]);
        cr_assert_not_null(strstr(taken.messages[i], "rank 2 differs from rank 0 in the comparison"), "%s",
                           taken.messages[i]);
    }
    cr_assert_neq(access(comparison.results, F_OK), 0);
}

static bool no_start(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    (void)user, (void)messages, (void)count, (void)request, (void)reason;
    return false;
}

static bool no_wait(void *user, void *request, char *reason)
{
    (void)user, (void)request, (void)reason;
    return false;
}

Test(compare_ranks, have_one_run_at_a_time, .init = comparison_begin, .fini = comparison_end)
{
    const thaw_communicator communicator = { THAW_COMMUNICATOR_HEAD, .ranks = 2, .start = no_start, .wait = no_wait };
    thaw_comparison_options options = comparison_of_four_runs();
    options.communicator = &communicator;
    options.jobs = 2;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "jobs must be 1 on several ranks");
}
