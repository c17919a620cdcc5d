/* Keeps the record of a run: in the comparison, and at once in the journal or the results. */
#include "compare/comparison.h"
#include "core/clock.h"

/* The results file is rewritten when the last rewrite took less than this share of the time since. */
static const double WRITING_SHARE = 0.01;

thaw_status thaw_comparison_rewrite(thaw_comparison *comparison)
{
    const double begin = thaw_seconds();
    const thaw_status status = thaw_results_write(comparison);
    comparison->written_at = thaw_seconds();
    comparison->writing_took = comparison->written_at - begin;
    return status;
}

static thaw_status write_new(thaw_comparison *comparison, const json_t *run)
{
    thaw_status status = thaw_journal_append(&comparison->journal, run);
    const double since = thaw_seconds() - comparison->written_at;
    if (status == THAW_OK && comparison->writing_took <= WRITING_SHARE * since) {
        status = thaw_comparison_rewrite(comparison);
        if (status == THAW_OK)
            status = thaw_journal_clear(&comparison->journal);
    }
    return status;
}

thaw_status thaw_comparison_keep(thaw_comparison *comparison, json_t **place, json_t *run)
{
    pthread_mutex_lock(&comparison->keeping);
    json_decref(*place); /* a shorter run of a race */
    *place = run;
    atomic_fetch_add(&comparison->done, 1);
    comparison->summarized = false;
    const thaw_status status = comparison->options.results ? write_new(comparison, run) : THAW_OK;
    if (status != THAW_OK && comparison->failure == THAW_OK)
        comparison->failure = status;
    if (status != THAW_OK)
        atomic_store(&comparison->stop, true);
    pthread_mutex_unlock(&comparison->keeping);
    return status;
}
