/* Comparisons that are resumed from results or a journal with one value that nobody would expect. */
#include <unistd.h>

#include "compare/journal.h"
#include "support/comparison.h"
#include "support/hostile.h"

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

static void resume_with_hostile_values(bool from_journal)
{
    comparison_use("full", NULL);
    resumed_options = comparison_options();
    resumed_options.seeds = 1;
    resumed_options.epochs = 1;
    thaw_comparison_destroy(comparison_run(&resumed_options));
    json_t *whole = comparison_load();
    json_object_del(whole, "configurations"); /* made again, and never read */
    json_object_del(whole, "checksum");       /* of something else than what is stored */
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

Test(hostile_values, in_results_are_taken_or_refused, .init = comparison_begin, .fini = comparison_end, .timeout = 280)
{
    resume_with_hostile_values(false);
}

Test(hostile_values, in_a_journal_are_taken_or_refused, .init = comparison_begin, .fini = comparison_end,
     .timeout = 280)
{
    resume_with_hostile_values(true);
}
