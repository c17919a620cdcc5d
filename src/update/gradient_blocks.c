/* Reads all gradients of an update list in blocks: their norm, and whether they are finite. */
#include <math.h>

#include "core/context.h"
#include "kernels/magnitude.h"
#include "update/update_list.h"

enum { CHECK_GRAIN = 16 /* blocks: checking fewer takes less time than waking a thread */ };

static void sum_blocks(void *argument, size_t begin, size_t end)
{
    const thaw_update_list *list = argument;
    for (size_t i = begin; i < end; i++) {
        const thaw_span *block = &list->norm_blocks[i];
        if (list->norm_sums[i] != 0)
            list->norm_sums[i] =
                thaw_sum_of_squares(list->parameters[block->parameter]->gradient + block->begin, block->count);
    }
}

/* Sets the sums of the blocks that must be read to 1. Blocks in which no row has a gradient have the sum 0. */
static void mark_blocks(thaw_update_list *list)
{
    size_t first = 0;
    for (size_t k = 0; k < list->parameter_count; k++) {
        const thaw_parameter *parameter = list->parameters[k];
        const thaw_gradient_rows *named = &parameter->gradient_rows;
        const size_t blocks = thaw_norm_blocks_of(parameter);
        const size_t width = parameter->count / (size_t)parameter->shape.dims[0];
        for (size_t i = 0; i < blocks; i++)
            list->norm_sums[first + i] = named->known ? 0 : 1;
        for (size_t i = 0; named->known && i < named->count; i++)
            for (size_t at = named->rows[i] * width / THAW_NORM_BLOCK;
                 at * THAW_NORM_BLOCK < (named->rows[i] + (size_t)1) * width; at++)
                list->norm_sums[first + at] = 1;
        first += blocks;
    }
}

double thaw_update_list_norm(thaw_update_list *list)
{
    mark_blocks(list);
    thaw_parallel_for(list->context, list->norm_count, 1, sum_blocks, list);
    double sum = 0;
    for (size_t i = 0; i < list->norm_count; i++)
        sum += list->norm_sums[i];
    return sqrt(sum);
}

void thaw_update_list_squares(const thaw_update_list *list, double *squares)
{
    for (size_t i = 0; i < list->parameter_count; i++)
        squares[i] = 0;
    for (size_t i = 0; i < list->norm_count; i++)
        squares[list->norm_blocks[i].parameter] += list->norm_sums[i];
}

/* Backwards: the update begins where the blocks that were read last are still in the cache. */
static void check_blocks(void *argument, size_t begin, size_t end)
{
    const thaw_update_list *list = argument;
    thaw_magnitude_function *largest = THAW_FOR_LEVEL(list->context->level, thaw_largest_magnitude);
    for (size_t i = end; i-- > begin;) {
        const thaw_span *block = &list->norm_blocks[i];
        if (list->norm_sums[i] != 0)
            list->norm_sums[i] =
                !isfinite(largest(list->parameters[block->parameter]->gradient + block->begin, block->count));
    }
}

static void unmark_known(thaw_update_list *list, const bool *known)
{
    for (size_t i = 0; known && i < list->norm_count; i++)
        if (known[list->norm_blocks[i].parameter])
            list->norm_sums[i] = 0;
}

bool thaw_update_list_finite(thaw_update_list *list, const bool *known)
{
    mark_blocks(list);
    unmark_known(list, known);
    thaw_parallel_for(list->context, list->norm_count, CHECK_GRAIN, check_blocks, list);
    for (size_t i = 0; i < list->norm_count; i++)
        if (list->norm_sums[i] != 0)
            return false;
    return true;
}
