/* The runs of a comparison, spread over ranks. They go in waves, one run for each rank, and rank 0 gathers the records
   after each wave. A wave has runs of one configuration where it can, which take equally long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/runtime.h>

#include "compare/comparison.h"
#include "core/digest.h"
#include "distributed/exchange.h"

/* What a rank says after its run of a wave. */
typedef struct report {
    int32_t status;
    uint64_t bytes; /* of the record, as text; 0: there was no run for it */
    char message[THAW_REASON_BYTES];
} report;

/* A run that is missing. */
typedef struct missing {
    thaw_comparison_entry *entry;
    uint64_t seed;
    size_t round;
} missing;

/* ---- before the first wave ---- */

/* The thread count is part of it: sums would round differently. */
static thaw_status check_same(thaw_comparison *comparison)
{
    static const char *const same[] = { "experiment", "strategies", "optimizers" };
    const thaw_communicator *communicator = comparison->options.communicator;
    thaw_digest own = { 0 };
    void *all;
    thaw_digest_add_number(&own, (uint64_t)thaw_context_threads(comparison->context));
    for (size_t i = 0; i < THAW_COUNT(same); i++) {
        char *text = json_dumps(json_object_get(comparison->head, same[i]), JSON_COMPACT | JSON_SORT_KEYS);
        thaw_digest_add_text(&own, text ? text : "");
        free(text);
    }
    thaw_status status = thaw_gather(comparison->context, communicator, &own, sizeof own, &all);
    for (int rank = 1; status == THAW_OK && rank < communicator->ranks; rank++)
        if (memcmp((thaw_digest *)all + rank, all, sizeof own) != 0)
            status = thaw_fail(comparison->context, THAW_INVALID_ARGUMENT,
                               "the ranks must agree, but rank %d differs from rank 0 in the comparison or its threads",
                               rank);
    thaw_release(comparison->context, all);
    return status;
}

thaw_status thaw_comparison_agree(thaw_comparison *comparison)
{
    thaw_run_model made;
    thaw_status status = check_same(comparison);
    if (status != THAW_OK)
        return status;
    status = thaw_run_model_open(comparison, &comparison->entries[0], comparison->options.first_seed, false, &made);
    if (status == THAW_OK)
        status = thaw_ranks_agree(made.model, comparison->options.training, comparison->options.communicator);
    else
        thaw_give_up(comparison->options.communicator, thaw_run_model_message(&made));
    if (status != THAW_OK)
        thaw_fail(comparison->context, status, "%s", thaw_run_model_message(&made));
    thaw_run_model_close(&made);
    return status;
}

/* Lists the runs that rank 0 does not have, in the order in which waves take them. */
static thaw_status list_missing(thaw_comparison *comparison, const thaw_run_set *runs, missing *list, size_t *count)
{
    const size_t entries = runs->entry_count, rounds = runs->rounds;
    const size_t ranks = (size_t)comparison->options.communicator->ranks;
    bool *own = thaw_allocate_array(comparison->context, entries * rounds, sizeof *own);
    void *all = NULL;
    if (!own)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < entries * rounds; i++)
        own[i] = runs->entries[i / rounds].runs[i % rounds] != NULL;
    const thaw_status status =
        thaw_gather(comparison->context, comparison->options.communicator, own, entries * rounds * sizeof *own, &all);
    const bool *done = all;
    for (size_t first = 0; status == THAW_OK && first < rounds; first += ranks)
        for (size_t i = 0; i < entries; i++) {
            const size_t entry = runs->order[first * entries + i];
            for (size_t round = first; round < rounds && round < first + ranks; round++)
                if (!done[entry * rounds + round])
                    list[(*count)++] = (missing){ &runs->entries[entry], runs->first_seed + round, round };
        }
    thaw_release(comparison->context, own);
    thaw_release(comparison->context, all);
    return status;
}

/* ---- a wave ---- */

static thaw_status send_record(thaw_comparison *comparison, const char *record, size_t bytes)
{
    const thaw_message message = { .send = record, .send_bytes = bytes };
    return thaw_exchange(comparison->context, comparison->options.communicator, &message, 1);
}

/* Keeps the records of list[0] .. list[count - 1], of which the first is rank 0's own. */
static thaw_status keep_records(thaw_comparison *comparison, const missing *list, size_t count, const report *reports,
                                const char *own, const char *others)
{
    thaw_status status = THAW_OK;
    for (size_t rank = 0; rank < count && status == THAW_OK; rank++) {
        const char *record = rank ? others : own;
        others += rank ? reports[rank].bytes : 0;
        if (reports[rank].bytes == 0)
            continue;
        json_t *run = json_loadb(record, reports[rank].bytes, 0, NULL);
        status = run ? thaw_comparison_keep(comparison, &list[rank].entry->runs[list[rank].round], run)
                     : thaw_fail(comparison->context, THAW_BAD_FORMAT, "rank %zu has sent no record of a run", rank);
    }
    return status;
}

/* On rank 0: receives the records of the others. */
static thaw_status receive_records(thaw_comparison *comparison, const missing *list, size_t count,
                                   const report *reports, const char *own)
{
    thaw_context *context = comparison->context;
    size_t bytes = 0, at = 0;
    for (size_t rank = 1; rank < count; rank++)
        bytes += reports[rank].bytes;
    char *others = thaw_allocate_array(context, bytes + 1, 1);
    thaw_message *messages = thaw_allocate_array(context, count, sizeof *messages);
    thaw_status status = others && messages ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (size_t rank = 1; rank < count && status == THAW_OK; at += reports[rank++].bytes)
        messages[rank - 1] =
            (thaw_message){ .rank = (int)rank, .receive = others + at, .receive_bytes = reports[rank].bytes };
    if (status == THAW_OK)
        status = thaw_exchange(context, comparison->options.communicator, messages, count - 1);
    if (status == THAW_OK)
        status = keep_records(comparison, list, count, reports, own, others);
    if (status != THAW_OK)
        thaw_give_up(comparison->options.communicator, thaw_context_message(context));
    thaw_release(context, messages);
    thaw_release(context, others);
    return status;
}

/* What ends the comparison: this rank's own failure, or that of the first rank that has one. */
static thaw_status find_failure(thaw_comparison *comparison, const report *reports, const report *own)
{
    if (own->status != THAW_OK)
        return thaw_fail(comparison->context, (thaw_status)own->status, "%s", own->message);
    for (int rank = 0; rank < comparison->options.communicator->ranks; rank++)
        if (reports[rank].status != THAW_OK)
            return thaw_fail(comparison->context, (thaw_status)reports[rank].status, "rank %d: %.*s", rank,
                             (int)sizeof reports[rank].message - 1, reports[rank].message);
    return THAW_OK;
}

/* What a run came to: a report, and its record as text, which the caller frees. */
static char *write_report(thaw_run_outcome *outcome, report *made)
{
    *made = (report){ .status = (int32_t)outcome->status };
    snprintf(made->message, sizeof made->message, "%.*s", (int)sizeof made->message - 1, outcome->message);
    char *record = outcome->record ? json_dumps(outcome->record, JSON_COMPACT) : NULL;
    if (record)
        made->bytes = strlen(record);
    else if (outcome->record)
        *made = (report){ .status = THAW_OUT_OF_MEMORY, .message = "out of memory for the record of a run" };
    json_decref(outcome->record);
    return record;
}

/* Runs list[rank], where there are as many, and shares how it went. */
static thaw_status run_wave(thaw_comparison *comparison, const missing *list, size_t count)
{
    const thaw_communicator *communicator = comparison->options.communicator;
    const size_t rank = (size_t)communicator->rank;
    thaw_run_outcome outcome = { 0 };
    report own;
    void *reports;
    if (rank < count)
        thaw_run_carry_out(comparison, list[rank].entry, list[rank].seed, 0, &outcome);
    char *record = write_report(&outcome, &own);
    thaw_status status = thaw_gather(comparison->context, communicator, &own, sizeof own, &reports);
    if (status == THAW_OK)
        status = rank == 0 ? receive_records(comparison, list, count, reports, record)
                           : send_record(comparison, record, own.bytes);
    if (status == THAW_OK)
        status = find_failure(comparison, reports, &own);
    thaw_release(comparison->context, reports);
    free(record);
    return status;
}

thaw_status thaw_comparison_run_on_ranks(thaw_comparison *comparison, const thaw_run_set *runs)
{
    const size_t ranks = (size_t)comparison->options.communicator->ranks, before = comparison->started;
    size_t count = 0;
    missing *list = thaw_allocate_array(comparison->context, runs->entry_count * runs->rounds, sizeof *list);
    thaw_status status = list ? list_missing(comparison, runs, list, &count) : THAW_OUT_OF_MEMORY;
    for (size_t first = 0; first < count && status == THAW_OK; first += ranks) {
        const size_t wave = count - first < ranks ? count - first : ranks;
        comparison->started = before + first;
        status = run_wave(comparison, list + first, wave);
    }
    comparison->started = before + count;
    thaw_release(comparison->context, list);
    return status;
}
