#include "kernels/orthonormal_rows.h"

#include <string.h>

#include "core/threads.h"
#include "kernels/decomposition_loops.h"
#include "kernels/reflections.h"

size_t thaw_orthonormal_rows_room(size_t side)
{
    return side + thaw_reflections_room(side);
}

/* Turns rows [first, past) into the vectors of reflections, each of the row as those before leave it. */
static void factor_rows(const thaw_product_team *team, int thread, int threads, size_t side, size_t first, size_t past,
                        float *matrix, float *scales)
{
    const thaw_decomposition_loops_table *loops = THAW_FOR_LEVEL(team->level, &thaw_decomposition_loops);
    for (size_t k = first; k < past; k++) {
        float *row = matrix + k * side;
        if (thread == 0) {
            thaw_reflection_make(side - k, row + k, &scales[k]);
            memset(row, 0, k * sizeof(float));
        }
        thaw_barrier(threads);
        for (size_t i = k + 1; i < past; i++)
            if (i % (size_t)threads == (size_t)thread)
                loops->reflect(side - k, scales[k], row + k, matrix + i * side + k);
        thaw_barrier(threads);
    }
}

void thaw_orthonormal_rows(thaw_product_team *team, int thread, int threads, size_t side, float *matrix, float *result,
                           float *scratch)
{
    float *scales = scratch, *rest = scales + side;
    thaw_barrier(threads);
    for (size_t first = 0; first < side;) {
        const size_t past = side - first < THAW_REFLECTIONS ? side : first + THAW_REFLECTIONS;
        factor_rows(team, thread, threads, side, first, past, matrix, scales);
        const thaw_reflections block = { past - first, side, matrix + first * side, scales + first };
        if (past < side)
            thaw_reflections_apply(team, thread, threads, &block, false, side - past, matrix + past * side, rest);
        first = past;
    }
    thaw_reflections_join(team, thread, threads, &(thaw_reflections){ side, side, matrix, scales }, 0, result, rest);
}
