#include "kernels/row_loops.h"

#include <string.h>

#include "kernels/bfloat16.h"

enum {
    LANES = 32, /* sums side by side, for vectors */
    RUN = 1024, /* numbers summed in floats at a time */
    BLOCK = 128 /* for results: compilers do not vectorise loops whose arrays may be the same */
};

/* Number i of a row. `bf16` is a constant after inlining. */
static inline __attribute__((always_inline)) float at(const void *row, size_t i, bool bf16)
{
    return bf16 ? thaw_bfloat16_widen(((const thaw_bfloat16 *)row)[i]) : ((const float *)row)[i];
}

static inline __attribute__((always_inline)) void store(void *row, size_t first, size_t count,
                                                        const float *restrict block, bool bf16)
{
    if (bf16)
        for (size_t i = 0; i < count; i++)
            ((thaw_bfloat16 *)row)[first + i] = thaw_bfloat16_round(block[i]);
    else
        memcpy((float *)row + first, block, count * sizeof *block);
}

/* The order does not depend on the vectors. */
static inline double add_lanes(float *restrict lanes)
{
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            lanes[k] += lanes[k + half];
    return (double)lanes[0];
}

/* Adds a term for each number from `first` on to the lanes. */
typedef void summand(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes, bool bf16);

static inline void add_distances(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes,
                                 bool bf16)
{
    for (size_t k = 0; k < count; k++)
        lanes[k] += at(r->input, first + k, bf16) - from;
}

static inline void add_squares(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes,
                               bool bf16)
{
    for (size_t k = 0; k < count; k++) {
        const float distance = at(r->input, first + k, bf16) - from;
        lanes[k] += distance * distance;
    }
}

static inline void add_weighted(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes,
                                bool bf16)
{
    (void)from;
    for (size_t k = 0; k < count; k++)
        lanes[k] += at(r->slope, first + k, bf16) * r->weight[first + k];
}

static inline void add_centred(const thaw_row *r, float from, size_t first, size_t count, float *restrict lanes,
                               bool bf16)
{
    for (size_t k = 0; k < count; k++)
        lanes[k] += at(r->slope, first + k, bf16) * r->weight[first + k] * (at(r->input, first + k, bf16) - from);
}

/* Inlined with a constant summand and precision: each has its own loop. */
static inline __attribute__((always_inline)) double sum_all(const thaw_row *r, float from, summand *add, bool bf16)
{
    double sum = 0;
    for (size_t begin = 0; begin < r->count; begin += RUN) {
        const size_t end = r->count - begin < RUN ? r->count : begin + RUN;
        float lanes[LANES] = { 0 };
        size_t i = begin;
        for (; i + LANES <= end; i += LANES)
            add(r, from, i, LANES, lanes, bf16);
        add(r, from, i, end - i, lanes, bf16);
        sum += add_lanes(lanes);
    }
    return sum;
}

static inline __attribute__((always_inline)) double sum_terms(const thaw_row *r, float from, summand *add)
{
    return r->precision == THAW_F32 ? sum_all(r, from, add, false) : sum_all(r, from, add, true);
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

/* Computes results from the numbers from `first` on. */
typedef void step(const thaw_row *r, size_t first, size_t count, float *restrict block, bool bf16);

static inline void normalise_block(const thaw_row *r, size_t first, size_t count, float *restrict block, bool bf16)
{
    const float mean = r->mean, inverse = r->inverse, *weight = r->weight + first, *bias = r->bias + first;
    for (size_t i = 0; i < count; i++)
        block[i] = (at(r->input, first + i, bf16) - mean) * inverse * weight[i] + bias[i];
}

static inline void differentiate_block(const thaw_row *r, size_t first, size_t count, float *restrict block, bool bf16)
{
    const float mean = r->mean, inverse = r->inverse, constant = r->constant, linear = r->linear;
    const float *weight = r->weight + first;
    for (size_t i = 0; i < count; i++)
        block[i] = at(r->slope, first + i, bf16) * weight[i] * inverse + constant +
                   (at(r->input, first + i, bf16) - mean) * linear;
}

static inline __attribute__((always_inline)) void walk_all(const thaw_row *r, step *one, bool bf16)
{
    float block[BLOCK];
    for (size_t first = 0; first < r->count; first += BLOCK) {
        const size_t count = r->count - first < BLOCK ? r->count - first : BLOCK;
        one(r, first, count, block, bf16);
        store(r->result, first, count, block, bf16);
    }
}

static inline __attribute__((always_inline)) void walk(const thaw_row *r, step *one)
{
    if (r->precision == THAW_F32)
        walk_all(r, one, false);
    else
        walk_all(r, one, true);
}

static void normalise(const thaw_row *r)
{
    walk(r, normalise_block);
}

static void differentiate(const thaw_row *r)
{
    walk(r, differentiate_block);
}

static inline __attribute__((always_inline)) void add_all_slopes(const thaw_row *r, float *restrict into, bool bf16)
{
    for (size_t i = 0; i < r->count; i++)
        into[i] += at(r->slope, i, bf16);
}

static void add_slopes(const thaw_row *r, float *sums)
{
    if (r->precision == THAW_F32)
        add_all_slopes(r, sums, false);
    else
        add_all_slopes(r, sums, true);
}

static inline __attribute__((always_inline)) void add_all_products(const thaw_row *r, float *restrict into, bool bf16)
{
    const float mean = r->mean, inverse = r->inverse;
    for (size_t i = 0; i < r->count; i++)
        into[i] += at(r->slope, i, bf16) * ((at(r->input, i, bf16) - mean) * inverse);
}

static void add_products(const thaw_row *r, float *sums)
{
    if (r->precision == THAW_F32)
        add_all_products(r, sums, false);
    else
        add_all_products(r, sums, true);
}

/* The name is one of row_loops.h, by the build's -D. */
const thaw_row_functions thaw_row_loops = { sum,           sum_squares, sum_slopes,  normalise,
                                            differentiate, add_slopes,  add_products };
