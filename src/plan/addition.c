#include "plan/addition.h"

enum { GRAIN = 4096 };

typedef struct addition {
    float *sum;
    const float *term;
} addition;

static void add_range(void *argument, size_t begin, size_t end)
{
    const addition *added = argument;
    float *restrict sum = added->sum;
    const float *restrict term = added->term;
    for (size_t i = begin; i < end; i++)
        sum[i] += term[i];
}

void thaw_add_floats(thaw_context *context, float *sum, const float *term, size_t count)
{
    thaw_parallel_for(context, count, GRAIN, add_range, &(addition){ sum, term });
}
