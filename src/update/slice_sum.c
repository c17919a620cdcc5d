#include "update/slice_sum.h"

#include <math.h>
#include <stdatomic.h>

#include "core/context.h"
#include "kernels/magnitude.h"
#include "update/shard_messages.h"

/* The addition of the last two blocks. */
typedef struct last_pass {
    thaw_magnitude_function *largest;
    float *total; /* may be one of the blocks */
    const float *left, *right;
    float factor;
    atomic_bool infinite;
} last_pass;

static void add_to_total(float *restrict total, const float *restrict term, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        total[i] = factor * (total[i] + term[i]);
}

static void add_both(float *restrict total, const float *restrict left, const float *restrict right, float factor,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        total[i] = factor * (left[i] + right[i]);
}

/* Looks for infinities and NaN while a block is in the cache. */
static void add_range(void *argument, size_t begin, size_t end)
{
    last_pass *p = argument;
    for (size_t at = begin; at < end; at += THAW_SHARD_BLOCK) {
        const size_t count = end - at < THAW_SHARD_BLOCK ? end - at : THAW_SHARD_BLOCK;
        if (p->left == p->total)
            add_to_total(p->total + at, p->right + at, p->factor, count);
        else if (p->right == p->total)
            add_to_total(p->total + at, p->left + at, p->factor, count);
        else
            add_both(p->total + at, p->left + at, p->right + at, p->factor, count);
        if (!isfinite(p->largest(p->total + at, count)))
            atomic_store_explicit(&p->infinite, true, memory_order_relaxed);
    }
}

/* Adds `count` floats of the last two blocks. */
static bool add_part(const thaw_shard_sum *sum, const thaw_partial *blocks, float *total, float factor, size_t first,
                     size_t count)
{
    last_pass p = { .largest = THAW_FOR_LEVEL(sum->context->level, thaw_largest_magnitude),
                    .total = total + first,
                    .left = blocks[0].values + first,
                    .right = blocks[1].values + first,
                    .factor = factor };
    thaw_parallel_for(sum->context, count, THAW_SHARD_BLOCK, add_range, &p);
    return !atomic_load(&p.infinite);
}

/* Statistics lie behind the gradients, and have another factor. */
static bool add_last(const thaw_shard_sum *sum, const thaw_partial *blocks, thaw_shard_slice kept)
{
    const size_t past = sum->offsets[sum->list->parameter_count], before = past > kept.first ? past - kept.first : 0;
    const size_t gradients = before < kept.count ? before : kept.count;
    float *total = sum->list->gradients + kept.first;
    const bool well = add_part(sum, blocks, total, sum->factors.gradients, 0, gradients);
    return add_part(sum, blocks, total, sum->factors.statistics, gradients, kept.count - gradients) && well;
}

bool thaw_shard_sum_add_slice(const thaw_shard_sum *sum, const thaw_bucket *bucket)
{
    const thaw_shard_slice kept = thaw_shard_slice_of(sum, bucket, thaw_shard_own_rank(sum));
    thaw_partial stack[2 * THAW_MOST_PARTIALS], theirs[THAW_MOST_PARTIALS];
    float *received = bucket->received;
    size_t height = 0;
    for (size_t rank = 0; rank < thaw_shard_ranks(sum); rank++) {
        const bool own = rank == thaw_shard_own_rank(sum);
        const size_t count = thaw_shard_blocks_of(sum, rank, theirs);
        for (size_t i = 0; i < count; i++) {
            const bool last = rank == thaw_shard_ranks(sum) - 1 && i == count - 1;
            stack[height] = theirs[i];
            stack[height++].values = own ? sum->partials[i].values + kept.first : received;
            received += own ? 0 : kept.count;
            while (height > (last ? 2 : 1) && thaw_partials_match(&stack[height - 2], &stack[height - 1]))
                thaw_partials_join(sum->context, stack, &height, 0, kept.count);
        }
    }
    while (height > 2)
        thaw_partials_join(sum->context, stack, &height, 0, kept.count);
    return add_last(sum, stack, kept);
}
