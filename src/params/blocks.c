#include "params/blocks.h"

#include <string.h>

enum { GRAIN_FLOATS = 4096 };

static void move_range(void *argument, size_t begin, size_t end)
{
    const thaw_blocks *m = argument;
    for (size_t block = begin; block < end; block++) {
        const float *restrict from = m->from + block * m->from_step;
        float *restrict into = m->into + block * m->to_step;
        if (m->adds)
            for (size_t i = 0; i < m->count; i++)
                into[i] += from[i];
        else
            memcpy(into, from, m->count * sizeof *into);
    }
}

void thaw_blocks_move(thaw_context *context, size_t blocks, thaw_blocks m)
{
    thaw_parallel_for(context, blocks, m.count < GRAIN_FLOATS ? GRAIN_FLOATS / m.count : 1, move_range, &m);
}
