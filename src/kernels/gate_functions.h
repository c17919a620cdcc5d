/* Sigmoid and hyperbolic tangent for loops over many elements: no branches, no calls and no rounding exceptions, so
   that compilers vectorise them. Within 3 units in the last place of the exact values. NaN stays. */
#ifndef THAW_KERNELS_GATE_FUNCTIONS_H
#define THAW_KERNELS_GATE_FUNCTIONS_H

#include <stdint.h>
#include <string.h>

/* e^x for |x| <= 87: x = n ln 2 + r, and a polynomial in r (minimax over |r| <= ln 2 / 2, relative error 3e-9). */
static inline float thaw_exponential(float x)
{
    const float shift = 0x1.8p23F; /* adding it rounds to a whole number, which the last bits then hold */
    const float high = 0x1.62e4p-1F, low = 0x1.7f7d1cp-20F; /* ln 2 in two parts; n * high is exact */
    const float shifted = x * 0x1.715476p0F + shift, n = shifted - shift;
    const float r = (x - n * high) - n * low;
    const float tail =
        0.49999994F + r * (0.166665211F + r * (0.041668389F + r * (0.00836871751F + r * 0.00138145965F)));
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3F800000; /* 2^n */
    float power;
    memcpy(&power, &bits, sizeof power);
    return power + power * (r + r * r * tail);
}

static inline float thaw_clamp(float x, float limit)
{
    const float below = x > limit ? limit : x;
    return below < -limit ? -limit : below;
}

static inline float thaw_gate_sigmoid(float x)
{
    return 1 / (1 + thaw_exponential(-thaw_clamp(x, 87)));
}

/* Around 0 a polynomial (minimax over |x| <= 0.625, relative error 4e-9), else 1 - 2 / (e^2x + 1). */
static inline float thaw_gate_tanh(float x)
{
    const float square = x * x;
    const float tail =
        -0.333332837F +
        square * (0.133314908F + square * (-0.0537434928F + square * (0.0206505731F + square * -0.0057170284F)));
    const float inside = x + x * square * tail;
    const float outside = 1 - 2 / (thaw_exponential(2 * thaw_clamp(x, 20)) + 1);
    return square < 0.390625F ? inside : outside;
}

/* sigmoid(x) * tanh(y), by one division. It differs from the exact value by at most three times the distance of 1
   from the next number. */
static inline float thaw_gate_product(float x, float y)
{
    const float a = thaw_exponential(-thaw_clamp(x, 87)), b = thaw_exponential(-2 * thaw_clamp(y, 20));
    return (1 - b) / ((1 + a) * (1 + b));
}

#endif
