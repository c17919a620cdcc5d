#include "kernels/product_bound.h"

#include <float.h>
#include <math.h>

#include "core/context.h"
#include "kernels/magnitude.h"

enum {
    PARTS = 32,
    PART_FLOATS = 16384, /* fewer are read before a thread would wake */
    MOST_TERMS = 1 << 22 /* this many roundings, each by at most 2^-24, increase a sum by less than a third */
};

typedef struct job {
    thaw_magnitude_function *largest;
    const float *values;
    size_t count;
    float found[PARTS];
} job;

static void read_parts(void *argument, size_t begin, size_t end)
{
    job *j = argument;
    for (size_t i = begin; i < end; i++) {
        const size_t first = j->count * i / PARTS;
        j->found[i] = j->largest(j->values + first, j->count * (i + 1) / PARTS - first);
    }
}

/* Infinite if a number is not finite. */
static double largest_of(thaw_context *context, const float *values, size_t count)
{
    job j = { .largest = THAW_FOR_LEVEL(context->level, thaw_largest_magnitude), .values = values, .count = count };
    thaw_parallel_for(context, PARTS, 1 + PARTS * (size_t)PART_FLOATS / (count + 1), read_parts, &j);
    double most = 0;
    for (size_t i = 0; i < PARTS; i++) {
        if (!isfinite(j.found[i]))
            return INFINITY;
        most = j.found[i] > most ? (double)j.found[i] : most;
    }
    return most;
}

bool thaw_products_are_finite(thaw_context *context, size_t terms, const float *a, size_t a_count, const float *b,
                              size_t b_count)
{
    if (terms > MOST_TERMS)
        return false;
    const double bound = (double)terms * largest_of(context, a, a_count) * largest_of(context, b, b_count);
    return bound < FLT_MAX / 2.0;
}
