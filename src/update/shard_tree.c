#include "update/shard_tree.h"

bool thaw_partials_match(const thaw_partial *left, const thaw_partial *right)
{
    return left->count == right->count && left->first % (2 * left->count) == 0;
}

size_t thaw_partials_push(thaw_partial *partials, size_t count, size_t shard)
{
    partials[count].first = shard;
    partials[count++].count = 1;
    for (; count > 1 && thaw_partials_match(&partials[count - 2], &partials[count - 1]); count--)
        partials[count - 2].count *= 2;
    return count;
}

/* A shard that completes a block is added to the half that is there and takes no level of its own. */
size_t thaw_shard_levels(thaw_shard_range range)
{
    thaw_partial stack[THAW_MOST_PARTIALS];
    size_t height = 0, levels = 0;
    for (size_t at = range.first; at < range.past; at++) {
        const thaw_partial leaf = { .first = at, .count = 1 };
        const bool joins = height > 0 && thaw_partials_match(&stack[height - 1], &leaf);
        const size_t taken = height + !joins;
        levels = taken > levels ? taken : levels;
        height = thaw_partials_push(stack, height, at);
    }
    return levels;
}

size_t thaw_partials_of(thaw_shard_range range, thaw_partial *partials)
{
    size_t count = 0;
    for (size_t at = range.first; at < range.past; at++)
        count = thaw_partials_push(partials, count, at);
    return count;
}

/* One call's data. */
typedef struct pass {
    float *into;
    const float *term;
} pass;

static void add(float *restrict into, const float *restrict term, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += term[i];
}

static void add_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    add(p->into + begin, p->term + begin, end - begin);
}

void thaw_partials_join(thaw_context *context, thaw_partial *partials, size_t *count, size_t first, size_t floats)
{
    thaw_partial *left = &partials[*count - 2];
    const thaw_partial *right = left + 1;
    thaw_parallel_for(context, floats, THAW_SHARD_BLOCK, add_range,
                      &(pass){ left->values + first, right->values + first });
    left->count += right->count;
    --*count;
}
