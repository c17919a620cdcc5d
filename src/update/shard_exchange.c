/* The part of a shard sum that several ranks do together, a bucket at a time. Each rank adds up a slice of a bucket: it
   receives that slice of every rank's blocks, adds them in the order of the tree, and sends the sum to all others. If
   each rank has a power of two of shards, it sends and receives less than twice the gradients, however many ranks there
   are. Otherwise its shards make several blocks, and it sends each of them.

   Buckets travel while backward computes the next ones. When the blocks of one have been sent, this rank adds up the
   one before it, sends that total, and waits for the total before that: so all ranks start the same exchanges in the
   same order, of which no more than THAW_MOST_EXCHANGES are under way. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "distributed/exchange.h"
#include "update/shard_messages.h"
#include "update/slice_sum.h"

/* ---- buckets ---- */

/* Waits for an exchange, unless it has ended already. */
static thaw_status end(const thaw_shard_sum *sum, const thaw_communicator *communicator, thaw_request *request)
{
    return request->started ? thaw_exchange_wait(sum->context, communicator, request) : THAW_OK;
}

static thaw_status wait_for_total(thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    return end(sum, communicator, &sum->buckets[sum->arrived++].total_request);
}

/* Adds up the next bucket whose blocks are under way, and sends the total. All outcomes have come with the first one;
   with the last one goes whether all that this rank has added up is finite. */
static thaw_status sum_next(thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    thaw_bucket *bucket = &sum->buckets[sum->summed++];
    thaw_status status = end(sum, communicator, &bucket->block_request);
    if (status != THAW_OK)
        return status;
    if (sum->summed == 1)
        sum->factors = thaw_shard_factors_of(sum->outcomes, sum->range.shards, sum->largest, sum->sums);
    sum->finite = thaw_shard_sum_add_slice(sum, bucket) && sum->finite;
    sum->reports[thaw_shard_own_rank(sum)].finite = sum->finite;
    return thaw_exchange_start(sum->context, communicator, bucket->totals, bucket->total_count, &bucket->total_request);
}

/* Sends the blocks of the next bucket. */
static thaw_status start_next(thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    thaw_bucket *bucket = &sum->buckets[sum->started++];
    thaw_status status =
        thaw_exchange_start(sum->context, communicator, bucket->blocks, bucket->block_count, &bucket->block_request);
    if (status == THAW_OK && sum->started > 1)
        status = sum_next(sum, communicator);
    return status == THAW_OK && sum->summed > 1 ? wait_for_total(sum, communicator) : status;
}

static void note_final(thaw_shard_sum *sum, size_t tensor)
{
    size_t at = 0;
    while (tensor < sum->buckets[at].first)
        at++;
    sum->buckets[at].waiting--;
}

static bool next_is_final(const thaw_shard_sum *sum)
{
    return sum->started < sum->bucket_count && sum->buckets[sum->started].waiting == 0;
}

thaw_status thaw_shard_sum_send(thaw_shard_sum *sum, const thaw_communicator *communicator, size_t tensor,
                                float *const *statistics, float factor)
{
    thaw_status status = THAW_OK;
    note_final(sum, tensor);
    if (communicator->progress)
        communicator->progress(communicator->user);
    while (status == THAW_OK && next_is_final(sum)) {
        thaw_shard_sum_add_bucket(sum, statistics, factor);
        status = start_next(sum, communicator);
    }
    sum->broken = status != THAW_OK;
    return status;
}

thaw_status thaw_shard_sum_pass(thaw_shard_sum *sum, const thaw_communicator *communicator, size_t tensor)
{
    thaw_status status = sum->broken ? THAW_IO_ERROR : THAW_OK;
    note_final(sum, tensor);
    while (status == THAW_OK && next_is_final(sum))
        status = start_next(sum, communicator);
    sum->broken = status != THAW_OK;
    return status;
}

/* ---- between buckets ---- */

/* Each bucket's total has started after the blocks of the next one. */
thaw_status thaw_shard_sum_share(thaw_shard_sum *sum, const thaw_communicator *communicator, void *all, size_t bytes)
{
    thaw_status status = sum->broken ? THAW_IO_ERROR : THAW_OK;
    for (size_t i = 0; i <= sum->started && status == THAW_OK; i++) {
        if (i < sum->started)
            status = end(sum, communicator, &sum->buckets[i].block_request);
        if (i > 0 && status == THAW_OK)
            status = end(sum, communicator, &sum->buckets[i - 1].total_request);
    }
    if (status == THAW_OK)
        status = thaw_share(sum->context, communicator, all, bytes, sum->messages);
    sum->broken = status != THAW_OK;
    return status;
}

/* ---- the end of a step ---- */

static thaw_status exchange_rest(thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    thaw_status status = THAW_OK;
    while (status == THAW_OK && sum->started < sum->bucket_count)
        status = start_next(sum, communicator);
    while (status == THAW_OK && sum->summed < sum->bucket_count)
        status = sum_next(sum, communicator);
    while (status == THAW_OK && sum->arrived < sum->bucket_count)
        status = wait_for_total(sum, communicator);
    return status;
}

/* After a failure of the communicator: what was started must end, in the same order. */
static void end_exchanges(const thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    for (size_t i = 0; i <= sum->bucket_count; i++) {
        if (i < sum->bucket_count)
            thaw_exchange_end(communicator, &sum->buckets[i].block_request);
        if (i > 0)
            thaw_exchange_end(communicator, &sum->buckets[i - 1].total_request);
    }
}

/* The first rank that has failed; `ranks`: none. */
static size_t find_failed(const thaw_shard_sum *sum)
{
    size_t rank = 0;
    while (rank < thaw_shard_ranks(sum) && sum->reports[rank].status == THAW_OK)
        rank++;
    return rank;
}

/* After the last totals. */
static thaw_status read_reports(thaw_shard_sum *sum)
{
    const size_t failed = find_failed(sum);
    for (size_t rank = 0; rank < thaw_shard_ranks(sum); rank++)
        sum->finite = sum->finite && sum->reports[rank].finite;
    if (failed == thaw_shard_ranks(sum))
        return THAW_OK;
    thaw_rank_report *report = &sum->reports[failed];
    report->message[sizeof report->message - 1] = '\0';
    return thaw_fail(sum->context, (thaw_status)report->status, "rank %zu: %s", failed, report->message);
}

bool thaw_shard_sum_is_finite(const thaw_shard_sum *sum)
{
    return thaw_shard_ranks(sum) > 1 && sum->finite;
}

/* A rank that has failed takes part to the end, with any values: then all know of it. */
thaw_status thaw_shard_sum_finish(thaw_shard_sum *sum, const thaw_communicator *communicator, thaw_status status)
{
    thaw_rank_report own = { .status = (int32_t)status };
    if (status != THAW_OK)
        snprintf(own.message, sizeof own.message, "%s", thaw_context_message(sum->context));
    sum->reports[thaw_shard_own_rank(sum)] = own;
    thaw_status met = sum->broken ? THAW_IO_ERROR : exchange_rest(sum, communicator);
    if (met == THAW_OK)
        met = read_reports(sum);
    end_exchanges(sum, communicator);
    thaw_shard_sum_forget_rows(sum);
    sum->partial_count = 1;
    return status == THAW_OK ? met : thaw_fail(sum->context, status, "%s", own.message);
}
