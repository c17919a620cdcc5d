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

/* Lists the slices of this rank's blocks that go to the ranks which add them up, and theirs. */
static size_t list_blocks(const thaw_shard_sum *sum, thaw_bucket *bucket)
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

static void list_totals(const thaw_shard_sum *sum, thaw_bucket *bucket)
{
    const size_t own = thaw_shard_own_rank(sum);
    const thaw_shard_slice kept = thaw_shard_slice_of(sum, bucket, own);
    float *totals = sum->partials[0].values;
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
}

thaw_status thaw_shard_sum_reserve_ranks(thaw_shard_sum *sum)
{
    const size_t ranks = thaw_shard_ranks(sum), own = thaw_shard_own_rank(sum);
    thaw_partial partials[THAW_MOST_PARTIALS];
    size_t most = 1, others = 0, kept = 0, floats;
    if (ranks == 1)
        return THAW_OK;
    for (size_t rank = 0; rank < ranks; rank++) {
        const size_t count = thaw_shard_blocks_of(sum, rank, partials);
        most = count > most ? count : most;
        others += rank == own ? 0 : count;
    }
    for (size_t i = 0; i < sum->bucket_count; i++)
        kept += thaw_shard_slice_of(sum, &sum->buckets[i], own).count;
    if (!thaw_multiply_sizes(others, kept, &floats))
        return thaw_fail(sum->context, THAW_OUT_OF_MEMORY, "the gradients of %zu ranks overflow a size", ranks);
    sum->reports = thaw_allocate_array(sum->context, ranks, sizeof *sum->reports);
    sum->messages =
        thaw_allocate_array(sum->context, ranks + sum->bucket_count * ranks * (most + 1), sizeof *sum->messages);
    sum->received = thaw_allocate_array(sum->context, floats + 1, sizeof *sum->received);
    if (!sum->reports || !sum->messages || !sum->received)
        return THAW_OUT_OF_MEMORY;
    thaw_message *messages = sum->messages + ranks;
    float *received = sum->received;
    for (size_t i = 0; i < sum->bucket_count; i++) {
        thaw_bucket *bucket = &sum->buckets[i];
        bucket->received = received;
        bucket->blocks = messages;
        bucket->totals = messages + ranks * most;
        bucket->block_count = list_blocks(sum, bucket);
        list_totals(sum, bucket);
        messages += ranks * (most + 1);
        received += others * thaw_shard_slice_of(sum, bucket, own).count;
    }
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
    size_t bytes = 0;
    for (size_t i = 0; i < sum->bucket_count && thaw_shard_ranks(sum) > 1; i++)
        bytes += count_sent(sum->buckets[i].blocks, sum->buckets[i].block_count) +
                 count_sent(sum->buckets[i].totals, thaw_shard_ranks(sum) - 1);
    return bytes;
}
