/* Races of small networks. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/comparison.h"
#include "support/results.h"

/* One that learns, one that hardly does, and one that stands still, each at two rates. */
static thaw_comparison_options a_race(void)
{
    static const char *const optimizers[] = { "adam:lr=0.01", "sgd:lr=1e-6", "sgd:lr=1e30" };
    comparison_use("full", NULL);
    comparison_use("lp-ft", NULL);
    thaw_comparison_options options = comparison_options();
    options.optimizers = optimizers;
    options.optimizer_count = 3;
    options.seeds = 4;
    options.epochs = 20;
    options.target_accuracy = 0;
    options.test = comparison.training; /* what was learnt by heart shows */
    options.race = true;
    return options;
}

Test(race, stops_what_is_beaten_and_says_why, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = a_race();
    thaw_comparison *made = comparison_run(&options);
    json_t *file = comparison_load();
    cr_assert(json_is_true(json_object_get(file, "complete")));
    size_t stopped = 0, index;
    json_t *one;
    json_array_foreach(json_object_get(file, "configurations"), index, one)
    {
        const thaw_configuration configuration = comparison_at(made, index);
        const json_t *why = json_object_get(one, "stopped");
        stopped += configuration.race.stopped;
        cr_assert_eq(why != NULL, configuration.race.stopped);
        if (why && !configuration.race.diverged)
            cr_assert(configuration.race.difference.high < 0 && configuration.rank == 0);
        cr_assert_eq(configuration.race.diverged, strcmp(configuration.optimizer, "sgd:lr=1e30") == 0);
        if (!why)
            cr_assert(configuration.runs == 4 && configuration.rank > 0 && configuration.chosen);
    }
    cr_assert(stopped >= 3 && stopped < 6, "%zu", stopped);
    cr_assert(!comparison_at(made, 0).race.stopped);
    json_decref(file);
    thaw_comparison_destroy(made);
}

/* A field of a line of CSV, without its quotes. */
static void field_at(const char *line, size_t column, char *field, size_t capacity)
{
    bool quoted = false;
    size_t length = 0;
    for (; *line && *line != '\r' && (column > 0 || quoted || *line != ','); line++) {
        if (*line == '"')
            quoted = !quoted;
        else if (column == 0 && length + 1 < capacity)
            field[length++] = *line;
        else if (column > 0 && *line == ',' && !quoted)
            column--;
    }
    field[length] = '\0';
}

static size_t column_of(const char *head, const char *name)
{
    char field[64];
    for (size_t i = 0; i < 100; i++) {
        field_at(head, i, field, sizeof field);
        if (strcmp(field, name) == 0)
            return i;
    }
    cr_assert(false, "no column %s", name);
    return 0;
}

/* The table says of each configuration what the file says, which the page is made of. */
Test(race, is_in_the_table, .init = comparison_begin, .fini = comparison_end)
{
    static char table[1 << 16];
    char path[SUPPORT_PATH_BYTES], field[64];
    thaw_comparison_options options = a_race();
    thaw_comparison *made = comparison_run(&options);
    json_t *file = comparison_load(), *one;
    support_path(path, comparison.directory, "table.csv");
    assert_ok(comparison.context, thaw_comparison_write_csv(made, path));
    cr_assert_gt(support_read_file(path, table, sizeof table - 1), 0);
    const size_t reason = column_of(table, "stopped"), epochs = column_of(table, "stopped_epochs");
    const size_t behind = column_of(table, "behind_leader");
    const char *line = table;
    size_t index;
    json_array_foreach(json_object_get(file, "configurations"), index, one)
    {
        const json_t *why = json_object_get(one, "stopped");
        line = strchr(line, '\n') + 1;
        field_at(line, reason, field, sizeof field);
        cr_assert_str_eq(field, why ? json_string_value(json_object_get(why, "reason")) : "");
        field_at(line, epochs, field, sizeof field);
        cr_assert_eq(atoi(field), json_integer_value(json_object_get(why, "epochs")));
        field_at(line, behind, field, sizeof field);
        const json_t *difference = json_object_get(json_object_get(why, "difference"), "mean");
        cr_assert_eq(*field ? strtod(field, NULL) : 0, json_number_value(difference));
    }
    json_decref(file);
    thaw_comparison_destroy(made);
}

static const json_t *run_of(const json_t *file, const json_t *run)
{
    size_t index;
    json_t *other;
    json_array_foreach(json_object_get(file, "runs"), index,
                       other) if (json_equal(json_object_get(run, "seed"), json_object_get(other, "seed")) &&
                                  json_equal(json_object_get(run, "strategy"), json_object_get(other, "strategy")) &&
                                  json_equal(json_object_get(run, "optimizer"),
                                             json_object_get(other, "optimizer"))) return other;
    return NULL;
}

/* All but what depends on a feature cache, which is filled again where a run continues. */
static void assert_same_epoch(const json_t *one, const json_t *other, size_t run, size_t epoch)
{
    static const char *const keys[] = { "epoch",     "training_loss", "training_accuracy",
                                        "test_loss", "test_accuracy", "parameters_trained" };
    for (size_t i = 0; i < THAW_COUNT(keys); i++)
        cr_assert(json_equal(json_object_get(one, keys[i]), json_object_get(other, keys[i])), "run %zu, epoch %zu: %s",
                  run, epoch + 1, keys[i]);
}

static void assert_nothing_is_paused(void)
{
    char folder[SUPPORT_PATH_BYTES + 8];
    snprintf(folder, sizeof folder, "%s.race", comparison.results);
    cr_assert_neq(access(folder, F_OK), 0);
}

/* What goes on to the end is what it would be without a race, to the bit. */
static void assert_same_as_whole(thaw_comparison_options *options)
{
    thaw_comparison_destroy(comparison_run(options));
    assert_nothing_is_paused();
    json_t *raced = comparison_load_timeless();
    remove(comparison.results);
    options->race = false;
    thaw_comparison_destroy(comparison_run(options));
    json_t *whole = comparison_load_timeless();
    size_t index, at_epoch;
    json_t *run, *epoch;
    json_array_foreach(json_object_get(raced, "runs"), index, run)
    {
        const json_t *other = json_object_get(run_of(whole, run), "epochs");
        json_array_foreach(json_object_get(run, "epochs"), at_epoch, epoch)
            assert_same_epoch(epoch, json_array_get(other, at_epoch), index, at_epoch);
    }
    json_decref(raced);
    json_decref(whole);
}

/* With adapters that rules add, layers that thaw, several optimizers' states, and from files of the folder or not. */
Test(race, continues_with_the_same_bits, .init = comparison_begin, .fini = comparison_end)
{
    static const char *const optimizers[] = { "prodigy", "lookahead/adamw:lr=0.01" };
    comparison_use("lora:rank=2", NULL);
    comparison_use("gradual", NULL);
    thaw_comparison_options options = a_race();
    options.optimizers = optimizers;
    options.optimizer_count = 2;
    options.seeds = 2;
    options.epochs = 6;
    assert_same_as_whole(&options);
}

static size_t epochs_trained;

static bool count_epochs(void *user, const thaw_comparison_progress *progress)
{
    (void)user;
    epochs_trained += progress->training.step == progress->training.steps;
    return true;
}

/* Rungs of 1, 2, 4 and 8 epochs of two seeds cost no more than the last one; without a file they do. */
Test(race, trains_no_epoch_twice, .init = comparison_begin, .fini = comparison_end)
{
    static const char *const optimizers[] = { "adam:lr=0.01", "adam:lr=0.011" };
    thaw_comparison_options options = a_race();
    options.optimizers = optimizers;
    options.optimizer_count = 2;
    options.seeds = 2;
    options.epochs = 8;
    options.on_progress = count_epochs;
    epochs_trained = 0;
    thaw_comparison_destroy(comparison_run(&options));
    json_t *file = comparison_load(), *rung;
    double told = 0;
    size_t index;
    json_array_foreach(json_object_get(json_object_get(file, "race"), "rungs"), index, rung) told +=
        json_number_value(json_object_get(rung, "epochs_trained"));
    cr_assert_eq(told, (double)epochs_trained);
    cr_assert_leq(epochs_trained, 4 * 2 * 8);
    const size_t saved = epochs_trained;
    options.results = NULL;
    epochs_trained = 0;
    thaw_comparison_destroy(comparison_run(&options));
    cr_assert_gt(epochs_trained, saved);
    json_decref(file);
}

/* Checkpoints that are damaged, or missing, cost a warning and time. */
Test(race, begins_again_without_its_checkpoints, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = a_race();
    options.optimizer_count = 1;
    options.seeds = 2;
    options.epochs = 4;
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load_timeless();
    remove(comparison.results);
    thaw_comparison *made;
    comparison.stop_at_run = 5; /* in the second rung */
    assert_ok(comparison.context, thaw_comparison_create(comparison.context, &options, &made));
    cr_assert_eq(thaw_comparison_run(made), THAW_STOPPED);
    thaw_comparison_destroy(made);
    comparison.stop_at_run = 0;
    char folder[SUPPORT_PATH_BYTES + 8], path[SUPPORT_PATH_BYTES + 300];
    snprintf(folder, sizeof folder, "%s.race", comparison.results);
    DIR *directory = opendir(folder);
    cr_assert_not_null(directory);
    size_t found = 0;
    for (const struct dirent *file; (file = readdir(directory));) {
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        if (file->d_name[0] == '.')
            continue;
        if (found++ % 2 == 0)
            support_write_file(path, "damaged", 7);
        else
            unlink(path);
    }
    closedir(directory);
    cr_assert_geq(found, 3);
    options.resume = true;
    thaw_comparison_destroy(comparison_run(&options));
    assert_nothing_is_paused();
    json_t *resumed = comparison_load_timeless(), *run;
    size_t index;
    json_array_foreach(json_object_get(whole, "runs"), index, run)
    {
        const json_t *epochs = json_object_get(run, "epochs"),
                     *others = json_object_get(run_of(resumed, run), "epochs");
        cr_assert_eq(json_array_size(epochs), json_array_size(others));
        for (size_t e = 0; e < json_array_size(epochs); e++)
            assert_same_epoch(json_array_get(epochs, e), json_array_get(others, e), index, e);
    }
    json_decref(resumed);
    json_decref(whole);
}

Test(race, changes_no_run, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = a_race();
    assert_same_as_whole(&options);
}

Test(race, continues_where_it_stopped, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = a_race();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load_timeless();
    for (size_t run = 2; run <= 17; run += 5) {
        remove(comparison.results);
        thaw_comparison *made;
        options.resume = false;
        comparison.stop_at_run = run;
        assert_ok(comparison.context, thaw_comparison_create(comparison.context, &options, &made));
        cr_assert_eq(thaw_comparison_run(made), THAW_STOPPED, "run %zu", run);
        thaw_comparison_destroy(made);
        comparison.stop_at_run = 0;
        options.resume = true;
        thaw_comparison_destroy(comparison_run(&options));
        json_t *resumed = comparison_load_timeless();
        cr_assert(json_equal(whole, resumed), "stopped at run %zu", run);
        json_decref(resumed);
        comparison_assert_no_journal();
    }
    json_decref(whole);
}

Test(race, wants_seeds_and_no_target, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = a_race();
    options.seeds = 1;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "a race needs at least 2 seeds");
    options.seeds = 2;
    options.target_loss = 1;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "a race is by accuracy, so there must be no target");
    options.target_loss = 0;
    thaw_comparison_destroy(comparison_run(&options));
    options.resume = true;
    options.race = false;
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
}
