#include "core/row_loops.h"

#include <string.h>

enum {
    LANES = 32, /* sums that run side by side, so that the compiler may use vectors */
    RUN = 1024, /* numbers that are summed in floats */
    BLOCK = 128 /* through which results go, because compilers do not vectorise a loop whose arrays may be one */
};

/* In one order, whatever the vectors. */
static inline double add_lanes(float *restrict lanes)
{
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            lanes[k] += lanes[k + half];
    return (double)lanes[0];
}

/* Adds a term for each number from `first` on to the lanes. */
typedef void summand(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes);

static inline void add_distances(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes)
{
    for (size_t k = 0; k < count; k++)
        lanes[k] += r->input[first + k] - from;
}

static inline void add_squares(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes)
{
    for (size_t k = 0; k < count; k++)
        lanes[k] += (r->input[first + k] - from) * (r->input[first + k] - from);
}

static inline void add_weighted(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes)
{
    (void)from;
    for (size_t k = 0; k < count; k++)
        lanes[k] += r->slope[first + k] * r->weight[first + k];
}

static inline void add_centred(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes)
{
    for (size_t k = 0; k < count; k++)
        lanes[k] += r->slope[first + k] * r->weight[first + k] * (r->input[first + k] - from);
}

/* Inlined with a constant summand, so that each becomes a loop of its own. */
static inline __attribute__((always_inline)) double sum_terms(const thaw_row *r, float from, summand *add)
{
    double sum = 0;
    for (size_t begin = 0; begin < r->count; begin += RUN) {
        const size_t end = r->count - begin < RUN ? r->count : begin + RUN;
        float lanes[LANES] = { 0 };
        size_t i = begin;
        for (; i + LANES <= end; i += LANES)
            add(r, from, i, LANES, lanes);
        add(r, from, i, end - i, lanes);
        sum += add_lanes(lanes);
    }
    return sum;
}

static double sum(const thaw_row *r, float from)
{
    return sum_terms(r, from, add_distances);
}

static double sum_squares(const thaw_row *r, float from)
{
    return sum_terms(r, from, add_squares);
}

static void sum_slopes(const thaw_row *r, double *slopes, double *products)
{
    *slopes = sum_terms(r, 0, add_weighted);
    *products = sum_terms(r, r->mean, add_centred);
}

static void normalise(const thaw_row *r)
{
    const float mean = r->mean, inverse = r->inverse;
    for (size_t first = 0; first < r->count; first += BLOCK) {
        const size_t count = r->count - first < BLOCK ? r->count - first : BLOCK;
        const float *x = r->input + first, *weight = r->weight + first, *bias = r->bias + first;
        float block[BLOCK];
        for (size_t i = 0; i < count; i++)
            block[i] = (x[i] - mean) * inverse * weight[i] + bias[i];
        memcpy(r->result + first, block, count * sizeof *block);
    }
}

static void differentiate(const thaw_row *r)
{
    const float mean = r->mean, inverse = r->inverse, constant = r->constant, linear = r->linear;
    for (size_t first = 0; first < r->count; first += BLOCK) {
        const size_t count = r->count - first < BLOCK ? r->count - first : BLOCK;
        const float *x = r->input + first, *weight = r->weight + first, *slope = r->slope + first;
        float block[BLOCK];
        for (size_t i = 0; i < count; i++)
            block[i] = slope[i] * weight[i] * inverse + constant + (x[i] - mean) * linear;
        memcpy(r->result + first, block, count * sizeof *block);
    }
}

static void add_slopes(const thaw_row *r, float *sums)
{
    const float *restrict slope = r->slope;
    float *restrict into = sums;
    for (size_t i = 0; i < r->count; i++)
        into[i] += slope[i];
}

static void add_products(const thaw_row *r, float *sums)
{
    const float *restrict slope = r->slope, *restrict x = r->input;
    float *restrict into = sums;
    const float mean = r->mean, inverse = r->inverse;
    for (size_t i = 0; i < r->count; i++)
        into[i] += slope[i] * ((x[i] - mean) * inverse);
}

/* The name is one of row_loops.h, by the build's -D. */
const thaw_row_functions thaw_row_loops = { sum,           sum_squares, sum_slopes,  normalise,
                                            differentiate, add_slopes,  add_products };
