#include "update/perturb.h"

#include <string.h>

#include "core/threads.h"
#include "update/masked_update.h"
#include "update/piece.h"
#include "update/sums.h"

static bool perturbs(const thaw_update_list *level, size_t index)
{
    return level->modules[index] && level->modules[index]->perturb;
}

bool thaw_update_list_perturbs(const thaw_update_list *list)
{
    for (const thaw_update_list *level = list->wrappers; level; level = level->wrappers)
        for (size_t i = 0; i < level->parameter_count; i++)
            if (perturbs(level, i))
                return true;
    return false;
}

static void perturb_blocks(void *argument, size_t begin, size_t end)
{
    const thaw_update_list *level = argument;
    for (size_t i = begin; i < end; i++) {
        const thaw_span *block = &level->norm_blocks[i];
        const size_t index = block->parameter;
        if (!perturbs(level, index))
            continue;
        const thaw_update piece = thaw_piece_of(level, index, block->begin, block->count);
        memcpy(level->before[index] + block->begin, piece.parameter, block->count * sizeof(float));
        if (level->held[index])
            thaw_update_masked(level->modules[index], &piece, level->held[index], block->begin, NULL);
        else
            level->modules[index]->perturb(&piece);
    }
}

static void restore_blocks(void *argument, size_t begin, size_t end)
{
    const thaw_update_list *level = argument;
    for (size_t i = begin; i < end; i++) {
        const thaw_span *block = &level->norm_blocks[i];
        if (perturbs(level, block->parameter))
            memcpy(level->parameters[block->parameter]->data + block->begin,
                   level->before[block->parameter] + block->begin, block->count * sizeof(float));
    }
}

/* Copies of the values must be made again. */
static void count_versions(const thaw_update_list *level)
{
    for (size_t i = 0; i < level->parameter_count; i++)
        level->parameters[i]->version += perturbs(level, i);
}

void thaw_update_list_perturb(thaw_update_list *list)
{
    for (thaw_update_list *level = list->wrappers; level; level = level->wrappers) {
        level->perturbs = true;
        thaw_update_list_fill_rules(level, 1);
        thaw_update_list_sum(level);
        thaw_parallel_for(list->context, list->norm_count, 1, perturb_blocks, level);
        level->perturbs = false;
        count_versions(level);
    }
}

void thaw_update_list_restore(thaw_update_list *list)
{
    for (thaw_update_list *level = list->wrappers; level; level = level->wrappers) {
        thaw_parallel_for(list->context, list->norm_count, 1, restore_blocks, level);
        count_versions(level);
    }
}
