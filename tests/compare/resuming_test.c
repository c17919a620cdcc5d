/* Comparisons that were stopped, and are resumed from what they left. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compare/journal.h"
#include "support/comparison.h"
#include "support/results.h"

/* ---------------------------------------------------------------- resuming */

Test(resuming, gives_the_same_wherever_it_was_stopped, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = comparison_of_four_runs();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load_timeless();
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
        json_t *resumed = comparison_load_timeless();
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

/* Writes what a kill may leave: a file with the first `held` of the runs, and a journal that begins before these end
   and ends within the last run. */
static void leave(const json_t *whole, size_t held)
{
    json_t *some = json_deep_copy(whole), *runs = json_object_get(some, "runs");
    const json_t *all = json_object_get(whole, "runs");
    const size_t count = json_array_size(all);
    while (json_array_size(runs) > held)
        json_array_remove(runs, held);
    json_object_set_new(some, "complete", json_false());
    json_object_del(some, "checksum");
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

/* That the file holds the four runs of `whole`: the first `kept` themselves, and the others run again. */
static void assert_resumed(const json_t *whole, size_t kept, const char *where)
{
    json_t *resumed = comparison_load(), *timeless = json_deep_copy(whole);
    for (size_t i = 0; i < 4; i++) /* with their times, which differ when a run is repeated */
        cr_assert_eq(json_equal(json_array_get(json_object_get(whole, "runs"), i),
                                json_array_get(json_object_get(resumed, "runs"), i)),
                     i < kept, "run %zu, %s", i, where);
    support_forget_times(timeless);
    support_forget_times(resumed);
    cr_assert(json_equal(timeless, resumed), "%s", where);
    json_decref(timeless);
    json_decref(resumed);
}

Test(journal, holds_what_the_file_does_not, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = comparison_of_four_runs();
    thaw_comparison_destroy(comparison_run(&options));
    comparison_assert_no_journal();
    json_t *whole = comparison_load();
    for (size_t held = 0; held < 3; held++) {
        leave(whole, held);
        options.resume = false;
        comparison_assert_refused(&options, THAW_IO_ERROR, "exists already; resume it, or move it away");
        options.resume = true;
        thaw_comparison_destroy(comparison_run(&options));
        comparison_assert_no_journal();
        char where[32];
        snprintf(where, sizeof where, "%zu in the file", held);
        assert_resumed(whole, 3, where);
    }
    json_decref(whole);
}

Test(journal, of_another_comparison_is_refused, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = comparison_of_four_runs();
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
    thaw_comparison_options options = comparison_of_four_runs();
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
        comparison_assert_no_journal();
        char where[32];
        snprintf(where, sizeof where, "line %zu is damaged", line);
        assert_resumed(whole, line ? line - 1 : 0, where);
    }
    json_decref(whole);
}

Test(journal, without_a_whole_line_is_none, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = comparison_of_four_runs();
    options.resume = true;
    support_write_file(comparison.journal, "{\"schema\": ", 11);
    thaw_comparison_destroy(comparison_run(&options));
    json_decref(comparison_load());
    comparison_assert_no_journal();
}
