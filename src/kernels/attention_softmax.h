/* What attention computes on rows of scores. Rows are padded to whole vectors. */
#ifndef THAW_KERNELS_ATTENTION_SOFTMAX_H
#define THAW_KERNELS_ATTENTION_SOFTMAX_H

#ifdef __x86_64__
#include <immintrin.h>
#endif
#include <float.h>
#include <math.h>

#include "kernels/attention_pack.h"

/* The larger of two, and `right` if either is NaN. */
INLINE lanes larger(lanes left, lanes right)
{
#if defined __AVX512F__
    return (lanes)_mm512_max_ps((__m512)left, (__m512)right);
#elif defined __AVX2__
    return (lanes)_mm256_max_ps((__m256)left, (__m256)right);
#elif defined __x86_64__
    return (lanes)_mm_max_ps((__m128)left, (__m128)right);
#else
    return choose(left > right, left, right);
#endif
}

/* e^x for x <= 88, within 1.5 units in the last place, and 0 below -87.7. NaN stays. As thaw_exponential
   (kernels/gate_functions.h), whose polynomial this is. */
INLINE lanes exponential(lanes x)
{
    const lanes shift = all(0x1.8p23F); /* adding it rounds to a whole number, which the last bits then hold */
    const float high = 0x1.62e4p-1F, low = 0x1.7f7d1cp-20F; /* ln 2 in two parts; n * high is exact */
    const lanes bounded = larger(all(-88), x);              /* so that n >= -127, and 2^n becomes 0 there */
    const lanes shifted = bounded * 0x1.715476p0F + shift, n = shifted - shift;
    const lanes r = (bounded - n * high) - n * low;
    const lanes tail =
        0.49999994F + r * (0.166665211F + r * (0.041668389F + r * (0.00836871751F + r * 0.00138145965F)));
    const lanes power = (lanes)(((words)shifted << 23) + 0x3F800000);
    return power + power * (r + r * r * tail);
}

INLINE quad fold(quad left, quad right, bool add)
{
    if (add)
        return left + right;
#ifdef __x86_64__
    return (quad)_mm_max_ps((__m128)left, (__m128)right);
#else
    const quad_order greater = left > right;
    return (quad)(((quad_order)left & greater) | ((quad_order)right & ~greater));
#endif
}

/* The sum of all lanes, or the largest, in halves. */
INLINE float fold_lanes(lanes values, bool add)
{
    quad part[LANES / 4];
    memcpy(part, &values, sizeof part);
#pragma GCC unroll 2
    for (size_t half = LANES / 8; half > 0; half /= 2)
#pragma GCC unroll 2
        for (size_t i = 0; i < half; i++)
            part[i] = fold(part[i], part[i + half], add);
    const quad two = fold(part[0], MERGED(part[0], part[0], 2, 3, 0, 1), add);
    return fold(two, MERGED(two, two, 1, 0, 3, 2), add)[0];
}

/* Scores from `count` on become -infinity. */
INLINE void mask_scores(float *scores, size_t count, size_t width)
{
    for (size_t j = count; j < width; j++)
        scores[j] = -INFINITY;
}

INLINE void add_bias(float *scores, const float *bias, size_t count)
{
    size_t j = 0;
    for (; j + LANES <= count; j += LANES)
        store_floats(scores + j, load_floats(scores + j) + load_floats(bias + j));
    for (; j < count; j++)
        scores[j] += bias[j];
}

/* The largest of them and `least`. */
INLINE float largest_score(const float *scores, size_t width, float least)
{
    lanes largest = all(least);
    for (size_t j = 0; j < width; j += LANES)
        largest = larger(load_floats(scores + j), largest);
    return fold_lanes(largest, false);
}

/* Scores become e^(score - shift). Returns their sum. */
INLINE float exponentials(float *scores, size_t width, float shift)
{
    lanes sum = { 0 };
    for (size_t j = 0; j < width; j += LANES) {
        const lanes weights = exponential(load_floats(scores + j) - shift);
        store_floats(scores + j, weights);
        sum += weights;
    }
    return fold_lanes(sum, true);
}

/* The scales of a query's weights for the keys from `first` on: 0, or kept_scale. A sample's numbers depend on its place
   in the step: the counter is [sample][head][query][key], with a multiple of 4 keys. */
static void draw_scales(const thaw_attention_job *job, const thaw_attention_part *part, size_t query, size_t first,
                        size_t count, float *scales)
{
    const thaw_attention_sizes *a = job->of;
    const uint64_t head = (job->random.origin + part->sample) * a->heads + part->head;
    thaw_stream stream = job->random;
    uint32_t numbers[THAW_ATTENTION_KEYS];
    stream.origin = 0;
    thaw_random_fill(job->context, &stream, (head * a->queries + query) * thaw_attention_rounded(a->keys, 4) + first,
                     count, numbers);
    for (size_t j = 0; j < count; j++)
        scales[j] = (int32_t)(numbers[j] >> 8) < (int32_t)a->threshold ? 0 : a->kept_scale;
}

#endif
