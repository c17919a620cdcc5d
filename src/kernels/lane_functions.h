/* Functions of lanes: the larger of two, e^x, and what folds all lanes into one number. */
#ifndef THAW_KERNELS_LANE_FUNCTIONS_H
#define THAW_KERNELS_LANE_FUNCTIONS_H

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "kernels/lanes.h"

typedef float quad __attribute__((vector_size(4 * sizeof(float))));
typedef int32_t quad_order __attribute__((vector_size(4 * sizeof(int32_t))));

#ifdef __clang__
#define MERGED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MERGED(a, b, ...) __builtin_shuffle(a, b, (quad_order){ __VA_ARGS__ })
#endif

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

/* e^x for x <= 88, within 1.01 units in the last place, and 0 below -87.7. NaN stays. As thaw_exponential
   (kernels/gate_functions.h), whose polynomial this is; tests/kernels/exponential_test.c holds the bound. Of every 61st
   float, the most is 0.94 without fused multiplication and 1.00 with it. */
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

#endif
