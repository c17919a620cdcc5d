/* Comparisons of small networks on numbers in memory. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/comparison.h"
#include "support/schema.h"

/* ---------------------------------------------------------------- the file */

Test(results, the_example_is_of_the_schema_and_a_broken_one_is_not)
{
    char message[600];
    json_t *schema = support_project_json("bench/results.schema.json");
    json_t *example = support_project_json("tests/compare/results.json");
    comparison_assert_schema(example);
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
                                        "bench/strategies/fashion-mnist-20-tuned.json",
                                        "bench/strategies/fashion-mnist-100.json" };
    for (size_t i = 0; i < THAW_COUNT(kept); i++) {
        json_t *file = support_project_json(kept[i]);
        comparison_assert_schema(file);
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

Test(results, hold_what_was_measured, .init = comparison_begin, .fini = comparison_end)
{
    comparison_use("full", NULL);
    comparison_use("head", NULL);
    const thaw_comparison_options options = comparison_options();
    thaw_comparison *made = comparison_run(&options);
    json_t *file = comparison_load();
    comparison_assert_schema(file);
    cr_assert(json_is_true(json_object_get(file, "complete")));
    const json_t *runs = json_object_get(file, "runs");
    cr_assert_eq(json_array_size(runs), 2 * COMPARISON_SEEDS);
    double sums[2] = { 0 };
    size_t index;
    json_t *run;
    json_array_foreach(runs, index, run)
    {
        const bool head = strcmp(json_string_value(json_object_get(run, "strategy")), "head") == 0;
        const json_t *epochs = json_object_get(run, "epochs");
        cr_assert_eq(json_array_size(epochs), COMPARISON_EPOCHS);
        const json_t *last = json_array_get(epochs, COMPARISON_EPOCHS - 1), *times = json_object_get(last, "times");
        sums[head] += number_at(last, "test_accuracy");
        cr_assert_eq(json_is_true(json_object_get(last, "cached")), head);
        cr_assert_eq(number_at(last, "parameters_trained"), head ? 68 : 57 + 16 * (3 * 7 * 5 + 1) + 68);
        const char *state = json_string_value(json_array_get(json_object_get(last, "layer_states"), 0));
        cr_assert_str_eq(state, head ? "cached" : "trained");
        const double parts = number_at(times, "data") + number_at(times, "forward") + number_at(times, "backward") +
                             number_at(times, "update") + number_at(times, "other");
        cr_assert(fabs(parts - number_at(last, "seconds")) < 1e-9);
        cr_assert_gt(number_at(last, "test_seconds"), 0);
        cr_assert_gt(number_at(last, "wall_seconds"), number_at(last, "seconds") + number_at(last, "test_seconds"));
        cr_assert(number_at(times, "forward") > 0 && number_at(times, "backward") > 0);
    }
    for (size_t i = 0; i < 2; i++) {
        const thaw_configuration one = comparison_at(made, i);
        const json_t *kept = json_array_get(json_object_get(file, "configurations"), i);
        cr_assert_eq(one.runs, COMPARISON_SEEDS);
        cr_assert(fabs(one.accuracy.mean - sums[i] / COMPARISON_SEEDS) < 1e-15);
        cr_assert(number_at(json_object_get(kept, "accuracy"), "mean") == one.accuracy.mean);
        cr_assert(number_at(kept, "seconds_per_epoch") == one.seconds_per_epoch);
        cr_assert(one.seconds_to_target > 0);
    }
    cr_assert_eq(comparison_at(made, 0).against_full.count, 0);
    cr_assert_eq(comparison_at(made, 1).against_full.count, COMPARISON_SEEDS);
    json_decref(file);
    thaw_comparison_destroy(made);
}

Test(results, are_a_table_too, .init = comparison_begin, .fini = comparison_end)
{
    char text[8192] = { 0 }, table[SUPPORT_PATH_BYTES];
    support_path(table, comparison.directory, "results.csv");
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    options.results = NULL;
    thaw_comparison *made = comparison_run(&options);
    assert_ok(comparison.context, thaw_comparison_write_csv(made, table));
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
    thaw_comparison_destroy(made);
}

/* A spreadsheet runs what begins like a formula. */
Test(results, give_a_spreadsheet_nothing_to_run, .init = comparison_begin, .fini = comparison_end)
{
    static const char *const names[] = { "=HYPERLINK(1)", "-1", "@sum", "full=1" };
    char text[8192] = { 0 }, path[SUPPORT_PATH_BYTES], table[SUPPORT_PATH_BYTES];
    support_path(table, comparison.directory, "results.csv");
    support_path(path, comparison.directory, "named.json");
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        char file[128], field[64];
        snprintf(file, sizeof file, "{\"strategies\": [{\"name\": \"%s\", \"rules\": []}]}", names[i]);
        support_write_file(path, file, strlen(file));
        comparison_use(names[i], path);
        thaw_comparison_options options = comparison_options();
        options.strategies = &options.strategies[i];
        options.strategy_count = 1;
        options.results = NULL;
        options.epochs = options.seeds = 1;
        thaw_comparison *made = comparison_run(&options);
        assert_ok(comparison.context, thaw_comparison_write_csv(made, table));
        memset(text, 0, sizeof text);
        support_read_file(table, text, sizeof text - 1);
        snprintf(field, sizeof field, "\n\"%s%s\",", i < 3 ? "'" : "", names[i]);
        cr_assert_not_null(strstr(text, field), "%s", text);
        thaw_comparison_destroy(made);
    }
}

/* ---------------------------------------------------------------- what is said */

/* `twin` is full under another name, and `crippled` keeps the network where it begins. */
static void use_planted(void)
{
    static const char text[] = "{\"strategies\": [{\"name\": \"twin\", \"rules\": []}, {\"name\": \"crippled\", "
                               "\"rules\": [{\"epoch\": 1, \"pattern\": \"*\", \"action\": \"rate\", \"value\": 0}]}]}";
    char path[SUPPORT_PATH_BYTES];
    support_write_file(support_path(path, comparison.directory, "planted.json"), text, sizeof text - 1);
    comparison_use("full", NULL);
    comparison_use("twin", path);
    comparison_use("crippled", path);
}

Test(comparison, equal_strategies_tie_and_a_crippled_one_loses, .init = comparison_begin, .fini = comparison_end)
{
    use_planted();
    thaw_comparison_options options = comparison_options();
    options.results = NULL;
    options.test = comparison.training; /* what was learnt by heart shows */
    options.seeds = 4;
    options.epochs = 40;
    thaw_comparison *made = comparison_run(&options);
    const thaw_configuration full = comparison_at(made, 0), twin = comparison_at(made, 1),
                             crippled = comparison_at(made, 2);
    cr_assert(full.accuracy.mean == twin.accuracy.mean && full.accuracy.low == twin.accuracy.low);
    cr_assert(full.loss.mean == twin.loss.mean);
    cr_assert(twin.against_full.mean == 0 && twin.against_full.low == 0 && twin.against_full.high == 0);
    cr_assert(full.rank == 1 && twin.rank == 1, "%d and %d", full.rank, twin.rank);
    cr_assert_eq(crippled.rank, 3, "full %g, crippled %g..%g", full.accuracy.mean, crippled.accuracy.low,
                 crippled.accuracy.high);
    cr_assert(crippled.against_full.high < 0);
    thaw_comparison_destroy(made);
}

Test(comparison, one_seed_makes_no_winner, .init = comparison_begin, .fini = comparison_end)
{
    use_planted();
    thaw_comparison_options options = comparison_options();
    options.results = NULL;
    options.seeds = 1;
    thaw_comparison *made = comparison_run(&options);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(comparison_at(made, i).rank, 1);
    cr_assert(isnan(comparison_at(made, 1).against_full.low));
    thaw_comparison_destroy(made);
}

Test(comparison, goes_on_when_a_run_diverges, .init = comparison_begin, .fini = comparison_end)
{
    static const char *const optimizers[] = { "sgd:lr=1e30", "adam:lr=0.01" };
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    options.optimizers = optimizers;
    options.optimizer_count = 2;
    thaw_comparison *made = comparison_run(&options);
    json_t *file = comparison_load();
    comparison_assert_schema(file);
    const thaw_configuration lost = comparison_at(made, 0), kept = comparison_at(made, 1);
    cr_assert(lost.runs == COMPARISON_SEEDS && lost.diverged == COMPARISON_SEEDS && !lost.chosen && lost.rank == 0);
    cr_assert(kept.runs == COMPARISON_SEEDS && kept.diverged == 0 && kept.chosen && kept.rank == 1);
    json_decref(file);
    thaw_comparison_destroy(made);
}

Test(comparison, rates_lie_half_a_decade_apart_and_one_is_chosen, .init = comparison_begin, .fini = comparison_end)
{
    comparison_use("full", NULL);
    comparison_use("head", NULL);
    thaw_comparison_options options = comparison_options();
    options.rates = 3;
    options.seeds = 2;
    thaw_comparison *made = comparison_run(&options);
    cr_assert_eq(thaw_comparison_count(made), 6);
    for (size_t i = 0; i < 6; i++) {
        const double expected = 0.01 * pow(10, ((int)(i % 3) - 1) / 2.0);
        cr_assert(fabs(comparison_at(made, i).learning_rate - expected) < 1e-15);
    }
    for (size_t pair = 0; pair < 2; pair++) {
        size_t chosen = 0;
        for (size_t i = 3 * pair; i < 3 * pair + 3; i++)
            chosen += comparison_at(made, i).chosen;
        cr_assert_eq(chosen, 1);
    }
    json_t *file = comparison_load();
    comparison_assert_schema(file);
    json_decref(file);
    thaw_comparison_destroy(made);
}

/* ---------------------------------------------------------------- refusals */

Test(comparison, refuses_before_anything_is_run, .init = comparison_begin, .fini = comparison_end)
{
    comparison_use("full", NULL);
    comparison_use("norm-only", NULL);
    thaw_comparison_options options = comparison_options();
    comparison_assert_refused(&options, THAW_NOT_FOUND, "strategy norm-only, epoch 1: \"@norm\" matches nothing");
    options.strategy_count = 1;
    options.optimizers = (const char *const[]){ "adamm" };
    comparison_assert_refused(&options, THAW_NOT_FOUND, "adam");
    options.optimizers = (const char *const[]){ "sgd", "sgd" };
    options.optimizer_count = 2;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "optimizer sgd is given twice");
    options.optimizer_count = 1;
    options.data = "folder:\xFF";
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "data is not UTF-8 text");
    options.data = NULL;
    options.results = "/absent/folder/results.json";
    comparison_assert_refused(&options, THAW_IO_ERROR, "/absent/folder/results.json");
    options.test = NULL;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "test must be set");
    cr_assert_neq(access(comparison.results, F_OK), 0);
}
