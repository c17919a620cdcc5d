/* The part of a shard sum that several ranks do together. Each rank adds up a slice of all gradients: it receives that
   slice of every rank's blocks, adds them in the order of the tree, and sends the sum to all others. If
   each rank has a power of two of shards, it sends and receives less than twice the gradients, however many ranks there
   are. Otherwise its shards make several blocks, and it sends each of them. */
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "distributed/exchange.h"
#include "update/shard_tree.h"

enum { LINE = 16 /* floats in a cache line: slices begin at one */ };

typedef struct slice {
    size_t first, count; /* floats of a level */
} slice;

static size_t ranks_of(const thaw_shard_sum *sum)
{
    return sum->range.shards / (sum->range.past - sum->range.first);
}

static size_t own_rank(const thaw_shard_sum *sum)
{
    return sum->range.first / (sum->range.past - sum->range.first);
}

static thaw_shard_range range_of(const thaw_shard_sum *sum, size_t rank)
{
    const size_t each = sum->range.past - sum->range.first;
    return (thaw_shard_range){ sum->range.shards, rank * each, (rank + 1) * each };
}

static slice slice_of(const thaw_shard_sum *sum, size_t rank)
{
    const size_t lines = sum->floats / LINE, ranks = ranks_of(sum);
    const size_t first = lines * rank / ranks * LINE, past = lines * (rank + 1) / ranks * LINE;
    return (slice){ first, past - first };
}

thaw_status thaw_shard_sum_reserve_ranks(thaw_shard_sum *sum)
{
    const size_t ranks = ranks_of(sum);
    thaw_partial partials[THAW_MOST_PARTIALS];
    size_t most = 1, others = 0, floats;
    if (ranks == 1)
        return THAW_OK;
    for (size_t rank = 0; rank < ranks; rank++) {
        const size_t count = thaw_partials_of(range_of(sum, rank), partials);
        most = count > most ? count : most;
        others += rank == own_rank(sum) ? 0 : count;
    }
    if (!thaw_multiply_sizes(others, slice_of(sum, own_rank(sum)).count, &floats))
        return thaw_fail(sum->context, THAW_OUT_OF_MEMORY, "the gradients of %zu ranks overflow a size", ranks);
    sum->reports = thaw_allocate_array(sum->context, ranks, sizeof *sum->reports);
    sum->messages = thaw_allocate_array(sum->context, ranks * most, sizeof *sum->messages);
    sum->received = thaw_allocate_array(sum->context, floats + 1, sizeof *sum->received);
    return sum->reports && sum->messages && sum->received ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* ---- meeting ---- */

/* The first rank that has failed; `ranks`: none. */
static size_t find_failed(const thaw_shard_sum *sum)
{
    size_t rank = 0;
    while (rank < ranks_of(sum) && sum->reports[rank].status == THAW_OK)
        rank++;
    return rank;
}

thaw_status thaw_shard_sum_meet(thaw_shard_sum *sum, const thaw_communicator *communicator, thaw_status status)
{
    thaw_rank_report *own = &sum->reports[own_rank(sum)];
    *own = (thaw_rank_report){ .status = (int32_t)status };
    if (status != THAW_OK)
        snprintf(own->message, sizeof own->message, "%s", thaw_context_message(sum->context));
    const size_t each = sum->range.past - sum->range.first;
    thaw_status shared = thaw_share(sum->context, communicator, sum->reports, sizeof *sum->reports, sum->messages);
    if (shared == THAW_OK)
        shared = thaw_share(sum->context, communicator, sum->outcomes, each * sizeof *sum->outcomes, sum->messages);
    if (status != THAW_OK)
        return thaw_fail(sum->context, status, "%s", own->message);
    if (shared != THAW_OK)
        return shared;
    const size_t failed = find_failed(sum);
    if (failed == ranks_of(sum))
        return THAW_OK;
    thaw_rank_report *report = &sum->reports[failed];
    report->message[sizeof report->message - 1] = '\0';
    return thaw_fail(sum->context, (thaw_status)report->status, "rank %zu: %s", failed, report->message);
}

/* ---- gradients ---- */

/* Sends slices of this rank's blocks to the ranks that add them up, and receives theirs. */
static thaw_status exchange_blocks(thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    const size_t ranks = ranks_of(sum), own = own_rank(sum);
    const slice kept = slice_of(sum, own);
    thaw_partial partials[THAW_MOST_PARTIALS];
    float *receive = sum->received;
    size_t count = 0;
    for (size_t rank = 0; rank < ranks; rank++) {
        const size_t theirs = rank == own ? 0 : thaw_partials_of(range_of(sum, rank), partials);
        const size_t ours = rank == own ? 0 : sum->partial_count;
        const slice sent = slice_of(sum, rank);
        for (size_t i = 0; i < theirs || i < ours; i++) {
            thaw_message *message = &sum->messages[count++];
            *message = (thaw_message){ .rank = (int)rank };
            if (i < ours) {
                message->send = sum->partials[i].values + sent.first;
                message->send_bytes = sent.count * sizeof(float);
            }
            if (i < theirs) {
                message->receive = receive;
                message->receive_bytes = kept.count * sizeof(float);
                receive += kept.count;
            }
        }
    }
    return thaw_exchange(sum->context, communicator, sum->messages, count);
}

/* Adds up this rank's slice of all blocks, in the order of the shards, and stores it in the first level. */
static void add_slice(thaw_shard_sum *sum)
{
    const slice kept = slice_of(sum, own_rank(sum));
    thaw_partial stack[2 * THAW_MOST_PARTIALS], theirs[THAW_MOST_PARTIALS];
    float *received = sum->received;
    size_t height = 0;
    for (size_t rank = 0; rank < ranks_of(sum); rank++) {
        const bool own = rank == own_rank(sum);
        const size_t count = thaw_partials_of(range_of(sum, rank), theirs);
        for (size_t i = 0; i < count; i++) {
            stack[height] = theirs[i];
            stack[height++].values = own ? sum->partials[i].values + kept.first : received;
            received += own ? 0 : kept.count;
            while (height > 1 && thaw_partials_match(&stack[height - 2], &stack[height - 1]))
                thaw_partials_join(sum->context, stack, &height, kept.count);
        }
    }
    while (height > 1)
        thaw_partials_join(sum->context, stack, &height, kept.count);
    float *total = sum->partials[0].values + kept.first;
    if (stack[0].values != total)
        memcpy(total, stack[0].values, kept.count * sizeof *total);
}

static thaw_status exchange_totals(thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    const size_t own = own_rank(sum);
    const slice kept = slice_of(sum, own);
    float *totals = sum->partials[0].values;
    size_t count = 0;
    for (size_t rank = 0; rank < ranks_of(sum); rank++) {
        const slice theirs = slice_of(sum, rank);
        if (rank != own)
            sum->messages[count++] = (thaw_message){ .rank = (int)rank,
                                                     .send = totals + kept.first,
                                                     .send_bytes = kept.count * sizeof *totals,
                                                     .receive = totals + theirs.first,
                                                     .receive_bytes = theirs.count * sizeof *totals };
    }
    return thaw_exchange(sum->context, communicator, sum->messages, count);
}

thaw_status thaw_shard_sum_exchange(thaw_shard_sum *sum, const thaw_communicator *communicator)
{
    thaw_status status = exchange_blocks(sum, communicator);
    if (status != THAW_OK)
        return status;
    add_slice(sum);
    sum->partial_count = 1;
    return exchange_totals(sum, communicator);
}
