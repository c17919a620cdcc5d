/* Carries out the runs of a comparison, some of them concurrently. */
#include <thaw/runtime.h>

#include "compare/comparison.h"
#include "core/clock.h"
#include "core/workers.h"

/* The results file is rewritten when the last rewrite took less than this share of the time since. */
static const double WRITING_SHARE = 0.01;

static thaw_status write_whole(thaw_comparison *comparison)
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
        status = write_whole(comparison);
        if (status == THAW_OK)
            status = thaw_journal_clear(&comparison->journal);
    }
    return status;
}

static void keep(thaw_comparison *comparison, json_t **place, json_t *run)
{
    pthread_mutex_lock(&comparison->keeping);
    *place = run;
    atomic_fetch_add(&comparison->done, 1);
    comparison->summarized = false;
    const thaw_status status = comparison->options.results ? write_new(comparison, run) : THAW_OK;
    if (status != THAW_OK && comparison->failure == THAW_OK)
        comparison->failure = status;
    if (status != THAW_OK)
        atomic_store(&comparison->stop, true);
    pthread_mutex_unlock(&comparison->keeping);
}

/* The first reason given becomes that of the comparison; the other runs end after their current step. */
static void give_up(thaw_comparison *comparison, const char *message, thaw_status status)
{
    pthread_mutex_lock(&comparison->keeping);
    if (comparison->failure == THAW_OK)
        comparison->failure = thaw_fail(comparison->context, status, "%s", message);
    atomic_store(&comparison->stop, true);
    pthread_mutex_unlock(&comparison->keeping);
}

static void run_step(void *argument, size_t job, size_t step)
{
    thaw_comparison *comparison = argument;
    const size_t round = step / comparison->entry_count;
    thaw_comparison_entry *entry = &comparison->entries[comparison->order[step]];
    if (entry->runs[round] || atomic_load(&comparison->stop))
        return;
    thaw_run_outcome outcome;
    thaw_run_carry_out(comparison, entry, comparison->options.first_seed + round, job, &outcome);
    if (outcome.record)
        keep(comparison, &entry->runs[round], outcome.record);
    else
        give_up(comparison, outcome.message, outcome.status);
}

static thaw_status run_all(thaw_comparison *comparison, size_t all)
{
    thaw_workers *workers;
    const thaw_status status = thaw_workers_create(comparison->context, comparison->options.jobs, &workers);
    if (status != THAW_OK)
        return status;
    comparison->failure = THAW_OK;
    atomic_store(&comparison->stop, false);
    thaw_workers_run(workers, all, run_step, comparison);
    thaw_workers_destroy(workers);
    return comparison->failure;
}

thaw_status thaw_comparison_run(thaw_comparison *comparison)
{
    const char *results = comparison->options.results;
    const size_t all = comparison->entry_count * (size_t)comparison->options.seeds;
    comparison->began = comparison->written_at = thaw_seconds();
    comparison->writing_took = 0;
    comparison->resumed = comparison->started = comparison->done;
    thaw_status status = comparison->done > 0 ? write_whole(comparison) : THAW_OK;
    if (status == THAW_OK && results)
        status = thaw_journal_begin(&comparison->journal, comparison->head);
    if (status != THAW_OK)
        return status;
    status = run_all(comparison, all);
    bool written = comparison->done == 0;
    if (!written) {
        const thaw_status last = write_whole(comparison);
        written = last == THAW_OK;
        status = status == THAW_OK ? last : status;
    }
    if (results && written) {
        const thaw_status emptied = thaw_journal_empty(&comparison->journal);
        status = status == THAW_OK ? emptied : status;
    }
    return status;
}
