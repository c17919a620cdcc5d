/* Carries out the runs of a comparison, some of them concurrently. */
#include <thaw/runtime.h>

#include "compare/comparison.h"
#include "compare/paused.h"
#include "compare/tuning.h"
#include "core/clock.h"
#include "core/workers.h"

/* The first reason given becomes that of the comparison; the other runs end after their current step. */
static void give_up(thaw_comparison *comparison, const char *message, thaw_status status)
{
    pthread_mutex_lock(&comparison->keeping);
    if (comparison->failure == THAW_OK)
        comparison->failure = thaw_fail(comparison->context, status, "%s", message);
    atomic_store(&comparison->stop, true);
    pthread_mutex_unlock(&comparison->keeping);
}

typedef struct wanted {
    thaw_comparison *comparison;
    const thaw_run_set *runs;
    thaw_wants_run *wants;
} wanted;

static void run_step(void *argument, size_t job, size_t step)
{
    const wanted *all = argument;
    thaw_comparison *comparison = all->comparison;
    const thaw_run_set *runs = all->runs;
    const size_t round = step / runs->entry_count;
    thaw_comparison_entry *entry = &runs->entries[runs->order[step]];
    if (!all->wants(comparison, entry, round) || atomic_load(&comparison->stop))
        return;
    thaw_run_outcome outcome;
    const uint64_t seed = runs->first_seed + round;
    const size_t before = thaw_paused_epochs(comparison, entry, seed);
    thaw_run_carry_out(comparison, entry, seed, job, &outcome);
    if (outcome.record && thaw_comparison_keep(comparison, &entry->runs[round], outcome.record) == THAW_OK)
        thaw_paused_forget(comparison, entry, seed, before);
    else if (!outcome.record)
        give_up(comparison, outcome.message, outcome.status);
}

thaw_status thaw_comparison_run_wanted(thaw_comparison *comparison, const thaw_run_set *runs, thaw_wants_run *wants)
{
    wanted all = { comparison, runs, wants };
    thaw_workers *workers;
    const thaw_status status = thaw_workers_create(comparison->context, comparison->options.jobs, &workers);
    if (status != THAW_OK)
        return status;
    thaw_workers_run(workers, runs->entry_count * runs->rounds, run_step, &all);
    thaw_workers_destroy(workers);
    return comparison->failure;
}

static bool is_missing(const thaw_comparison *comparison, const thaw_comparison_entry *entry, size_t round)
{
    (void)comparison;
    return !entry->runs[round];
}

static bool spreads(const thaw_comparison *comparison)
{
    const thaw_communicator *communicator = comparison->options.communicator;
    return communicator && communicator->ranks > 1;
}

static thaw_status run_set(thaw_comparison *comparison, const thaw_run_set *runs)
{
    return spreads(comparison) ? thaw_comparison_run_on_ranks(comparison, runs)
                               : thaw_comparison_run_wanted(comparison, runs, is_missing);
}

/* The trials first, which decide what the other runs are. */
static thaw_status run_all(thaw_comparison *comparison)
{
    const thaw_run_set final_runs = thaw_comparison_final_runs(comparison);
    thaw_status status = spreads(comparison) ? thaw_comparison_agree(comparison) : THAW_OK;
    if (status == THAW_OK && comparison->tuning) {
        status = run_set(comparison, &comparison->tuning->runs);
        if (status == THAW_OK)
            status = thaw_tuning_choose_together(comparison);
    }
    if (status != THAW_OK)
        return status;
    return comparison->options.race ? thaw_comparison_race(comparison) : run_set(comparison, &final_runs);
}

thaw_status thaw_comparison_run(thaw_comparison *comparison)
{
    const char *results = comparison->options.results;
    comparison->began = comparison->written_at = thaw_seconds();
    comparison->writing_took = 0;
    comparison->resumed = comparison->started = comparison->done;
    comparison->epochs = comparison->options.epochs;
    comparison->planned = thaw_comparison_all_runs(comparison);
    thaw_status status = comparison->done > 0 ? thaw_comparison_rewrite(comparison) : THAW_OK;
    if (status == THAW_OK && results)
        status = thaw_journal_begin(&comparison->journal, comparison->head);
    if (status != THAW_OK)
        return status;
    comparison->failure = THAW_OK;
    atomic_store(&comparison->stop, false);
    status = run_all(comparison);
    bool written = comparison->done == 0;
    if (!written) {
        const thaw_status last = thaw_comparison_rewrite(comparison);
        written = last == THAW_OK;
        status = status == THAW_OK ? last : status;
    }
    if (results && written) {
        const thaw_status emptied = thaw_journal_empty(&comparison->journal);
        status = status == THAW_OK ? emptied : status;
    }
    return status;
}
