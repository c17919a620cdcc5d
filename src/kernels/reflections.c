#include "kernels/reflections.h"

#include <math.h>
#include <string.h>

#include "core/threads.h"

float thaw_reflection_make(size_t count, float *values, float *scale)
{
    const double first = (double)values[0];
    double rest = 0;
    for (size_t i = 1; i < count; i++)
        rest += (double)values[i] * (double)values[i];
    values[0] = 1;
    *scale = 0;
    if (!(rest > 0))
        return (float)first;
    const double length = sqrt(first * first + rest), left = first > 0 ? -length : length;
    *scale = (float)((left - first) / left);
    for (size_t i = 1; i < count; i++)
        values[i] = (float)((double)values[i] / (first - left));
    return (float)left;
}

size_t thaw_reflections_room(size_t side)
{
    return (size_t)THAW_REFLECTIONS * (2 * side + 2 * THAW_REFLECTIONS);
}

/* The triangle T with which H1 H2 ... = I - V^T T V, from the products of the vectors with each other; transposed for
   the opposite order. Schreiber & Van Loan 1989, A storage-efficient WY representation for products of Householder
   transformations. */
static void find_triangle(const thaw_reflections *r, const float *products, bool backwards, float *triangle)
{
    const size_t count = r->count, down = backwards ? 1 : count, across = backwards ? count : 1;
    memset(triangle, 0, count * count * sizeof(float));
    for (size_t j = 0; j < count; j++) {
        const double scale = (double)r->scales[j];
        triangle[j * count + j] = r->scales[j];
        for (size_t i = 0; i < j; i++) {
            double sum = 0;
            for (size_t k = i; k < j; k++)
                sum += (double)triangle[i * down + k * across] * (double)products[k * count + j];
            triangle[i * down + j * across] = (float)(-scale * sum);
        }
    }
}

void thaw_reflections_apply(thaw_product_team *team, int thread, int threads, const thaw_reflections *r, bool backwards,
                            size_t rows, float *matrix, float *scratch)
{
    const size_t count = r->count;
    float *products = scratch, *triangle = products + count * count;
    float *parts = triangle + count * count, *mixed = parts + rows * count;
    thaw_matrix_product_run(team, thread, threads,
                            &(thaw_matrix_product){ .rows = count,
                                                    .columns = count,
                                                    .depth = r->side,
                                                    .left = r->vectors,
                                                    .right = r->vectors,
                                                    .right_transposed = true,
                                                    .symmetric = true,
                                                    .factor = 1,
                                                    .result = products });
    if (thread == 0)
        find_triangle(r, products, backwards, triangle);
    thaw_matrix_product_run(team, thread, threads,
                            &(thaw_matrix_product){ .rows = rows,
                                                    .columns = count,
                                                    .depth = r->side,
                                                    .left = matrix,
                                                    .right = r->vectors,
                                                    .right_transposed = true,
                                                    .factor = 1,
                                                    .result = parts });
    thaw_matrix_product_run(team, thread, threads,
                            &(thaw_matrix_product){ .rows = rows,
                                                    .columns = count,
                                                    .depth = count,
                                                    .left = parts,
                                                    .right = triangle,
                                                    .factor = 1,
                                                    .result = mixed });
    thaw_matrix_product_run(team, thread, threads,
                            &(thaw_matrix_product){ .rows = rows,
                                                    .columns = r->side,
                                                    .depth = count,
                                                    .left = mixed,
                                                    .right = r->vectors,
                                                    .factor = -1,
                                                    .addend = matrix,
                                                    .addend_factor = 1,
                                                    .result = matrix });
}

void thaw_reflections_join(thaw_product_team *team, int thread, int threads, const thaw_reflections *r, size_t zeros,
                           float *matrix, float *scratch)
{
    const size_t side = r->side;
    thaw_barrier(threads);
    for (size_t i = (size_t)thread; i < side; i += (size_t)threads) {
        memset(matrix + i * side, 0, side * sizeof(float));
        matrix[i * side + i] = 1;
    }
    thaw_barrier(threads);
    for (size_t past = r->count; past > 0;) {
        const size_t some = past % THAW_REFLECTIONS ? past % THAW_REFLECTIONS : THAW_REFLECTIONS;
        past -= some;
        const thaw_reflections block = { some, side, r->vectors + past * side, r->scales + past };
        /* The rows above are still those of the identity, and zero where the vectors are not. */
        const size_t first = zeros + past;
        thaw_reflections_apply(team, thread, threads, &block, true, side - first, matrix + first * side, scratch);
    }
}
