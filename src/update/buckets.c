/* Cuts the tensors of a shard sum into buckets. Backward goes from the last layers to the first, and so do buckets: one
   can travel as soon as its own gradients are final. Where the cuts are changes no order of additions. */
#include "core/allocation.h"
#include "update/shard_tree.h"

enum { BUCKET = 1 << 18 /* floats, 1 MiB: long enough for the bandwidth of a network, short enough to leave early */ };

static bool alone(const thaw_shard_sum *sum)
{
    return sum->range.past - sum->range.first == sum->range.shards;
}

/* The first tensor of the bucket that ends before `past`. Alone, all tensors are one bucket. */
static size_t first_of(const thaw_shard_sum *sum, size_t past)
{
    size_t first = past;
    while (first > 0 && (alone(sum) || sum->offsets[past] - sum->offsets[first] < BUCKET))
        first--;
    return first;
}

static void find_blocks(const thaw_shard_sum *sum, thaw_bucket *bucket)
{
    bucket->past_block = sum->block_count;
    while (bucket->past_block > 0 && sum->blocks[bucket->past_block - 1].parameter >= bucket->past)
        bucket->past_block--;
    bucket->first_block = bucket->past_block;
    while (bucket->first_block > 0 && sum->blocks[bucket->first_block - 1].parameter >= bucket->first)
        bucket->first_block--;
}

thaw_status thaw_shard_sum_cut(thaw_shard_sum *sum)
{
    const size_t gradients = sum->list->parameter_count;
    for (size_t past = sum->tensors; past > 0; past = first_of(sum, past))
        sum->bucket_count++;
    sum->buckets = thaw_allocate_array(sum->context, sum->bucket_count + 1, sizeof *sum->buckets);
    if (!sum->buckets)
        return THAW_OUT_OF_MEMORY;
    size_t past = sum->tensors;
    for (size_t i = 0; i < sum->bucket_count; i++) {
        thaw_bucket *bucket = &sum->buckets[i];
        bucket->past = past;
        bucket->first = past = first_of(sum, past);
        if (bucket->first < gradients)
            bucket->gradients = (bucket->past < gradients ? bucket->past : gradients) - bucket->first;
        bucket->offset = sum->offsets[bucket->first];
        bucket->floats = sum->offsets[bucket->past] - bucket->offset;
        find_blocks(sum, bucket);
    }
    return THAW_OK;
}
