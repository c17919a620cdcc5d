#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "update/shard_messages.h"

enum { BLOCK = THAW_SHARD_BLOCK };

/* ---- life ---- */

static size_t count_of(const thaw_shard_sum *sum, const size_t *statistics, size_t tensor)
{
    const size_t gradients = sum->list->parameter_count;
    return tensor < gradients ? sum->list->parameters[tensor]->count : statistics[tensor - gradients];
}

static thaw_status lay_out(thaw_shard_sum *sum, const size_t *statistics)
{
    size_t blocks = 0;
    sum->offsets = thaw_allocate_array(sum->context, sum->tensors + 1, sizeof *sum->offsets);
    if (!sum->offsets)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < sum->tensors; i++) {
        const size_t count = count_of(sum, statistics, i);
        sum->offsets[i + 1] = sum->offsets[i] + thaw_padded_floats(count);
        blocks += (count + BLOCK - 1) / BLOCK;
    }
    sum->floats = sum->offsets[sum->tensors];
    sum->blocks = thaw_allocate_array(sum->context, blocks + 1, sizeof *sum->blocks);
    if (!sum->blocks)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < sum->tensors; i++) {
        const size_t count = count_of(sum, statistics, i);
        for (size_t begin = 0; begin < count; begin += BLOCK)
            sum->blocks[sum->block_count++] = (thaw_span){ i, begin, count - begin < BLOCK ? count - begin : BLOCK };
    }
    return THAW_OK;
}

/* Zeros, also between tensors: blocks are added up as they lie. */
static thaw_status reserve(thaw_shard_sum *sum)
{
    const size_t levels = thaw_shard_levels(sum->range);
    const bool in_place = sum->range.past - sum->range.first == 1;
    size_t floats;
    if (!thaw_multiply_sizes(in_place ? 0 : levels, sum->floats, &floats))
        return thaw_fail(sum->context, THAW_OUT_OF_MEMORY, "the gradients of %zu shards overflow a size",
                         sum->range.shards);
    sum->memory = thaw_allocate_array(sum->context, floats + 1, sizeof *sum->memory);
    sum->partials = thaw_allocate_array(sum->context, levels + 1, sizeof *sum->partials);
    sum->outcomes = thaw_allocate_array(sum->context, sum->range.shards, sizeof *sum->outcomes);
    if (!sum->memory || !sum->partials || !sum->outcomes)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < levels; i++)
        sum->partials[i].values = in_place ? sum->list->gradients : sum->memory + i * sum->floats;
    const thaw_status status = thaw_shard_sum_cut(sum);
    return status == THAW_OK ? thaw_shard_sum_reserve_ranks(sum) : status;
}

thaw_status thaw_shard_sum_create(thaw_context *context, const thaw_update_list *list, const size_t *statistics,
                                  size_t statistic_count, thaw_shard_range range, thaw_shard_sum **sum)
{
    *sum = NULL;
    thaw_shard_sum *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = context;
    made->list = list;
    made->range = range;
    made->tensors = list->parameter_count + statistic_count;
    thaw_status status = lay_out(made, statistics);
    if (status == THAW_OK)
        status = reserve(made);
    if (status != THAW_OK) {
        thaw_shard_sum_release(made);
        return status;
    }
    *sum = made;
    return THAW_OK;
}

void thaw_shard_sum_release(thaw_shard_sum *sum)
{
    if (!sum)
        return;
    thaw_release(sum->context, sum->received);
    thaw_release(sum->context, sum->messages);
    thaw_release(sum->context, sum->reports);
    thaw_release(sum->context, sum->outcomes);
    thaw_release(sum->context, sum->buckets);
    thaw_release(sum->context, sum->partials);
    thaw_release(sum->context, sum->memory);
    thaw_release(sum->context, sum->blocks);
    thaw_release(sum->context, sum->offsets);
    thaw_release(sum->context, sum);
}

bool thaw_shard_sum_is_for(const thaw_shard_sum *sum, const thaw_update_list *list, thaw_shard_range range)
{
    return sum->list == list && sum->range.shards == range.shards && sum->range.first == range.first &&
           sum->range.past == range.past;
}

thaw_shard_range thaw_shard_sum_range(const thaw_shard_sum *sum)
{
    return sum->range;
}

thaw_shard_outcome *thaw_shard_sum_outcomes(thaw_shard_sum *sum)
{
    return sum->outcomes;
}

thaw_shard_outcome thaw_shard_sum_outcome(const thaw_shard_sum *sum)
{
    return thaw_shard_outcomes_add(sum->outcomes, sum->range.shards, sum->sums);
}

/* ---- loops ---- */

/* One call's data. */
typedef struct pass {
    const thaw_shard_sum *sum;
    float *const *statistics;
    float *into; /* a level; from it, to store */
    float factor, statistic_factor;
    size_t first_block;
    bool adds;  /* to what is there */
    bool empty; /* zeros */
} pass;

static float *place_of(const pass *p, size_t tensor)
{
    const size_t gradients = p->sum->list->parameter_count;
    return tensor < gradients ? p->sum->list->parameters[tensor]->gradient : p->statistics[tensor - gradients];
}

static float factor_of(const pass *p, size_t tensor)
{
    return tensor < p->sum->list->parameter_count ? p->factor : p->statistic_factor;
}

static void write_scaled(float *restrict into, const float *restrict from, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] = factor * from[i];
}

/* Products are rounded before they are added, here as where a block of one shard is added to another. */
static void add_scaled(float *restrict into, const float *restrict from, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += factor * from[i];
}

/* This makes 0 of -0, as adding a block of zeros does. */
static void add_zeros(float *into, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += 0.0F;
}

static void scale(float *values, float factor, size_t count)
{
    for (size_t i = 0; i < count && factor != 1; i++)
        values[i] *= factor;
}

/* Either may be the other. */
static void move_scaled(float *into, const float *from, float factor, size_t count)
{
    if (into == from)
        scale(into, factor, count);
    else
        write_scaled(into, from, factor, count);
}

static void write_zeros(float *into, size_t count)
{
    memset(into, 0, count * sizeof *into);
}

static void add_blocks(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    for (size_t i = begin; i < end; i++) {
        const thaw_span *block = &p->sum->blocks[p->first_block + i];
        float *into = p->into + p->sum->offsets[block->parameter] + block->begin;
        if (p->empty)
            (p->adds ? add_zeros : write_zeros)(into, block->count);
        else
            (p->adds ? add_scaled : move_scaled)(into, place_of(p, block->parameter) + block->begin,
                                                 factor_of(p, block->parameter), block->count);
    }
}

static void store_blocks(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    for (size_t i = begin; i < end; i++) {
        const thaw_span *block = &p->sum->blocks[i];
        move_scaled(place_of(p, block->parameter) + block->begin,
                    p->into + p->sum->offsets[block->parameter] + block->begin, factor_of(p, block->parameter),
                    block->count);
    }
}

/* ---- a step ---- */

void thaw_shard_sum_begin(thaw_shard_sum *sum, size_t largest, bool sums)
{
    sum->largest = largest;
    sum->sums = sums;
    sum->next = sum->range.first;
    sum->partial_count = 0;
    sum->added = sum->started = sum->summed = sum->arrived = 0;
    sum->broken = false;
    sum->finite = true;
    for (size_t i = 0; i < sum->bucket_count; i++)
        sum->buckets[i].waiting = sum->buckets[i].gradients;
    memset(sum->outcomes, 0, sum->range.shards * sizeof *sum->outcomes);
}

/* Adds shard `next` to a bucket. All buckets are added up in the same way, so the sum's blocks stay as they are. */
static void add_to(thaw_shard_sum *sum, pass *p, const thaw_bucket *bucket)
{
    const thaw_partial leaf = { .first = sum->next, .count = 1 };
    thaw_partial partials[THAW_MOST_PARTIALS];
    size_t count = sum->partial_count;
    memcpy(partials, sum->partials, (count + 1) * sizeof *partials);
    p->adds = count > 0 && thaw_partials_match(&partials[count - 1], &leaf);
    p->sum = sum;
    p->into = partials[p->adds ? count - 1 : count].values;
    p->first_block = bucket->first_block;
    thaw_parallel_for(sum->context, bucket->past_block - bucket->first_block, 1, add_blocks, p);
    if (!p->adds)
        partials[count++] = (thaw_partial){ leaf.first, leaf.count, p->into };
    else
        partials[count - 1].count = 2;
    while (count > 1 && thaw_partials_match(&partials[count - 2], &partials[count - 1]))
        thaw_partials_join(sum->context, partials, &count, bucket->offset, bucket->floats);
}

/* Adds shard `next` to the buckets that do not have it yet. */
static void add(thaw_shard_sum *sum, pass *p)
{
    for (; sum->added < sum->bucket_count; sum->added++)
        add_to(sum, p, &sum->buckets[sum->added]);
    sum->partial_count = thaw_partials_push(sum->partials, sum->partial_count, sum->next++);
    sum->added = 0;
}

void thaw_shard_sum_add_bucket(thaw_shard_sum *sum, float *const *statistics, float factor)
{
    pass p = { .statistics = statistics, .factor = factor, .statistic_factor = 1 };
    add_to(sum, &p, &sum->buckets[sum->added++]);
}

void thaw_shard_sum_add(thaw_shard_sum *sum, float *const *statistics, float factor)
{
    add(sum, &(pass){ .statistics = statistics, .factor = factor, .statistic_factor = 1 });
}

void thaw_shard_sum_add_nothing(thaw_shard_sum *sum)
{
    add(sum, &(pass){ .empty = true });
}

void thaw_shard_sum_forget_rows(const thaw_shard_sum *sum)
{
    for (size_t i = 0; i < sum->list->parameter_count; i++)
        sum->list->parameters[i]->gradient_rows.known = false;
}

/* What several ranks have added up is where it belongs, except for statistics, and has its factors. */
void thaw_shard_sum_store(thaw_shard_sum *sum, float *const *statistics)
{
    pass p = { .sum = sum, .statistics = statistics, .into = sum->list->gradients, .factor = 1, .statistic_factor = 1 };
    if (thaw_shard_ranks(sum) == 1) {
        const thaw_shard_factors factors =
            thaw_shard_factors_of(sum->outcomes, sum->range.shards, sum->largest, sum->sums);
        while (sum->partial_count > 1)
            thaw_partials_join(sum->context, sum->partials, &sum->partial_count, 0, sum->floats);
        p.into = sum->partials[0].values;
        p.factor = factors.gradients;
        p.statistic_factor = factors.statistics;
    }
    thaw_parallel_for(sum->context, sum->block_count, 1, store_blocks, &p);
    thaw_shard_sum_forget_rows(sum);
}
