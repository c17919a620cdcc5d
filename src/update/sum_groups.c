#include "update/sum_groups.h"

#include <string.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "update/piece.h"
#include "update/sums.h"

/* Elements of a group, whose gradient, values and two slots are 8 MB: they stay in the cache that the cores share. A
   larger parameter is a group of its own. */
enum { GROUP = 1 << 19 };

/* Ends the group under way at a block, if it has elements. */
static void end_group(thaw_update_list *list, size_t block, size_t *elements)
{
    if (*elements > 0)
        list->groups[++list->group_count] = block;
    *elements = 0;
}

thaw_status thaw_update_list_make_groups(thaw_update_list *list)
{
    size_t block = 0, elements = 0;
    list->groups = thaw_allocate_array(list->context, list->parameter_count + 1, sizeof *list->groups);
    if (!list->groups)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < list->parameter_count; i++) {
        const size_t count = thaw_sums_in_groups(list, i) ? list->parameters[i]->count : 0;
        if (elements + count > GROUP)
            end_group(list, block, &elements);
        elements += count;
        block += thaw_norm_blocks_of(list->parameters[i]);
    }
    end_group(list, block, &elements);
    return THAW_OK;
}

static void sum_blocks(thaw_update_list *list, size_t first, size_t past)
{
    for (size_t i = first; i < past; i++)
        if (thaw_sums_in_groups(list, list->norm_blocks[i].parameter))
            thaw_sum_block(list, i);
}

/* In the order of the blocks, which are cut alike for any number of threads. */
static void conclude_group(thaw_update_list *list, size_t first, size_t past)
{
    for (size_t i = first; i < past; i++) {
        const size_t index = list->norm_blocks[i].parameter;
        double *sums = list->parameter_sums[index];
        if (!thaw_sums_in_groups(list, index))
            continue;
        if (list->norm_blocks[i].begin == 0)
            memset(sums, 0, sizeof *list->parameter_sums);
        thaw_add_sums(sums, list->block_sums[i]);
        if (i + 1 == past || list->norm_blocks[i + 1].parameter != index)
            thaw_conclude(list, index, NULL);
    }
}

static void update_blocks(const thaw_update_list *list, size_t first, size_t past)
{
    for (size_t i = first; i < past; i++)
        if (thaw_sums_in_groups(list, list->norm_blocks[i].parameter))
            thaw_piece_update(list, &list->norm_blocks[i], 0, list->norm_blocks[i].count);
}

/* The parameters of two groups differ, so nobody waits between them. */
static void run_groups(void *argument, int thread, int threads)
{
    thaw_update_list *list = argument;
    fexcept_t before;
    thaw_flags_watch(&before);
    for (size_t g = 0; g < list->group_count; g++) {
        const size_t begin = list->groups[g], blocks = list->groups[g + 1] - begin;
        const size_t first = begin + blocks * (size_t)thread / (size_t)threads;
        const size_t past = begin + blocks * ((size_t)thread + 1) / (size_t)threads;
        sum_blocks(list, first, past);
        thaw_barrier(threads);
        if (thread == 0)
            conclude_group(list, begin, begin + blocks);
        thaw_barrier(threads);
        update_blocks(list, first, past);
    }
    thaw_flags_restore(list, &before);
}

void thaw_update_list_run_groups(thaw_update_list *list)
{
    if (list->group_count > 0)
        thaw_parallel(list->context, run_groups, list);
}
