/* Shared by slices and concatenations: along an axis, memory is moved in blocks. */
#ifndef THAW_PARAMS_BLOCKS_H
#define THAW_PARAMS_BLOCKS_H

#include <thaw/runtime.h>
#include <thaw/tensor.h>

/* Blocks of `count` floats, `from_step` and `to_step` floats apart. */
typedef struct thaw_blocks {
    const float *from;
    float *into;
    size_t count, from_step, to_step;
    bool adds; /* adds to the present values */
} thaw_blocks;

void thaw_blocks_move(thaw_context *context, size_t blocks, thaw_blocks moved);

/* The product of the dimensions from `first` on, and before `past`. */
static inline size_t thaw_count_between(const thaw_shape *shape, int first, int past)
{
    size_t count = 1;
    for (int i = first; i < past; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

/* The number of blocks, and the elements of one block. */
static inline size_t thaw_count_before(const thaw_shape *shape, int axis)
{
    return thaw_count_between(shape, 0, axis);
}

static inline size_t thaw_count_from(const thaw_shape *shape, int axis)
{
    return thaw_count_between(shape, axis, shape->rank);
}

#endif
