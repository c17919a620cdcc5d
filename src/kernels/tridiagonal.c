#include "kernels/tridiagonal.h"

#include <string.h>

#include "core/threads.h"
#include "kernels/decomposition_loops.h"
#include "kernels/reflections.h"

/* Rows that a thread takes at a time: the same ones in all steps, which stay in its caches. */
enum { DEALT = 8 };

/* The reduction under way. */
typedef struct state {
    const thaw_decomposition_loops_table *loops;
    size_t side, thread, threads;
    float *matrix; /* of rows that are done: their reflections' vectors */
    float *scales; /* of the reflections */
    float *other;  /* what is subtracted beside the last vector */
    float *products;
} state;

size_t thaw_tridiagonal_room(size_t side)
{
    return 3 * side + thaw_reflections_room(side);
}

/* The rank-2 update of step k is A -= v w^T + w v^T: makes w = scale (p - scale / 2 (p . v) v) of p = A v. */
static void find_other(const state *s, size_t k)
{
    const float *vector = s->matrix + k * s->side;
    const double scale = (double)s->scales[k];
    double product = 0;
    for (size_t i = k + 1; i < s->side; i++)
        product += (double)s->products[i] * (double)vector[i];
    for (size_t i = k + 1; i < s->side; i++)
        s->other[i] = (float)(scale * ((double)s->products[i] - scale / 2 * product * (double)vector[i]));
}

/* Subtracts the last step's update from row k, and makes its reflection. */
static void begin_step(const state *s, size_t k, double *diagonal, double *beside)
{
    float *row = s->matrix + k * s->side;
    const float *last = row - s->side;
    for (size_t j = k; k > 0 && j < s->side; j++) {
        row[j] -= last[k] * s->other[j];
        row[j] -= s->other[k] * last[j];
    }
    diagonal[k] = (double)row[k];
    if (k + 1 == s->side)
        return;
    beside[k] = (double)thaw_reflection_make(s->side - k - 1, row + k + 1, &s->scales[k]);
    memset(row, 0, (k + 1) * sizeof(float));
}

static void reduce_own(const state *s, size_t k, const float *zeros)
{
    const thaw_reduction reduction = {
        .side = s->side,
        .first = k + 1,
        .vector = k ? s->matrix + (k - 1) * s->side : zeros,
        .other = s->other,
        .next = s->matrix + k * s->side,
        .matrix = s->matrix,
        .products = s->products,
    };
    for (size_t block = (k + 1) / DEALT; block * DEALT < s->side; block++) {
        if (block % s->threads != s->thread)
            continue;
        const size_t first = block * DEALT > k ? block * DEALT : k + 1, past = (block + 1) * DEALT;
        s->loops->reduce(&reduction, first, (past < s->side ? past : s->side) - first);
    }
}

void thaw_tridiagonal(thaw_product_team *team, int thread, int threads, size_t side, float *matrix, double *diagonal,
                      double *beside, float *result, float *scratch)
{
    const state s = { .loops = THAW_FOR_LEVEL(team->level, &thaw_decomposition_loops),
                      .side = side,
                      .thread = (size_t)thread,
                      .threads = (size_t)threads,
                      .matrix = matrix,
                      .scales = scratch,
                      .other = scratch + side,
                      .products = scratch + 2 * side };
    thaw_barrier(threads);
    if (thread == 0)
        memset(s.other, 0, side * sizeof(float));
    for (size_t k = 0; k < side; k++) {
        if (thread == 0) {
            if (k > 0)
                find_other(&s, k - 1);
            begin_step(&s, k, diagonal, beside);
        }
        thaw_barrier(threads);
        if (k + 1 < side)
            reduce_own(&s, k, s.other);
        thaw_barrier(threads);
    }
    if (thread == 0)
        memset(matrix + (side - 1) * side, 0, side * sizeof(float));
    const thaw_reflections all = { side - 1, side, matrix, s.scales };
    thaw_reflections_join(team, thread, threads, &all, 1, result, scratch + 3 * side);
}
