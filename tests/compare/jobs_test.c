/* Comparisons with several runs at a time. */
#include <stdio.h>
#include <unistd.h>

#include "core/threads.h"
#include "support/comparison.h"

/* Whether two runs can be concurrent here; if not, asserts that they are refused. */
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
    thaw_comparison_options options = comparison_of_four_runs();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load_timeless();
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
        comparison_assert_no_journal();
        json_t *resumed = comparison_load_timeless();
        cr_assert(json_equal(whole, resumed), "stopped at run %zu", run);
        json_decref(resumed);
    }
    json_decref(whole);
}

Test(jobs, go_on_when_one_run_diverges, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = comparison_of_four_runs();
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
    thaw_comparison_options options = comparison_of_four_runs();
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
    thaw_comparison_options options = comparison_of_four_runs();
    const int cores = thaw_threads_available();
    options.jobs = cores + 1;
    snprintf(message, sizeof message, "%d runs at a time on 1 thread each need more than the %d core", options.jobs,
             cores);
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, message);
    options.jobs = -1;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "must not be negative");
    cr_assert_neq(access(comparison.results, F_OK), 0);
}
