#include "kernels/orthonormal_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "support/support.h"

typedef struct running {
    thaw_product_team team;
    size_t side;
    float *matrix, *result, *scratch;
} running;

static void run_member(void *argument, int thread, int threads)
{
    running *r = argument;
    thaw_orthonormal_rows(&r->team, thread, threads, r->side, r->matrix, r->result, r->scratch);
}

static float *make(size_t count)
{
    return aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
}

static void run(const float *matrix, size_t side, thaw_cpu_level level, int threads, float *result)
{
    thaw_context *context = support_context(threads);
    running r = { .team = { .level = level }, .side = side, .result = result };
    r.team.packed = make(thaw_product_room(side));
    r.scratch = make(thaw_orthonormal_rows_room(side));
    r.matrix = make(side * side);
    memcpy(r.matrix, matrix, side * side * sizeof(float));
    const thaw_thread_scope scope = thaw_threads_enter(context);
    thaw_parallel(context, run_member, &r);
    thaw_threads_leave(scope);
    free(r.matrix);
    free(r.scratch);
    free(r.team.packed);
    thaw_context_destroy(context);
}

static double product(const float *left, const float *right, size_t count)
{
    double sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += (double)left[k] * (double)right[k];
    return sum;
}

/* Rows are orthonormal, and a row of the matrix has no part along the later ones. */
static void assert_rows(const char *what, const float *matrix, size_t side, const float *rows)
{
    const double tolerance = 4e-6 * sqrt(product(matrix, matrix, side * side));
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++) {
            const double own = product(rows + i * side, rows + j * side, side);
            const double along = product(matrix + i * side, rows + j * side, side);
            cr_assert(fabs(own - (i == j)) < 1e-5, "%s, %zu: rows %zu and %zu: %g", what, side, i, j, own);
            cr_assert(j <= i || fabs(along) <= tolerance, "%s, %zu: row %zu has %g along %zu", what, side, i, along, j);
        }
}

/* On all levels, and on one to three threads with the same bits. */
static void assert_orthonormal(const char *what, const float *matrix, size_t side)
{
    float *results[2] = { make(side * side), make(side * side) };
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (int threads = 1; threads <= 3; threads++) {
            float *result = results[threads > 1];
            run(matrix, side, level, threads, result);
            if (threads == 1)
                assert_rows(what, matrix, side, result);
            cr_assert_eq(memcmp(result, results[0], side * side * sizeof(float)), 0, "%s, %zu on %d threads", what,
                         side, threads);
        }
    free(results[0]);
    free(results[1]);
}

Test(orthonormal_rows, span_what_the_rows_before_span)
{
    static const size_t sides[] = { 1, 2, 3, 17, 64, 65, 130 };
    for (size_t s = 0; s < THAW_COUNT(sides); s++) {
        const size_t side = sides[s];
        float *matrix = make(side * side);
        support_fill(matrix, side * side, 3);
        assert_orthonormal("any", matrix, side);
        for (size_t i = 0; i < side; i++)
            for (size_t j = 0; j < side; j++)
                matrix[i * side + j] *= powf(10, -9.0F * (float)i / (float)side);
        assert_orthonormal("ill-conditioned", matrix, side);
        for (size_t i = side / 2; i < side; i++)
            memcpy(matrix + i * side, matrix + i / 2 * side, side * sizeof(float));
        assert_orthonormal("dependent", matrix, side);
        memset(matrix, 0, side * side * sizeof(float));
        assert_orthonormal("zero", matrix, side);
        free(matrix);
    }
}
