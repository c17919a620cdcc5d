#include "kernels/symmetric_eigen.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/threads.h"
#include "kernels/decomposition_loops.h"
#include "kernels/tridiagonal.h"

enum {
    MOST_SWEEPS = 32,    /* that are collected before they are applied, together at most MOST_SWEEPS * side rotations */
    MOST_ITERATIONS = 60 /* for an eigenvalue; more than two or three are rare */
};

/* Beside the diagonal, so little counts as nothing: far less than the rounding of the reduction in float. The largest
   element of the matrix is scaled to about 1. */
static const double NOTHING = 1e-12;

typedef struct iteration {
    size_t side, next; /* eigenvalues before `next` are found */
    int iterations;    /* for this one */
    double *diagonal, *beside;
    float *rotations;
    size_t sweep_count;
    thaw_sweep sweeps[MOST_SWEEPS];
} iteration;

static size_t iteration_floats(void)
{
    return (sizeof(iteration) + 63) / 64 * 64 / sizeof(float);
}

size_t thaw_symmetric_eigen_room(size_t side)
{
    const size_t rotations = (size_t)MOST_SWEEPS * 2 * side;
    const size_t while_reducing = thaw_tridiagonal_room(side),
                 after = rotations > while_reducing ? rotations : while_reducing;
    return iteration_floats() + 4 * side + after;
}

/* The end of the block that begins at the next eigenvalue: after it, nothing is beside the diagonal, or NaN. */
static size_t block_end(const iteration *t)
{
    size_t end = t->next;
    for (; end + 1 < t->side; end++) {
        const double size = fabs(t->diagonal[end]) + fabs(t->diagonal[end + 1]);
        if (!(fabs(t->beside[end]) > DBL_EPSILON / 2 * size + NOTHING))
            break;
    }
    return end;
}

/* An implicit QL iteration on the block [first, last], with Wilkinson's shift: Golub & Van Loan, Matrix Computations,
   8.3; the rotations go into `rotation`. */
static void iterate(iteration *t, size_t last, float *rotation)
{
    double *d = t->diagonal, *e = t->beside;
    const size_t first = t->next;
    const double half = (d[first + 1] - d[first]) / (2 * e[first]);
    double bulge = d[last] - d[first] + e[first] / (half + copysign(sqrt(half * half + 1), half));
    double cosine = 1, sine = 1, shift = 0;
    for (size_t i = last; i-- > first;) {
        const double across = sine * e[i], along = cosine * e[i];
        const double length = sqrt(across * across + bulge * bulge);
        if (i + 1 < last)
            e[i + 1] = length;
        cosine = length > 0 ? bulge / length : 1;
        sine = length > 0 ? across / length : 0;
        const double left = d[i + 1] - shift, turned = (d[i] - left) * sine + 2 * cosine * along;
        shift = sine * turned;
        d[i + 1] = left + shift;
        bulge = cosine * turned - along;
        *rotation++ = (float)cosine;
        *rotation++ = (float)sine;
    }
    d[first] -= shift;
    e[first] = bulge;
}

/* Collects sweeps until there is no more room for one, or all eigenvalues are found. */
static void collect(iteration *t)
{
    float *rotation = t->rotations;
    t->sweep_count = 0;
    while (t->next < t->side && t->sweep_count < MOST_SWEEPS) {
        const size_t end = block_end(t);
        if (end == t->next || t->iterations == MOST_ITERATIONS) {
            t->next++;
            t->iterations = 0;
            continue;
        }
        iterate(t, end, rotation);
        t->iterations++;
        t->sweeps[t->sweep_count++] = (thaw_sweep){ .first = t->next, .past = end, .rotations = rotation };
        rotation += 2 * (end - t->next);
    }
}

static void swap_rows(float *left, float *right, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const float value = left[i];
        left[i] = right[i];
        right[i] = value;
    }
}

static size_t largest_after(const double *values, size_t first, size_t count)
{
    size_t largest = first;
    for (size_t i = first + 1; i < count; i++)
        if (values[i] > values[largest])
            largest = i;
    return largest;
}

/* Chooses the order: place i gets what is then at other[i]. */
static void find_order(double *values, size_t count, float *sorted, double scale, uint32_t *other)
{
    for (size_t i = 0; i < count; i++) {
        const size_t largest = largest_after(values, i, count);
        const double value = values[largest];
        values[largest] = values[i];
        values[i] = value;
        other[i] = (uint32_t)largest;
        sorted[i] = (float)(value * scale);
    }
}

/* This thread's columns of all rows. */
static void swap_own(size_t side, const uint32_t *other, size_t thread, size_t threads, float *vectors)
{
    const size_t first = side * thread / threads, count = side * (thread + 1) / threads - first;
    for (size_t i = 0; i < side; i++)
        if (other[i] != i)
            swap_rows(vectors + i * side + first, vectors + other[i] * side + first, count);
}

static void rotate_own(const iteration *t, const thaw_decomposition_loops_table *loops, size_t thread, size_t threads,
                       float *vectors)
{
    const size_t blocks = (t->side + THAW_ROTATED_COLUMNS - 1) / THAW_ROTATED_COLUMNS;
    for (size_t block = thread; block < blocks; block += threads) {
        const size_t first = block * THAW_ROTATED_COLUMNS, rest = t->side - first;
        for (size_t i = 0; i < t->sweep_count; i++)
            loops->rotate(&t->sweeps[i], vectors, t->side, first,
                          rest < THAW_ROTATED_COLUMNS ? rest : THAW_ROTATED_COLUMNS);
    }
}

/* A power of two, by which the largest element is about 1. The same for all threads. */
static double find_scale(size_t side, const float *matrix)
{
    float largest = 0;
    for (size_t i = 0; i < side * side; i++)
        largest = fabsf(matrix[i]) > largest ? fabsf(matrix[i]) : largest;
    int exponent = 0;
    if (largest > 0 && largest <= FLT_MAX)
        frexpf(largest, &exponent);
    return ldexp(1, exponent);
}

static void scale_own(size_t side, double factor, size_t thread, size_t threads, float *matrix)
{
    const size_t first = side * thread / threads * side, past = side * (thread + 1) / threads * side;
    for (size_t i = first; i < past; i++)
        matrix[i] = (float)((double)matrix[i] * factor);
}

void thaw_symmetric_eigen(thaw_product_team *team, int thread, int threads, size_t side, float *matrix, float *values,
                          float *vectors, float *scratch)
{
    const thaw_decomposition_loops_table *loops = THAW_FOR_LEVEL(team->level, &thaw_decomposition_loops);
    const size_t own = (size_t)thread, all = (size_t)threads;
    iteration *t = (iteration *)(void *)scratch;
    double *diagonal = (double *)(void *)(scratch + iteration_floats()), *beside = diagonal + side;
    float *rest = (float *)(void *)(beside + side);
    uint32_t *other = (uint32_t *)(void *)rest;
    thaw_barrier(threads);
    const double scale = find_scale(side, matrix);
    thaw_barrier(threads);
    scale_own(side, 1 / scale, own, all, matrix);
    thaw_tridiagonal(team, thread, threads, side, matrix, diagonal, beside, vectors, rest);
    if (thread == 0)
        *t = (iteration){ .side = side, .diagonal = diagonal, .beside = beside, .rotations = rest };
    for (bool done = false; !done;) {
        if (thread == 0)
            collect(t);
        thaw_barrier(threads);
        rotate_own(t, loops, own, all, vectors);
        done = t->next == side;
        thaw_barrier(threads);
    }
    if (thread == 0)
        find_order(diagonal, side, values, scale, other);
    thaw_barrier(threads);
    swap_own(side, other, own, all, vectors);
    thaw_barrier(threads);
}
