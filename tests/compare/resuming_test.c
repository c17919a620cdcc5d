/* Comparisons that were stopped, and go on: with one run at a time, and with several. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compare/journal.h"
#include "core/threads.h"
#include "support/comparison.h"
#include "support/hostile.h"
#include "support/results.h"

/* Of four runs. */
static thaw_comparison_options two_strategies(void)
{
    comparison_use("full", NULL);
    comparison_use("lp-ft", NULL);
    thaw_comparison_options options = comparison_options();
    options.seeds = 2;
    return options;
}

static json_t *load_timeless(void)
{
    json_t *file = comparison_load();
    support_forget_times(file);
    return file;
}

/* Nothing but the file of results is left. */
static void assert_no_journal(void)
{
    cr_assert_neq(access(comparison.journal, F_OK), 0);
    cr_assert_eq(support_count_entries(comparison.directory), 1);
}

/* ---------------------------------------------------------------- resuming */

Test(resuming, gives_the_same_wherever_it_was_stopped, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load();
    support_forget_times(whole);
    for (size_t run = 1; run <= 4; run++) {
        unlink(comparison.results);
        thaw_comparison *made;
        comparison.stop_at_run = run;
        options.resume = false;
        assert_ok(comparison.context, thaw_comparison_create(comparison.context, &options, &made));
        cr_assert_eq(thaw_comparison_run(made), THAW_STOPPED);
        thaw_comparison_destroy(made);
        cr_assert_eq(access(comparison.results, F_OK) == 0, run > 1);
        comparison.stop_at_run = 0;
        options.resume = true;
        thaw_comparison_destroy(comparison_run(&options));
        json_t *resumed = comparison_load();
        comparison_assert_schema(resumed);
        support_forget_times(resumed);
        cr_assert(json_equal(whole, resumed), "stopped at run %zu", run);
        json_decref(resumed);
    }
    json_decref(whole);
}

Test(resuming, runs_nothing_twice, .init = comparison_begin, .fini = comparison_end)
{
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *first = comparison_load();
    options.resume = true;
    thaw_comparison_destroy(comparison_run(&options));
    json_t *second = comparison_load();
    cr_assert(json_equal(first, second)); /* times too */
    json_decref(first);
    json_decref(second);
}

Test(resuming, wants_the_same_comparison, .init = comparison_begin, .fini = comparison_end)
{
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    options.seeds = 1;
    thaw_comparison_destroy(comparison_run(&options));
    comparison_assert_refused(&options, THAW_IO_ERROR, "exists already; resume it, or move it away");
    options.resume = true;
    options.epochs = COMPARISON_EPOCHS + 1;
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.epochs = COMPARISON_EPOCHS;
    options.reset = "dense2";
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.reset = NULL;
    options.test_data = "others";
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.test_data = NULL;
    options.optimizers = (const char *const[]){ "sgd" };
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"optimizers\" differ");
    options.optimizers = comparison_options().optimizers;
    thaw_context *wider = support_context(2);
    thaw_comparison *made;
    assert_fails(wider, thaw_comparison_create(wider, &options, &made), THAW_BAD_FORMAT,
                 "its runs used 1 threads; runs on 2 threads would");
    thaw_context_destroy(wider);
    support_write_file(comparison.results, "{\"schema\": \"thaw-bench-0\"}", 26);
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "is not of the schema thaw-bench-2");
    support_write_file(comparison.results, "{", 1);
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "results.json: line 1");
}

/* ---------------------------------------------------------------- the journal */

/* Writes what a kill may leave: a file with the first `held` of the runs, and a journal that begins before these end and
   ends within the last run. */
static void leave(const json_t *whole, size_t held)
{
    json_t *some = json_deep_copy(whole), *runs = json_object_get(some, "runs");
    const json_t *all = json_object_get(whole, "runs");
    const size_t count = json_array_size(all);
    while (json_array_size(runs) > held)
        json_array_remove(runs, held);
    json_object_set_new(some, "complete", json_false());
    unlink(comparison.results);
    if (held)
        json_dump_file(some, comparison.results, 0);
    thaw_journal journal;
    assert_ok(comparison.context, thaw_journal_open(comparison.context, comparison.results, &journal));
    json_array_clear(runs);
    json_object_del(some, "configurations");
    assert_ok(comparison.context, thaw_journal_begin(&journal, some));
    for (size_t i = held ? held - 1 : 0; i + 1 < count; i++)
        assert_ok(comparison.context, thaw_journal_append(&journal, json_array_get(all, i)));
    cr_assert_eq(write(journal.descriptor, "01234567 {\"strategy\": \"fu", 25), 25);
    thaw_journal_close(&journal);
    json_decref(some);
}

Test(journal, holds_what_the_file_does_not, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    thaw_comparison_destroy(comparison_run(&options));
    assert_no_journal();
    json_t *whole = comparison_load();
    for (size_t held = 0; held < 3; held++) {
        leave(whole, held);
        options.resume = false;
        comparison_assert_refused(&options, THAW_IO_ERROR, "exists already; resume it, or move it away");
        options.resume = true;
        thaw_comparison_destroy(comparison_run(&options));
        assert_no_journal();
        json_t *resumed = comparison_load();
        for (size_t i = 0; i < 3; i++) /* times too: nothing was run twice */
            cr_assert(json_equal(json_array_get(json_object_get(whole, "runs"), i),
                                 json_array_get(json_object_get(resumed, "runs"), i)),
                      "run %zu, %zu in the file", i, held);
        json_t *timeless = json_deep_copy(whole);
        support_forget_times(timeless);
        support_forget_times(resumed);
        cr_assert(json_equal(timeless, resumed), "%zu in the file", held);
        json_decref(timeless);
        json_decref(resumed);
    }
    json_decref(whole);
}

/* Neither what a link in the journal's place leads to, nor what it might. */
Test(journal, writes_through_no_link, .init = comparison_begin, .fini = comparison_end)
{
    static const char precious[] = "precious";
    char victim[SUPPORT_PATH_BYTES], found[sizeof precious] = "";
    support_path(victim, comparison.directory, "victim");
    thaw_comparison_options options = two_strategies();
    cr_assert_eq(symlink("victim", comparison.journal), 0);
    comparison_assert_refused(&options, THAW_IO_ERROR, "cannot open");
    cr_assert_neq(access(victim, F_OK), 0, "the link was followed");
    support_write_file(victim, precious, sizeof precious);
    options.resume = true;
    comparison_assert_refused(&options, THAW_IO_ERROR, "cannot open");
    cr_assert_eq(support_read_file(victim, found, sizeof found), sizeof precious);
    cr_assert_str_eq(found, precious);
}

Test(journal, of_another_comparison_is_refused, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load();
    leave(whole, 0);
    options.resume = true;
    options.batch = 8;
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "results.json.journal: holds another comparison");
    options.batch = comparison_options().batch;
    json_decref(whole);
}

Test(journal, that_is_damaged_counts_up_to_there, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load();
    options.resume = true;
    for (size_t line = 0; line < 4; line++) {
        char text[1 << 16] = "";
        leave(whole, 0);
        const long bytes = support_read_file(comparison.journal, text, sizeof text);
        cr_assert(bytes > 0 && bytes < (long)sizeof text);
        char *at = text;
        for (size_t i = 0; i < line; i++)
            at = strchr(at, '\n') + 1;
        at[12] ^= 1;
        support_write_file(comparison.journal, text, (size_t)bytes);
        thaw_comparison_destroy(comparison_run(&options));
        assert_no_journal();
        json_t *resumed = comparison_load();
        for (size_t i = 0; i < 4; i++) /* times too, of those that were not run again */
            cr_assert_eq(json_equal(json_array_get(json_object_get(whole, "runs"), i),
                                    json_array_get(json_object_get(resumed, "runs"), i)),
                         i + 1 < line, "run %zu, line %zu is damaged", i, line);
        json_t *timeless = json_deep_copy(whole);
        support_forget_times(timeless);
        support_forget_times(resumed);
        cr_assert(json_equal(timeless, resumed), "line %zu is damaged", line);
        json_decref(timeless);
        json_decref(resumed);
    }
    json_decref(whole);
}

Test(journal, without_a_whole_line_is_none, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    options.resume = true;
    support_write_file(comparison.journal, "{\"schema\": ", 11);
    thaw_comparison_destroy(comparison_run(&options));
    json_decref(comparison_load());
    assert_no_journal();
}

/* ---------------------------------------------------------------- one value that nobody expects */

static thaw_comparison_options resumed_options;
static const json_t *journal_head; /* NULL: the file of results */
static size_t accepted;

/* Writes the document as the file of results, or as the only run of a journal. */
static void store(const json_t *document)
{
    if (!journal_head) {
        cr_assert_eq(json_dump_file(document, comparison.results, 0), 0);
        return;
    }
    thaw_journal journal;
    assert_ok(comparison.context, thaw_journal_open(comparison.context, comparison.results, &journal));
    assert_ok(comparison.context, thaw_journal_begin(&journal, journal_head));
    assert_ok(comparison.context, thaw_journal_append(&journal, document));
    thaw_journal_close(&journal);
}

/* What is accepted can be summed up and written. */
static void resume(const json_t *document, const char *change)
{
    thaw_comparison *made;
    unlink(comparison.results);
    store(document);
    const thaw_status status = thaw_comparison_create(comparison.context, &resumed_options, &made);
    cr_assert(status == THAW_OK || status == THAW_BAD_FORMAT, "%s: %s", change,
              thaw_context_message(comparison.context));
    if (status == THAW_OK) {
        accepted++;
        for (size_t i = 0; i < thaw_comparison_count(made); i++)
            comparison_at(made, i);
        assert_ok(comparison.context, thaw_comparison_write_report(made, comparison.directory));
    }
    thaw_comparison_destroy(made);
    unlink(comparison.journal);
}

static void remove_report(void)
{
    support_remove_tree(comparison.directory);
    support_make_directory(comparison.directory);
    comparison_end();
}

static void resume_with_hostile_values(bool from_journal)
{
    comparison_use("full", NULL);
    resumed_options = comparison_options();
    resumed_options.seeds = 1;
    resumed_options.epochs = 1;
    thaw_comparison_destroy(comparison_run(&resumed_options));
    json_t *whole = comparison_load();
    json_object_del(whole, "configurations"); /* made again, and never read */
    unlink(comparison.results);
    resumed_options.resume = true;
    journal_head = from_journal ? whole : NULL;
    json_t *changed = from_journal ? json_array_get(json_object_get(whole, "runs"), 0) : whole;
    resume(changed, "as it is");
    cr_assert_eq(accepted, 1);
    const size_t changes = support_each_hostile(changed, resume);
    cr_assert(changes > 300 && accepted > 100, "%zu of %zu", accepted, changes);
    json_decref(whole);
}

Test(resuming, takes_any_value_anywhere_or_says_why_not, .init = comparison_begin, .fini = remove_report,
     .timeout = 280)
{
    resume_with_hostile_values(false);
}

Test(journal, may_hold_any_value_anywhere, .init = comparison_begin, .fini = remove_report, .timeout = 280)
{
    resume_with_hostile_values(true);
}

/* ---------------------------------------------------------------- several at a time */

/* Whether two runs may go on here at the same time; where not, that they are refused. */
static bool allow_two(thaw_comparison_options *options)
{
    options->jobs = 2;
    if (thaw_threads_available() > 1)
        return true;
    comparison_assert_refused(options, THAW_INVALID_ARGUMENT, "2 runs at a time on 1 thread each need more than");
    return false;
}

Test(jobs, make_no_difference_wherever_they_were_stopped, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = load_timeless();
    for (size_t run = 0; run <= 4 && allow_two(&options); run++) {
        unlink(comparison.results);
        comparison.stop_at_run = run;
        options.resume = false;
        thaw_comparison *made;
        assert_ok(comparison.context, thaw_comparison_create(comparison.context, &options, &made));
        cr_assert_eq(thaw_comparison_run(made), run ? THAW_STOPPED : THAW_OK);
        thaw_comparison_destroy(made);
        comparison.stop_at_run = 0;
        options.resume = true;
        options.jobs = run % 2 ? 1 : 2;
        thaw_comparison_destroy(comparison_run(&options));
        assert_no_journal();
        json_t *resumed = load_timeless();
        cr_assert(json_equal(whole, resumed), "stopped at run %zu", run);
        json_decref(resumed);
    }
    json_decref(whole);
}

Test(jobs, go_on_when_one_run_diverges, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    options.optimizers = (const char *const[]){ "sgd:lr=1e30", "adam:lr=0.01" };
    options.optimizer_count = 2;
    if (!allow_two(&options))
        return;
    thaw_comparison *made = comparison_run(&options);
    for (size_t i = 0; i < 4; i++) {
        const thaw_configuration one = comparison_at(made, i);
        cr_assert(one.runs == 2 && one.diverged == (i < 2 ? 2 : 0), "configuration %zu", i);
    }
    json_t *file = comparison_load();
    cr_assert_eq(json_integer_value(json_object_get(json_array_get(json_object_get(file, "runs"), 0), "jobs")), 2);
    json_decref(file);
    thaw_comparison_destroy(made);
}

static size_t builds_left;

static thaw_status fail_at_last(void *user, thaw_model *model)
{
    if (builds_left-- == 0)
        return thaw_input(model, &(thaw_shape){ .rank = 0 }, &(thaw_node){ 0 });
    return comparison_options().build(user, model);
}

Test(jobs, keep_what_is_done_when_one_fails, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = two_strategies();
    thaw_comparison *made;
    if (!allow_two(&options))
        return;
    options.build = fail_at_last;
    builds_left = 100;
    assert_ok(comparison.context, thaw_comparison_create(comparison.context, &options, &made));
    builds_left = 3;
    cr_assert_eq(thaw_comparison_run(made), THAW_INVALID_ARGUMENT, "%s", thaw_context_message(comparison.context));
    thaw_comparison_destroy(made);
    json_t *file = comparison_load();
    cr_assert_geq(json_array_size(json_object_get(file, "runs")), 1);
    cr_assert(json_is_false(json_object_get(file, "complete")));
    json_decref(file);
}

Test(jobs, never_want_more_threads_than_there_are_cores, .init = comparison_begin, .fini = comparison_end)
{
    char message[96];
    thaw_comparison_options options = two_strategies();
    const int cores = thaw_threads_available();
    options.jobs = cores + 1;
    snprintf(message, sizeof message, "%d runs at a time on 1 thread each need more than the %d core", options.jobs,
             cores);
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, message);
    options.jobs = -1;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "must not be negative");
    cr_assert_neq(access(comparison.results, F_OK), 0);
}
