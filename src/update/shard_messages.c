#include "update/shard_messages.h"

#include "core/allocation.h"
#include "core/context.h"

enum { LINE = 16 /* floats in a cache line: slices begin at one */ };

size_t thaw_shard_ranks(const thaw_shard_sum *sum)
{
    return sum->range.shards / (sum->range.past - sum->range.first);
}

size_t thaw_shard_own_rank(const thaw_shard_sum *sum)
{
    return sum->range.first / (sum->range.past - sum->range.first);
}

size_t thaw_shard_blocks_of(const thaw_shard_sum *sum, size_t rank, thaw_partial *partials)
{
    const size_t each = sum->range.past - sum->range.first;
    return thaw_partials_of((thaw_shard_range){ sum->range.shards, rank * each, (rank + 1) * each }, partials);
}

thaw_shard_slice thaw_shard_slice_of(const thaw_shard_sum *sum, const thaw_bucket *bucket, size_t rank)
{
    const size_t lines = bucket->floats / LINE, ranks = thaw_shard_ranks(sum);
    const size_t first = lines * rank / ranks * LINE, past = lines * (rank + 1) / ranks * LINE;
    return (thaw_shard_slice){ bucket->offset + first, past - first };
}

/* Lists a piece of this rank for each other one, and theirs. `all`: a piece of each rank, by rank. */
static size_t list_pieces(const thaw_shard_sum *sum, void *all, size_t bytes, thaw_message *messages)
{
    const size_t own = thaw_shard_own_rank(sum);
    char *pieces = all;
    size_t count = 0;
    for (size_t rank = 0; rank < thaw_shard_ranks(sum); rank++)
        if (rank != own)
            messages[count++] = (thaw_message){ .rank = (int)rank,
                                                .send = pieces + own * bytes,
                                                .send_bytes = bytes,
                                                .receive = pieces + rank * bytes,
                                                .receive_bytes = bytes };
    return count;
}

/* Of a rank. */
static size_t outcome_bytes(const thaw_shard_sum *sum)
{
    return (sum->range.past - sum->range.first) * sizeof *sum->outcomes;
}

/* Lists the slices of this rank's blocks that go to the ranks which add them up, and theirs. */
static size_t list_blocks(const thaw_shard_sum *sum, const thaw_bucket *bucket)
{
    const size_t own = thaw_shard_own_rank(sum);
    const thaw_shard_slice kept = thaw_shard_slice_of(sum, bucket, own);
    thaw_partial partials[THAW_MOST_PARTIALS];
    const size_t ours = thaw_shard_blocks_of(sum, own, partials);
    float *receive = bucket->received;
    size_t count = 0;
    for (size_t rank = 0; rank < thaw_shard_ranks(sum); rank++) {
        const size_t theirs = thaw_shard_blocks_of(sum, rank, partials);
        const thaw_shard_slice sent = thaw_shard_slice_of(sum, bucket, rank);
        for (size_t i = 0; rank != own && (i < theirs || i < ours); i++) {
            thaw_message *message = &bucket->blocks[count++];
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
    return count;
}

static size_t list_totals(const thaw_shard_sum *sum, const thaw_bucket *bucket)
{
    const size_t own = thaw_shard_own_rank(sum);
    const thaw_shard_slice kept = thaw_shard_slice_of(sum, bucket, own);
    float *totals = sum->list->gradients;
    size_t count = 0;
    for (size_t rank = 0; rank < thaw_shard_ranks(sum); rank++) {
        const thaw_shard_slice theirs = thaw_shard_slice_of(sum, bucket, rank);
        if (rank != own)
            bucket->totals[count++] = (thaw_message){ .rank = (int)rank,
                                                      .send = totals + kept.first,
                                                      .send_bytes = kept.count * sizeof *totals,
                                                      .receive = totals + theirs.first,
                                                      .receive_bytes = theirs.count * sizeof *totals };
    }
    return count;
}

/* Points a bucket to its messages and to the blocks that it receives, and lists them. */
static void list_bucket(const thaw_shard_sum *sum, thaw_bucket *bucket, thaw_message *messages, float *received,
                        size_t most)
{
    bucket->received = received;
    bucket->blocks = messages;
    bucket->totals = messages + most;
    bucket->block_count = list_blocks(sum, bucket);
    bucket->total_count = list_totals(sum, bucket);
    if (bucket == &sum->buckets[0])
        bucket->block_count +=
            list_pieces(sum, sum->outcomes, outcome_bytes(sum), bucket->blocks + bucket->block_count);
    if (bucket == &sum->buckets[sum->bucket_count - 1])
        bucket->total_count +=
            list_pieces(sum, sum->reports, sizeof *sum->reports, bucket->totals + bucket->total_count);
}

thaw_status thaw_shard_sum_reserve_ranks(thaw_shard_sum *sum)
{
    const size_t ranks = thaw_shard_ranks(sum), own = thaw_shard_own_rank(sum);
    thaw_partial partials[THAW_MOST_PARTIALS];
    size_t most = 1, others = 0, largest = 0, floats;
    if (ranks == 1)
        return THAW_OK;
    for (size_t rank = 0; rank < ranks; rank++) {
        const size_t count = thaw_shard_blocks_of(sum, rank, partials);
        most = count > most ? count : most;
        others += rank == own ? 0 : count;
    }
    for (size_t i = 0; i < sum->bucket_count; i++) {
        const size_t kept = thaw_shard_slice_of(sum, &sum->buckets[i], own).count;
        largest = kept > largest ? kept : largest;
    }
    if (!thaw_multiply_sizes(2 * others, largest, &floats))
        return thaw_fail(sum->context, THAW_OUT_OF_MEMORY, "the gradients of %zu ranks overflow a size", ranks);
    sum->reports = thaw_allocate_array(sum->context, ranks, sizeof *sum->reports);
    sum->messages =
        thaw_allocate_array(sum->context, ranks + sum->bucket_count * ranks * (most + 3), sizeof *sum->messages);
    sum->received = thaw_allocate_array(sum->context, floats + 1, sizeof *sum->received);
    if (!sum->reports || !sum->messages || !sum->received)
        return THAW_OUT_OF_MEMORY;
    /* The blocks of one bucket leave before those of the one before it have been added up. */
    for (size_t i = 0; i < sum->bucket_count; i++)
        list_bucket(sum, &sum->buckets[i], sum->messages + ranks + i * ranks * (most + 3),
                    sum->received + i % 2 * others * largest, ranks * (most + 1));
    return THAW_OK;
}

static size_t count_sent(const thaw_message *messages, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += messages[i].send_bytes;
    return bytes;
}

size_t thaw_shard_sum_sent_bytes(const thaw_shard_sum *sum)
{
    const size_t others = thaw_shard_ranks(sum) - 1;
    size_t bytes = 0;
    for (size_t i = 0; i < sum->bucket_count && others > 0; i++)
        bytes += count_sent(sum->buckets[i].blocks, sum->buckets[i].block_count) +
                 count_sent(sum->buckets[i].totals, sum->buckets[i].total_count);
    return bytes - others * (outcome_bytes(sum) + sizeof *sum->reports);
}
