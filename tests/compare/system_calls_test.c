/* Comparisons and journals when the operating system refuses: each call fails in turn, once. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "compare/journal.h"
#include "support/comparison.h"
#include "support/faults.h"

static const int reasons[] = { EIO, ENOSPC, EINTR, SUPPORT_SHORT, SUPPORT_TORN };

/* The error that a reason leads to. */
static const char *text_of(int reason)
{
    return strerror(reason > 0 ? reason : ENOSPC);
}

/* An error names a file and what the system said. */
static void assert_clear(thaw_status status, int reason, int call)
{
    const char *message = thaw_context_message(comparison.context);
    cr_assert(status == THAW_IO_ERROR || status == THAW_OUT_OF_MEMORY, "call %d: %s: %s", call,
              thaw_status_name(status), message);
    cr_assert(message[0] == '/' && strstr(message, text_of(reason)), "call %d, %s: %s", call, text_of(reason), message);
}

/* ---------------------------------------------------------------- a journal */

enum { LINES = 4 };

/* Begins, adds runs, hands them over, and adds another. Returns how many lines were written; *cleared tells that the
   first two runs are gone. */
static thaw_status use_journal(const json_t *const *lines, size_t *written, bool *cleared)
{
    thaw_journal journal;
    *written = 0;
    *cleared = false;
    thaw_status status = thaw_journal_open(comparison.context, comparison.results, &journal);
    if (status != THAW_OK)
        return status;
    status = thaw_journal_begin(&journal, lines[0]);
    for (size_t i = 1; i < LINES && status == THAW_OK; i++) {
        ++*written;
        if (i == LINES - 1) {
            status = thaw_journal_clear(&journal);
            *cleared = status == THAW_OK;
        }
        if (status == THAW_OK)
            status = thaw_journal_append(&journal, lines[i]);
    }
    *written += status == THAW_OK;
    thaw_journal_close(&journal);
    return status;
}

/* What was written without an error is there, and what follows is the next line, whole, or nothing. */
static void assert_held(const json_t *const *lines, size_t written, bool cleared, int call)
{
    thaw_journal journal;
    json_t *found;
    assert_ok(comparison.context, thaw_journal_open(comparison.context, comparison.results, &journal));
    assert_ok(comparison.context, thaw_journal_read(&journal, &found));
    const size_t count = json_array_size(found), gone = cleared ? LINES - 2 : 0;
    cr_assert(count + gone >= written && count + gone <= written + 1, "call %d: %zu of %zu lines", call, count,
              written);
    for (size_t i = 0; i < count; i++)
        cr_assert(json_equal(json_array_get(found, i), lines[i ? i + gone : 0]), "call %d: line %zu", call, i);
    json_decref(found);
    thaw_journal_close(&journal);
}

Test(system_calls, of_a_journal_lose_no_line, .init = comparison_begin, .fini = comparison_end)
{
    json_t *lines[LINES];
    for (int i = 0; i < LINES; i++)
        lines[i] = json_pack("{sisf}", "line", i, "value", 0.25 * i);
    for (size_t k = 0; k < THAW_COUNT(reasons); k++) {
        int errors = 0, call = 1;
        for (bool fired = true; fired; call++) {
            size_t written;
            bool cleared;
            const size_t descriptors = support_count_entries("/proc/self/fd");
            unlink(comparison.journal);
            support_faults_arm(call, reasons[k]);
            const thaw_status status = use_journal((const json_t *const *)lines, &written, &cleared);
            fired = support_faults_disarm();
            if (status != THAW_OK)
                assert_clear(status, reasons[k], call);
            errors += status != THAW_OK;
            cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors, "call %d: a descriptor leaks", call);
            assert_held((const json_t *const *)lines, written, cleared, call);
        }
        cr_assert_geq(call, 20, "only %d calls", call);
        cr_assert(reasons[k] == SUPPORT_SHORT ? errors == 0 : errors >= LINES, "%s: %d errors", text_of(reasons[k]),
                  errors);
    }
    for (int i = 0; i < LINES; i++)
        json_decref(lines[i]);
}

/* ---------------------------------------------------------------- a comparison */

static thaw_status compare(const thaw_comparison_options *options, bool report)
{
    thaw_comparison *made;
    thaw_status status = thaw_comparison_create(comparison.context, options, &made);
    if (status != THAW_OK)
        return status;
    status = thaw_comparison_run(made);
    if (status == THAW_OK && report)
        status = thaw_comparison_write_report(made, comparison.directory);
    thaw_comparison_destroy(made);
    return status;
}

/* A file that is there is whole: its end is. */
static void assert_ends(const char *name, const char *last, int call)
{
    static char text[1 << 20];
    char path[SUPPORT_PATH_BYTES];
    const long bytes = support_read_file(support_path(path, comparison.directory, name), text, sizeof text);
    const long length = (long)strlen(last);
    cr_assert(bytes < 0 || (bytes >= length && memcmp(text + bytes - length, last, (size_t)length) == 0), "call %d: %s",
              call, name);
}

static void clear_directory(thaw_comparison_options *options)
{
    support_remove_tree(comparison.directory);
    comparison_make_directory();
    options->results = comparison.results;
}

static void sweep_comparison(int reason)
{
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    options.seeds = 2;
    options.epochs = 1;
    assert_ok(comparison.context, compare(&options, true));
    json_t *whole = comparison_load_timeless();
    const size_t files = support_count_entries(comparison.directory);
    int errors = 0, call = 1;
    for (bool fired = true; fired; call++) {
        const size_t descriptors = support_count_entries("/proc/self/fd");
        clear_directory(&options);
        options.resume = false;
        support_faults_arm(call, reason);
        const thaw_status status = compare(&options, true);
        fired = support_faults_disarm();
        if (status != THAW_OK)
            assert_clear(status, reason, call);
        errors += status != THAW_OK;
        cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors, "call %d: a descriptor leaks", call);
        assert_ends("results.json", "}\n", call);
        assert_ends("results.csv", "\n", call);
        assert_ends("index.html", "</html>\n", call);
        options.resume = true;
        assert_ok(comparison.context, compare(&options, false));
        json_t *resumed = comparison_load_timeless();
        cr_assert(json_equal(whole, resumed), "call %d", call);
        cr_assert_leq(support_count_entries(comparison.directory), files, "call %d: something is left", call);
        cr_assert_neq(access(comparison.journal, F_OK), 0, "call %d: the journal is left", call);
        json_decref(resumed);
    }
    cr_assert_geq(call, 80, "only %d calls", call);
    cr_assert_geq(errors, reason == SUPPORT_TORN ? 4 : 20, "only %d errors", errors);
    json_decref(whole);
}

#define SWEEP(name, reason)                                                                                      \
    Test(system_calls, of_a_comparison_##name, .init = comparison_begin, .fini = comparison_end, .timeout = 250) \
    {                                                                                                            \
        sweep_comparison(reason);                                                                                \
    }

SWEEP(fail, EIO)
SWEEP(are_interrupted, EINTR)
SWEEP(tear_a_line, SUPPORT_TORN)
