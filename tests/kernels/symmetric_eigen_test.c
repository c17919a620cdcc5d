#include "kernels/symmetric_eigen.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "support/support.h"

typedef struct running {
    thaw_product_team team;
    size_t side;
    float *matrix, *values, *vectors, *scratch;
} running;

static void run_member(void *argument, int thread, int threads)
{
    running *r = argument;
    thaw_symmetric_eigen(&r->team, thread, threads, r->side, r->matrix, r->values, r->vectors, r->scratch);
}

static float *make(size_t count)
{
    return aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
}

static void decompose(const float *matrix, size_t side, thaw_cpu_level level, int threads, float *values,
                      float *vectors)
{
    thaw_context *context = support_context(threads);
    running r = { .team = { .level = level }, .side = side, .values = values, .vectors = vectors };
    r.team.packed = make(thaw_product_room(side));
    r.scratch = make(thaw_symmetric_eigen_room(side));
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

static double size_of(const float *matrix, size_t side)
{
    double sum = 0;
    for (size_t i = 0; i < side * side; i++)
        sum += (double)matrix[i] * (double)matrix[i];
    return sqrt(sum);
}

static void assert_orthonormal(const char *what, size_t side, const float *vectors)
{
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k < side; k++)
                sum += (double)vectors[i * side + k] * (double)vectors[j * side + k];
            cr_assert(fabs(sum - (i == j)) < 1e-5, "%s, %zu: vectors %zu and %zu: %g", what, side, i, j, sum);
        }
}

static void assert_eigen(const char *what, const float *matrix, size_t side, const float *values, const float *vectors)
{
    const double tolerance = 4e-6 * size_of(matrix, side) + FLT_MIN;
    for (size_t i = 0; i < side; i++) {
        cr_assert(i == 0 || values[i - 1] >= values[i], "%s, %zu: value %zu is %g, and before it %g", what, side, i,
                  (double)values[i], (double)values[i - 1]);
        for (size_t row = 0; row < side; row++) {
            double sum = 0;
            for (size_t k = 0; k < side; k++)
                sum += (double)matrix[row * side + k] * (double)vectors[i * side + k];
            const double wanted = (double)values[i] * (double)vectors[i * side + row];
            cr_assert(fabs(sum - wanted) <= tolerance, "%s, %zu: vector %zu, value %g: A v [%zu] is %g, expected %g",
                      what, side, i, (double)values[i], row, sum, wanted);
        }
    }
    assert_orthonormal(what, side, vectors);
}

/* On all levels, and on one to three threads with the same bits. */
static void assert_decomposed(const char *what, const float *matrix, size_t side)
{
    float *values[2] = { make(side), make(side) }, *vectors[2] = { make(side * side), make(side * side) };
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (int threads = 1; threads <= 3; threads++) {
            const bool again = threads > 1;
            decompose(matrix, side, level, threads, values[again], vectors[again]);
            if (!again)
                assert_eigen(what, matrix, side, values[0], vectors[0]);
            cr_assert(memcmp(values[again], values[0], side * sizeof(float)) == 0 &&
                          memcmp(vectors[again], vectors[0], side * side * sizeof(float)) == 0,
                      "%s, %zu, level %d: other bits on %d threads", what, side, (int)level, threads);
        }
    for (int i = 0; i < 2; i++) {
        free(values[i]);
        free(vectors[i]);
    }
}

static const size_t sides[] = { 1, 2, 3, 8, 17, 65, 100 };

/* The sum of values[k] u_k u_k^T for the columns u_k of the reflection I - 2 w w^T / w^T w, w = (1, 2, 3, 1, 2 ...). */
static void build(float *matrix, size_t side, double (*value)(size_t k, size_t side))
{
    double length = 0;
    for (size_t i = 0; i < side; i++)
        length += (double)((i % 3 + 1) * (i % 3 + 1));
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++) {
            double sum = 0;
            for (size_t k = 0; k < side; k++) {
                const double left = (i == k) - 2 * (double)((i % 3 + 1) * (k % 3 + 1)) / length;
                const double right = (j == k) - 2 * (double)((j % 3 + 1) * (k % 3 + 1)) / length;
                sum += value(k, side) * left * right;
            }
            matrix[i * side + j] = (float)sum;
        }
}

static double twice(size_t k, size_t side)
{
    (void)side;
    return (double)(k / 2 + 1);
}

static double equal(size_t k, size_t side)
{
    (void)k, (void)side;
    return 3;
}

static double mostly_zero(size_t k, size_t side)
{
    return k * 4 < side ? (double)(k + 1) : 0;
}

static double ill_conditioned(size_t k, size_t side)
{
    return pow(10, -12.0 * (double)k / (double)side);
}

static double of_both_signs(size_t k, size_t side)
{
    return (double)k - (double)side / 2;
}

static double tiny(size_t k, size_t side)
{
    (void)side;
    return 1e-30 * (double)(k + 1);
}

static double huge(size_t k, size_t side)
{
    (void)side;
    return 1e34 * (double)(k + 1);
}

Test(symmetric_eigen, holds_whatever_the_eigenvalues_are)
{
    static const struct {
        const char *name;
        double (*value)(size_t k, size_t side);
    } kinds[] = { { "twice", twice },
                  { "equal", equal },
                  { "mostly zero", mostly_zero },
                  { "ill-conditioned", ill_conditioned },
                  { "of both signs", of_both_signs },
                  { "tiny", tiny },
                  { "huge", huge } };
    for (size_t s = 0; s < THAW_COUNT(sides); s++)
        for (size_t k = 0; k < THAW_COUNT(kinds); k++) {
            float *matrix = make(sides[s] * sides[s]);
            build(matrix, sides[s], kinds[k].value);
            assert_decomposed(kinds[k].name, matrix, sides[s]);
            free(matrix);
        }
}

Test(symmetric_eigen, holds_for_any_matrix)
{
    for (size_t s = 0; s < THAW_COUNT(sides); s++) {
        const size_t side = sides[s];
        float *matrix = make(side * side);
        support_fill(matrix, side * side, 7);
        for (size_t i = 0; i < side; i++)
            for (size_t j = 0; j < i; j++)
                matrix[i * side + j] = matrix[j * side + i];
        assert_decomposed("any", matrix, side);
        memset(matrix, 0, side * side * sizeof(float));
        assert_decomposed("zero", matrix, side);
        for (size_t i = 0; i < side; i++)
            matrix[i * side + i] = (float)(i % 7);
        assert_decomposed("diagonal", matrix, side);
        free(matrix);
    }
}

/* Of the matrix with 2 on the diagonal and -1 beside it. */
Test(symmetric_eigen, finds_values_that_are_known)
{
    enum { SIDE = 90 };
    static float matrix[SIDE * SIDE], vectors[SIDE * SIDE], values[SIDE];
    for (size_t i = 0; i < SIDE; i++) {
        matrix[i * SIDE + i] = 2;
        if (i > 0)
            matrix[i * SIDE + i - 1] = matrix[(i - 1) * SIDE + i] = -1;
    }
    decompose(matrix, SIDE, thaw_cpu_detect(), 2, values, vectors);
    for (size_t i = 0; i < SIDE; i++)
        cr_assert_float_eq(values[i], 2 + 2 * cos((double)(i + 1) * acos(-1) / (SIDE + 1)), 2e-6);
}

/* A gradient that overflows ends the run elsewhere; this must only come back. */
Test(symmetric_eigen, ends_for_what_is_not_finite)
{
    enum { SIDE = 40 };
    static float matrix[SIDE * SIDE], vectors[SIDE * SIDE], values[SIDE];
    support_fill(matrix, SIDE * SIDE, 7);
    for (int i = 0; i < 2; i++) {
        matrix[3 * SIDE + 5] = matrix[5 * SIDE + 3] = i ? NAN : INFINITY;
        decompose(matrix, SIDE, thaw_cpu_detect(), 2, values, vectors);
    }
}
