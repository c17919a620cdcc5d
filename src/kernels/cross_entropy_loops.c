#include <float.h>
#include <math.h>

#include "kernels/cross_entropy.h"
#include "kernels/lane_functions.h"

enum {
    BLOCK = 1024, /* logits that stay in the nearest cache between their two readings, and are summed in floats */
    SUMS = 4      /* side by side, so that one addition does not wait for another */
};

/* Reads the last vector, behind which are lanes of `rest`. */
INLINE lanes load_end(const float *from, size_t count, float rest)
{
    lanes values = all(rest);
    memcpy(&values, from, count * sizeof *from);
    return values;
}

INLINE lanes load_whole(const float *from)
{
    return load(from, LANES, false);
}

INLINE float find_largest(const float *logits, size_t count, float least)
{
    const size_t whole = count / LANES * LANES;
    lanes largest[SUMS] = { all(least), all(least), all(least), all(least) };
    size_t j = 0;
    for (; j + SUMS * LANES <= whole; j += SUMS * LANES)
        for (size_t k = 0; k < SUMS; k++)
            largest[k] = larger(load_whole(logits + j + k * LANES), largest[k]);
    for (; j < whole; j += LANES)
        largest[0] = larger(load_whole(logits + j), largest[0]);
    if (whole < count)
        largest[0] = larger(load_end(logits + whole, count - whole, least), largest[0]);
    return fold_lanes(larger(larger(largest[0], largest[1]), larger(largest[2], largest[3])), false);
}

INLINE double sum_exponentials(const float *logits, size_t count, float largest)
{
    const size_t whole = count / LANES * LANES;
    lanes sum[SUMS] = { { 0 } };
    size_t j = 0;
    for (; j + SUMS * LANES <= whole; j += SUMS * LANES)
        for (size_t k = 0; k < SUMS; k++)
            sum[k] += exponential(load_whole(logits + j + k * LANES) - largest);
    for (; j < whole; j += LANES)
        sum[0] += exponential(load_whole(logits + j) - largest);
    if (whole < count)
        sum[0] += exponential(load_end(logits + whole, count - whole, -INFINITY) - largest);
    return (double)fold_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]), true);
}

INLINE double sum_weighted(const float *logits, const float *weights, size_t count)
{
    const size_t whole = count / LANES * LANES;
    lanes sum = { 0 };
    for (size_t j = 0; j < whole; j += LANES)
        sum += weights ? load_whole(logits + j) * load_whole(weights + j) : load_whole(logits + j);
    const lanes last = load_end(logits + whole, count - whole, 0);
    sum += weights ? last * load_end(weights + whole, count - whole, 0) : last;
    return (double)fold_lanes(sum, true);
}

/* Milakov and Gimelshein 2018, arXiv 1805.02867: a sum is relative to the largest so far. */
static thaw_logit_row measure(const float *logits, const float *weights, size_t count, bool totals)
{
    thaw_logit_row row = { .largest = -FLT_MAX };
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t size = count - first < BLOCK ? count - first : BLOCK;
        const float largest = find_largest(logits + first, size, row.largest);
        if (largest > row.largest)
            row.sum *= exp((double)row.largest - (double)largest);
        row.largest = largest;
        row.sum += sum_exponentials(logits + first, size, largest);
        if (totals)
            row.total += sum_weighted(logits + first, weights ? weights + first : NULL, size);
    }
    return row;
}

INLINE void differentiate_all(const float *logits, const float *weights, size_t count, float largest, float factor,
                              float share, float *gradient)
{
    const size_t whole = count / LANES * LANES, rest = count - whole;
    for (size_t j = 0; j < whole; j += LANES) {
        const lanes shares = weights ? share * load_whole(weights + j) : all(share);
        const lanes values = factor * exponential(load_whole(logits + j) - largest) - shares;
        memcpy(gradient + j, &values, sizeof values);
    }
    const lanes shares = weights ? share * load_end(weights + whole, rest, 0) : all(share);
    const lanes values = factor * exponential(load_end(logits + whole, rest, -INFINITY) - largest) - shares;
    memcpy(gradient + whole, &values, rest * sizeof *gradient);
}

static void differentiate(const float *logits, const float *weights, size_t count, float largest, float factor,
                          float share, float *gradient)
{
    if (weights)
        differentiate_all(logits, weights, count, largest, factor, share, gradient);
    else
        differentiate_all(logits, NULL, count, largest, factor, share, gradient);
}

/* The name is one of cross_entropy.h, by the build's -D. */
const thaw_cross_entropy_functions thaw_cross_entropy_loops = { measure, differentiate };
