/* Comparisons of small networks on numbers in memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/files.h"
#include "support/network.h"
#include "support/results.h"
#include "support/schema.h"

enum { MOST_STRATEGIES = 4, SEEDS = 3, EPOCHS = 3 };

static char directory[SUPPORT_PATH_BYTES], results[SUPPORT_PATH_BYTES], table[SUPPORT_PATH_BYTES];

static thaw_context *context;
static thaw_dataset *training, *test;
static thaw_strategy *strategies[MOST_STRATEGIES];
static size_t strategy_count;
static size_t stop_at_cell; /* 0: never */
static const char *const one_optimizer[] = { "adam:lr=0.01" };

static void begin(void)
{
    support_make_directory(directory);
    support_path(results, directory, "results.json");
    support_path(table, directory, "results.csv");
    context = support_context(1);
    training = support_samples(context, 40, 2);
    test = support_samples(context, 24, 3);
    stop_at_cell = 0;
}

static void drop_strategies(void)
{
    while (strategy_count > 0)
        thaw_strategy_destroy(context, strategies[--strategy_count]);
}

static void end(void)
{
    drop_strategies();
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
    support_remove_directory(directory);
}

static void use(const char *name, const char *path)
{
    assert_ok(context, thaw_strategy_create(context, name, path, &strategies[strategy_count++]));
}

static thaw_status build(void *user, thaw_model *model)
{
    (void)user;
    thaw_node x;
    thaw_status status = thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x);
    if (status == THAW_OK)
        status = thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv", .filters = 3, .kernel = { 3, 3 } }, &x);
    if (status == THAW_OK)
        status = thaw_relu(model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_flatten(model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "dense1", .units = 16 }, &x);
    if (status == THAW_OK)
        status = thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25 }, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "dense2", .units = NETWORK_CLASSES }, &x);
    return status == THAW_OK ? thaw_softmax_cross_entropy(model, x, NULL, &x) : status;
}

static bool watch(void *user, const thaw_comparison_progress *progress)
{
    (void)user;
    cr_assert(progress->cell >= 1 && progress->cell <= progress->cells);
    return progress->cell != stop_at_cell || progress->training.epoch < 2;
}

static thaw_comparison_options options_of(void)
{
    return (thaw_comparison_options){
        .build = build,
        .on_progress = watch,
        .training = training,
        .test = test,
        .strategies = (const thaw_strategy *const *)strategies,
        .strategy_count = strategy_count,
        .optimizers = one_optimizer,
        .optimizer_count = 1,
        .seeds = SEEDS,
        .first_seed = 1,
        .epochs = EPOCHS,
        .batch = 16,
        .cache_bytes = 1 << 20,
        .target_accuracy = 0.01,
        .results = results,
        .model = "small",
        .data = "numbers",
        .command = "none",
    };
}

static thaw_comparison *run(const thaw_comparison_options *options)
{
    thaw_comparison *comparison;
    assert_ok(context, thaw_comparison_create(context, options, &comparison));
    assert_ok(context, thaw_comparison_run(comparison));
    return comparison;
}

static thaw_configuration at(thaw_comparison *comparison, size_t index)
{
    thaw_configuration one;
    assert_ok(context, thaw_comparison_at(comparison, index, &one));
    return one;
}

static json_t *load(void)
{
    json_error_t error;
    json_t *file = json_load_file(results, 0, &error);
    cr_assert_not_null(file, "%s", error.text);
    return file;
}

static void assert_schema(const json_t *value)
{
    char message[600] = "";
    json_t *schema = support_project_json("bench/results.schema.json");
    cr_assert(support_schema_holds(schema, value, message, sizeof message), "%s", message);
    json_decref(schema);
}

/* ---------------------------------------------------------------- the file */

Test(results, the_example_is_of_the_schema_and_a_broken_one_is_not)
{
    char message[600];
    json_t *schema = support_project_json("bench/results.schema.json");
    json_t *example = support_project_json("tests/compare/results.json");
    assert_schema(example);
    json_object_set_new(example, "complete", json_integer(1));
    cr_assert(!support_schema_holds(schema, example, message, sizeof message));
    cr_assert_str_eq(message, "/complete: is of another type");
    json_object_del(example, "complete");
    cr_assert(!support_schema_holds(schema, example, message, sizeof message));
    cr_assert_str_eq(message, "/complete: is missing");
    json_decref(example);
    json_decref(schema);
}

Test(results, of_the_experiments_that_are_kept_are_of_the_schema)
{
    static const char *const kept[] = { "bench/strategies/fashion-mnist-20.json",
                                        "bench/strategies/fashion-mnist-100.json" };
    for (size_t i = 0; i < THAW_COUNT(kept); i++) {
        json_t *file = support_project_json(kept[i]);
        assert_schema(file);
        cr_assert(json_is_true(json_object_get(file, "complete")));
        json_decref(file);
    }
}

static double number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "%s", key);
    return json_number_value(value);
}

Test(results, hold_what_was_measured, .init = begin, .fini = end)
{
    use("full", NULL);
    use("head", NULL);
    const thaw_comparison_options options = options_of();
    thaw_comparison *comparison = run(&options);
    json_t *file = load();
    assert_schema(file);
    cr_assert(json_is_true(json_object_get(file, "complete")));
    const json_t *cells = json_object_get(file, "cells");
    cr_assert_eq(json_array_size(cells), 2 * SEEDS);
    double sums[2] = { 0 };
    size_t index;
    json_t *cell;
    json_array_foreach(cells, index, cell)
    {
        const bool head = strcmp(json_string_value(json_object_get(cell, "strategy")), "head") == 0;
        const json_t *epochs = json_object_get(cell, "epochs");
        cr_assert_eq(json_array_size(epochs), EPOCHS);
        const json_t *last = json_array_get(epochs, EPOCHS - 1), *times = json_object_get(last, "times");
        sums[head] += number_at(last, "test_accuracy");
        cr_assert_eq(json_is_true(json_object_get(last, "cached")), head);
        cr_assert_eq(number_at(last, "parameters_trained"), head ? 68 : 57 + 16 * (3 * 7 * 5 + 1) + 68);
        const char *strip = json_string_value(json_array_get(json_object_get(last, "strip"), 0));
        cr_assert_str_eq(strip, head ? "cached" : "trained");
        const double parts = number_at(times, "data") + number_at(times, "forward") + number_at(times, "backward") +
                             number_at(times, "update") + number_at(times, "other");
        cr_assert(fabs(parts - number_at(last, "seconds")) < 1e-9);
        cr_assert(number_at(times, "forward") > 0 && number_at(times, "backward") > 0);
    }
    for (size_t i = 0; i < 2; i++) {
        const thaw_configuration one = at(comparison, i);
        const json_t *kept = json_array_get(json_object_get(file, "configurations"), i);
        cr_assert_eq(one.cells, SEEDS);
        cr_assert(fabs(one.accuracy.mean - sums[i] / SEEDS) < 1e-15);
        cr_assert(number_at(json_object_get(kept, "accuracy"), "mean") == one.accuracy.mean);
        cr_assert(number_at(kept, "seconds_per_epoch") == one.seconds_per_epoch);
        cr_assert(one.seconds_to_target > 0);
    }
    cr_assert_eq(at(comparison, 0).against_full.count, 0);
    cr_assert_eq(at(comparison, 1).against_full.count, SEEDS);
    json_decref(file);
    thaw_comparison_destroy(comparison);
}

Test(results, are_a_table_too, .init = begin, .fini = end)
{
    char text[8192] = { 0 };
    use("full", NULL);
    thaw_comparison_options options = options_of();
    options.results = NULL;
    thaw_comparison *comparison = run(&options);
    assert_ok(context, thaw_comparison_write_csv(comparison, table));
    const long length = support_read_file(table, text, sizeof text - 1);
    cr_assert(length > 0 && length < (long)sizeof text);
    size_t lines = 0, commas[2] = { 0 };
    for (const char *c = text; *c; c++) {
        lines += *c == '\n';
        commas[lines ? 1 : 0] += *c == ',';
    }
    cr_assert_eq(lines, 2);
    cr_assert_eq(commas[0], commas[1]);
    cr_assert_not_null(strstr(text, "\r\n\"full\",\"adam:lr=0.01\",0.01,3,0,1,1,"), "%s", text);
    thaw_comparison_destroy(comparison);
}

/* ---------------------------------------------------------------- what is said */

/* `twin` is full under another name, and `crippled` keeps the network where it begins. */
static void use_planted(void)
{
    static const char text[] = "{\"strategies\": [{\"name\": \"twin\", \"rules\": []}, {\"name\": \"crippled\", "
                               "\"rules\": [{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"rate\", \"value\": 0}]}]}";
    char path[SUPPORT_PATH_BYTES];
    support_write_file(support_path(path, directory, "planted.json"), text, sizeof text - 1);
    use("full", NULL);
    use("twin", path);
    use("crippled", path);
}

Test(comparison, equal_strategies_tie_and_a_crippled_one_loses, .init = begin, .fini = end)
{
    use_planted();
    thaw_comparison_options options = options_of();
    options.results = NULL;
    options.test = training; /* what was learnt by heart shows */
    options.seeds = 4;
    options.epochs = 40;
    thaw_comparison *comparison = run(&options);
    const thaw_configuration full = at(comparison, 0), twin = at(comparison, 1), crippled = at(comparison, 2);
    cr_assert(full.accuracy.mean == twin.accuracy.mean && full.accuracy.low == twin.accuracy.low);
    cr_assert(full.loss.mean == twin.loss.mean);
    cr_assert(twin.against_full.mean == 0 && twin.against_full.low == 0 && twin.against_full.high == 0);
    cr_assert(full.rank == 1 && twin.rank == 1, "%d and %d", full.rank, twin.rank);
    cr_assert_eq(crippled.rank, 3, "full %g, crippled %g..%g", full.accuracy.mean, crippled.accuracy.low,
                 crippled.accuracy.high);
    cr_assert(crippled.against_full.high < 0);
    thaw_comparison_destroy(comparison);
}

Test(comparison, one_seed_makes_no_winner, .init = begin, .fini = end)
{
    use_planted();
    thaw_comparison_options options = options_of();
    options.results = NULL;
    options.seeds = 1;
    thaw_comparison *comparison = run(&options);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(at(comparison, i).rank, 1);
    cr_assert(isnan(at(comparison, 1).against_full.low));
    thaw_comparison_destroy(comparison);
}

Test(comparison, goes_on_when_a_run_diverges, .init = begin, .fini = end)
{
    static const char *const optimizers[] = { "sgd:lr=1e30", "adam:lr=0.01" };
    use("full", NULL);
    thaw_comparison_options options = options_of();
    options.optimizers = optimizers;
    options.optimizer_count = 2;
    thaw_comparison *comparison = run(&options);
    json_t *file = load();
    assert_schema(file);
    const thaw_configuration lost = at(comparison, 0), kept = at(comparison, 1);
    cr_assert(lost.cells == SEEDS && lost.diverged == SEEDS && !lost.chosen && lost.rank == 0);
    cr_assert(kept.cells == SEEDS && kept.diverged == 0 && kept.chosen && kept.rank == 1);
    json_decref(file);
    thaw_comparison_destroy(comparison);
}

Test(comparison, rates_lie_half_a_decade_apart_and_one_is_chosen, .init = begin, .fini = end)
{
    use("full", NULL);
    use("head", NULL);
    thaw_comparison_options options = options_of();
    options.rates = 3;
    options.seeds = 2;
    thaw_comparison *comparison = run(&options);
    cr_assert_eq(thaw_comparison_count(comparison), 6);
    for (size_t i = 0; i < 6; i++) {
        const double expected = 0.01 * pow(10, ((int)(i % 3) - 1) / 2.0);
        cr_assert(fabs(at(comparison, i).learning_rate - expected) < 1e-15);
    }
    for (size_t pair = 0; pair < 2; pair++) {
        size_t chosen = 0;
        for (size_t i = 3 * pair; i < 3 * pair + 3; i++)
            chosen += at(comparison, i).chosen;
        cr_assert_eq(chosen, 1);
    }
    json_t *file = load();
    assert_schema(file);
    json_decref(file);
    thaw_comparison_destroy(comparison);
}

/* ---------------------------------------------------------------- resuming */

Test(resuming, gives_the_same_wherever_it_was_stopped, .init = begin, .fini = end)
{
    use("full", NULL);
    use("lp-ft", NULL);
    thaw_comparison_options options = options_of();
    options.seeds = 2;
    thaw_comparison_destroy(run(&options));
    json_t *whole = load();
    support_forget_times(whole);
    for (size_t cell = 1; cell <= 4; cell++) {
        unlink(results);
        thaw_comparison *comparison;
        stop_at_cell = cell;
        options.resume = false;
        assert_ok(context, thaw_comparison_create(context, &options, &comparison));
        cr_assert_eq(thaw_comparison_run(comparison), THAW_STOPPED);
        thaw_comparison_destroy(comparison);
        cr_assert_eq(access(results, F_OK) == 0, cell > 1);
        stop_at_cell = 0;
        options.resume = true;
        thaw_comparison_destroy(run(&options));
        json_t *resumed = load();
        assert_schema(resumed);
        support_forget_times(resumed);
        cr_assert(json_equal(whole, resumed), "stopped at cell %zu", cell);
        json_decref(resumed);
    }
    json_decref(whole);
}

Test(resuming, runs_nothing_twice, .init = begin, .fini = end)
{
    use("full", NULL);
    thaw_comparison_options options = options_of();
    thaw_comparison_destroy(run(&options));
    json_t *first = load();
    options.resume = true;
    thaw_comparison_destroy(run(&options));
    json_t *second = load();
    cr_assert(json_equal(first, second)); /* times too */
    json_decref(first);
    json_decref(second);
}

static void assert_refused(const thaw_comparison_options *options, thaw_status status, const char *message)
{
    thaw_comparison *comparison;
    assert_fails(context, thaw_comparison_create(context, options, &comparison), status, message);
    cr_assert_null(comparison);
}

Test(resuming, wants_the_same_comparison, .init = begin, .fini = end)
{
    use("full", NULL);
    thaw_comparison_options options = options_of();
    options.seeds = 1;
    thaw_comparison_destroy(run(&options));
    assert_refused(&options, THAW_IO_ERROR, "exists; resume it, or move it away");
    options.resume = true;
    options.epochs = EPOCHS + 1;
    assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.epochs = EPOCHS;
    options.reset = "dense2";
    assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.reset = NULL;
    options.test_data = "others";
    assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.test_data = NULL;
    options.optimizers = (const char *const[]){ "sgd" };
    assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"optimizers\" differ");
    options.optimizers = one_optimizer;
    thaw_context *wider = support_context(2);
    thaw_comparison *comparison;
    assert_fails(wider, thaw_comparison_create(wider, &options, &comparison), THAW_BAD_FORMAT,
                 "its runs took 1 threads, these would take 2");
    thaw_context_destroy(wider);
    support_write_file(results, "{\"schema\": \"thaw-bench-0\"}", 26);
    assert_refused(&options, THAW_BAD_FORMAT, "is not of the schema thaw-bench-1");
    support_write_file(results, "{", 1);
    assert_refused(&options, THAW_BAD_FORMAT, "results.json: line 1");
}

/* ---------------------------------------------------------------- refusals */

Test(comparison, refuses_before_anything_is_run, .init = begin, .fini = end)
{
    use("full", NULL);
    use("norm-only", NULL);
    thaw_comparison_options options = options_of();
    assert_refused(&options, THAW_NOT_FOUND, "strategy norm-only, epoch 1: \"@norm\" matches nothing");
    options.strategy_count = 1;
    options.optimizers = (const char *const[]){ "adan" };
    assert_refused(&options, THAW_NOT_FOUND, "adam");
    options.optimizers = (const char *const[]){ "sgd", "sgd" };
    options.optimizer_count = 2;
    assert_refused(&options, THAW_INVALID_ARGUMENT, "optimizer sgd stands there twice");
    options.optimizer_count = 1;
    options.results = "/absent/folder/results.json";
    assert_refused(&options, THAW_IO_ERROR, "/absent/folder/results.json");
    options.test = NULL;
    assert_refused(&options, THAW_INVALID_ARGUMENT, "test data");
    cr_assert_neq(access(results, F_OK), 0);
}
