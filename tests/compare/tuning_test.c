/* Trials of small networks. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/held_out.h"
#include "support/comparison.h"
#include "support/ranks.h"
#include "support/results.h"

enum { TRIALS = 5 };

static const char *const optimizers[] = { "adam", "sgd:lr=0.05" };
static char search[SUPPORT_PATH_BYTES];

static void write_search(const char *text)
{
    support_path(search, comparison.directory, "search");
    support_write_file(search, text, strlen(text));
}

/* Two optimizers with two strategies. */
static thaw_comparison_options with_trials(void)
{
    comparison_use("full", NULL);
    comparison_use("head", NULL);
    write_search("{ \"default\": { \"lr\": { \"times\": [0.01, 30] }, \"beta1\": { \"one-minus\": [0.05, 0.5] } } }");
    thaw_comparison_options options = comparison_options();
    options.optimizers = optimizers;
    options.optimizer_count = 2;
    options.seeds = 2;
    options.target_accuracy = 0;
    options.trials = TRIALS;
    options.search = search;
    options.validation_share = 0.25;
    return options;
}

static const json_t *last_epoch(const json_t *run)
{
    const json_t *epochs = json_object_get(run, "epochs");
    return json_array_get(epochs, json_array_size(epochs) - 1);
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "%s", key);
    return json_number_value(value);
}

static bool same_text(const json_t *one, const json_t *other, const char *key)
{
    return json_equal(json_object_get(one, key), json_object_get(other, key));
}

/* The best by accuracy, then by loss. */
static const json_t *best_trial(const json_t *file, const json_t *configuration)
{
    const json_t *best = NULL;
    size_t index, count = 0;
    json_t *trial;
    json_array_foreach(json_object_get(file, "trials"), index, trial)
    {
        if (!same_text(trial, configuration, "strategy") || !same_text(trial, configuration, "optimizer"))
            continue;
        const json_t *one = last_epoch(trial), *other = best ? last_epoch(best) : NULL;
        const char *keys[] = { "validation_accuracy", "validation_loss" };
        const bool equal = other && number(one, keys[0]) == number(other, keys[0]);
        count++;
        if (!best ||
            (equal ? number(one, keys[1]) < number(other, keys[1]) : number(one, keys[0]) > number(other, keys[0])))
            best = trial;
    }
    cr_assert_eq(count, TRIALS);
    return best;
}

Test(tuning, the_best_trial_by_validation_is_run, .init = comparison_begin, .fini = comparison_end)
{
    const thaw_comparison_options options = with_trials();
    thaw_comparison *made = comparison_run(&options);
    json_t *file = comparison_load(), *one, *run;
    size_t index, at;
    cr_assert(json_is_true(json_object_get(file, "complete")));
    cr_assert_eq(json_array_size(json_object_get(file, "trials")), 4 * TRIALS);
    cr_assert_eq(json_array_size(json_object_get(file, "runs")), 4 * 2);
    json_array_foreach(json_object_get(file, "configurations"), index, one)
    {
        const json_t *best = best_trial(file, one), *choice = json_object_get(one, "tuning");
        cr_assert(same_text(best, choice, "trial") && same_text(best, choice, "settings"), "%zu", index);
        cr_assert_eq(number(one, "learning_rate"), number(json_object_get(best, "settings"), "lr"));
        json_array_foreach(json_object_get(file, "runs"), at, run)
        {
            cr_assert(number(run, "seed") == 1 || number(run, "seed") == 2);
            if (same_text(run, one, "strategy") && same_text(run, one, "optimizer"))
                cr_assert(same_text(run, best, "settings"));
        }
        const thaw_tuning tuning = comparison_at(made, index).tuning;
        cr_assert(tuning.trials == TRIALS && tuning.epochs == TRIALS * COMPARISON_EPOCHS && tuning.seconds > 0);
        thaw_trial trial;
        assert_ok(comparison.context, thaw_comparison_trial_at(made, index, tuning.chosen - 1, &trial));
        cr_assert(trial.chosen && trial.done && trial.accuracy == tuning.validation_accuracy);
        cr_assert_str_eq(trial.settings, tuning.settings);
    }
    thaw_trial none;
    assert_fails(comparison.context, thaw_comparison_trial_at(made, 0, TRIALS, &none), THAW_INVALID_ARGUMENT,
                 "no trial 5 of configuration 0, there are 5");
    json_decref(file);
    thaw_comparison_destroy(made);
}

/* A comparison of one configuration, from one seed. */
static json_t *run_plain(const thaw_comparison_options *options, const char *description, size_t strategy,
                         thaw_dataset *training, thaw_dataset *test, uint64_t seed)
{
    const char *const one[] = { description };
    thaw_comparison_options plain = *options;
    plain.trials = 0;
    plain.search = NULL;
    plain.validation_share = 0;
    plain.optimizers = one;
    plain.optimizer_count = 1;
    plain.strategies = options->strategies + strategy;
    plain.strategy_count = 1;
    plain.seeds = 1;
    plain.first_seed = seed;
    plain.training = training;
    plain.test = test;
    unlink(comparison.results);
    thaw_comparison_destroy(comparison_run(&plain));
    json_t *file = comparison_load_timeless();
    json_t *run = json_incref(json_array_get(json_object_get(file, "runs"), 0));
    json_decref(file);
    return run;
}

/* What tuning does can be done by hand: trials on the parts of the training data, and runs with the settings. */
Test(tuning, is_what_plain_comparisons_come_to, .init = comparison_begin, .fini = comparison_end)
{
    const thaw_comparison_options options = with_trials();
    thaw_dataset *rest, *held;
    assert_ok(comparison.context,
              thaw_dataset_hold_out(comparison.context, comparison.training, 0.25, 1, &rest, &held));
    thaw_comparison *made = comparison_run(&options);
    json_t *file = comparison_load_timeless();
    static const size_t indices[] = { 0, 3 }; /* adam with full, sgd with head */
    char descriptions[2][200];
    double accuracies[2], losses[2];
    for (size_t i = 0; i < 2; i++) {
        const thaw_tuning tuning = comparison_at(made, indices[i]).tuning;
        snprintf(descriptions[i], sizeof descriptions[i], "%s:%s", i ? "sgd" : "adam", tuning.settings);
        accuracies[i] = tuning.validation_accuracy;
        losses[i] = tuning.validation_loss;
    }
    thaw_comparison_destroy(made);
    for (size_t i = 0; i < 2; i++) {
        json_t *trial = run_plain(&options, descriptions[i], indices[i] % 2, rest, held, 3);
        json_t *run = run_plain(&options, descriptions[i], indices[i] % 2, comparison.training, comparison.test, 2);
        cr_assert_eq(number(last_epoch(trial), "test_accuracy"), accuracies[i]);
        cr_assert_eq(number(last_epoch(trial), "test_loss"), losses[i]);
        size_t at, found = 0;
        json_t *other;
        json_array_foreach(json_object_get(file, "runs"), at, other)
        {
            if (strcmp(json_string_value(json_object_get(other, "optimizer")), optimizers[i]) != 0 ||
                !same_text(other, run, "strategy") || !same_text(other, run, "seed"))
                continue;
            found++;
            cr_assert(same_text(other, run, "epochs"), "%s", descriptions[i]);
        }
        cr_assert_eq(found, 1);
        json_decref(trial);
        json_decref(run);
    }
    thaw_dataset_destroy(rest);
    thaw_dataset_destroy(held);
    json_decref(file);
}

/* Trials do not depend on the test data, of which there are others the second time. */
Test(tuning, does_not_see_the_test_data, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = with_trials();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *first = comparison_load_timeless();
    unlink(comparison.results);
    thaw_dataset *other = support_samples(comparison.context, 31, 9);
    options.test = other;
    thaw_comparison_destroy(comparison_run(&options));
    json_t *second = comparison_load_timeless();
    cr_assert(same_text(first, second, "trials"));
    cr_assert(!same_text(first, second, "runs"));
    json_decref(first);
    json_decref(second);
    thaw_dataset_destroy(other);
}

/* In the trials, between them and the runs, and in the runs; and what was lost with a journal's end is done again. */
Test(tuning, continues_where_it_stopped, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = with_trials();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load_timeless();
    static const size_t stops[] = { 1, 4, 20, 21, 24, 28 };
    for (size_t i = 0; i < THAW_COUNT(stops); i++) {
        unlink(comparison.results);
        thaw_comparison *made;
        options.resume = false;
        comparison.stop_at_run = stops[i];
        assert_ok(comparison.context, thaw_comparison_create(comparison.context, &options, &made));
        cr_assert_eq(thaw_comparison_run(made), THAW_STOPPED, "run %zu", stops[i]);
        const thaw_configuration one = comparison_at(made, 0);
        cr_assert(stops[i] > 20 || isnan(one.learning_rate) || one.tuning.trials == TRIALS);
        thaw_comparison_destroy(made);
        comparison.stop_at_run = 0;
        options.resume = true;
        thaw_comparison_destroy(comparison_run(&options));
        json_t *resumed = comparison_load_timeless();
        cr_assert(json_equal(whole, resumed), "stopped at run %zu", stops[i]);
        json_decref(resumed);
    }
    options.trials = TRIALS + 1;
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.trials = TRIALS;
    write_search("{ \"default\": { \"lr\": [0.1] } }");
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"optimizers\" differ");
    json_decref(whole);
}

static void run_rank(void *argument, const thaw_communicator *communicator)
{
    thaw_context *context = support_context(1);
    thaw_comparison_options options = *(const thaw_comparison_options *)argument;
    options.communicator = communicator;
    options.training = support_samples(context, 40, 2);
    options.test = support_samples(context, 24, 3);
    options.on_progress = NULL;
    thaw_comparison *made;
    assert_ok(context, thaw_comparison_create(context, &options, &made));
    assert_ok(context, thaw_comparison_run(made));
    thaw_comparison_destroy(made);
    thaw_dataset_destroy(options.training);
    thaw_dataset_destroy(options.test);
    thaw_context_destroy(context);
}

Test(tuning, is_the_same_on_several_ranks, .init = comparison_begin, .fini = comparison_end, .timeout = 120)
{
    thaw_comparison_options options = with_trials();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load_timeless();
    unlink(comparison.results);
    run_ranks(3, run_rank, &options);
    json_t *spread = comparison_load_timeless();
    cr_assert(json_equal(whole, spread));
    json_decref(whole);
    json_decref(spread);
}

/* Of rates that diverge and one that does not, that one is chosen, and if all do, the comparison goes on. */
Test(tuning, what_diverges_is_not_the_best, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = with_trials();
    options.optimizers = &optimizers[1];
    options.optimizer_count = 1;
    write_search("{ \"default\": { \"lr\": [1e30, 0.05] } }");
    thaw_comparison *made = comparison_run(&options);
    cr_assert_eq(comparison_at(made, 0).learning_rate, 0.05);
    cr_assert(comparison_at(made, 0).tuning.diverged > 0 && comparison_at(made, 0).diverged == 0);
    thaw_comparison_destroy(made);
    unlink(comparison.results);
    write_search("{ \"default\": { \"lr\": [1e30] } }");
    made = comparison_run(&options);
    cr_assert(comparison_at(made, 0).diverged == 2 && comparison_at(made, 0).tuning.chosen > 0);
    cr_assert(isnan(comparison_at(made, 0).tuning.validation_accuracy));
    json_decref(comparison_load());
    thaw_comparison_destroy(made);
}

/* With a target, what reaches it first is chosen: here all do after an epoch, so that the last loss decides. */
Test(tuning, follows_the_target, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = with_trials();
    options.target_loss = 1e6;
    thaw_comparison *made = comparison_run(&options);
    for (size_t i = 0; i < 4; i++) {
        const thaw_configuration one = comparison_at(made, i);
        cr_assert_eq(one.to_target.seconds.reached, 2);
        for (size_t k = 0; k < TRIALS; k++) {
            thaw_trial trial;
            assert_ok(comparison.context, thaw_comparison_trial_at(made, i, k, &trial));
            cr_assert(trial.diverged || trial.loss >= one.tuning.validation_loss);
        }
    }
    thaw_comparison_destroy(made);
}

Test(tuning, goes_with_a_race, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = with_trials();
    options.race = true;
    options.seeds = 3;
    options.epochs = 4;
    thaw_comparison *made = comparison_run(&options);
    json_t *file = comparison_load();
    cr_assert(json_is_true(json_object_get(file, "complete")));
    cr_assert_eq(json_array_size(json_object_get(file, "trials")), 4 * TRIALS);
    cr_assert_eq(comparison_at(made, 3).tuning.trials, TRIALS);
    json_decref(file);
    thaw_comparison_destroy(made);
}

/* The rate rises in the first half of the epochs, and the runs are others than without. */
Test(tuning, warms_up, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = with_trials();
    options.optimizers = &optimizers[1];
    options.optimizer_count = options.strategy_count = 1;
    options.trials = 1;
    json_t *runs[2];
    for (int i = 0; i < 2; i++) {
        write_search(i ? "{ \"default\": { \"lr\": [0.05], \"warmup\": [0.5] } }"
                       : "{ \"default\": { \"lr\": [0.05] } }");
        thaw_comparison_destroy(comparison_run(&options));
        runs[i] = comparison_load_timeless();
        unlink(comparison.results);
    }
    cr_assert(!same_text(runs[0], runs[1], "runs"));
    json_decref(runs[0]);
    json_decref(runs[1]);
}

Test(tuning, says_what_does_not_go_together, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = with_trials();
    options.rates = 3;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "trials search the learning rates, so rates must be 1");
    options.rates = 1;
    options.validation_share = 1;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "validation_share must be from 0 and below 1");
    options.validation_share = 0;
    options.trials = -1;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "trials must not be negative");
    options.trials = 0;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "search and validation_share are for trials");
    options.trials = 1;
    options.search = "/absent";
    comparison_assert_refused(&options, THAW_IO_ERROR, "/absent");
    options.search = search;
    write_search("{ \"default\": { \"lr\": { \"log\": [2, 1] } } }");
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "\"lr\" has its ends in reverse");
}
