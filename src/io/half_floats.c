#include "io/half_floats.h"

#include <stdint.h>
#include <string.h>

/* Every binary16 is a float: 5 bits of exponent and 10 of mantissa become 8 and 23. */
static uint32_t widen_float16(uint32_t half)
{
    enum { MANTISSA = 0x3FF, LARGEST_EXPONENT = 31, MORE_BIAS = 127 - 15, MORE_MANTISSA = 23 - 10 };
    const uint32_t sign = half >> 15 << 31, exponent = half >> 10 & LARGEST_EXPONENT, mantissa = half & MANTISSA;
    uint32_t bits;
    if (exponent == 0) { /* zero and subnormal numbers, in units of 2^-24 */
        const float magnitude = (float)mantissa * 0x1p-24F;
        memcpy(&bits, &magnitude, sizeof bits);
        return sign | bits;
    }
    bits = exponent == LARGEST_EXPONENT ? 0xFF : exponent + MORE_BIAS;
    return sign | bits << 23 | mantissa << MORE_MANTISSA;
}

/* A bfloat16 is the upper half of a float. */
static uint32_t widen_bfloat16(uint32_t half)
{
    return half << 16;
}

/* Forward, so that no number is overwritten before it is read. */
static void widen(float *values, size_t count, uint32_t (*one)(uint32_t half))
{
    const unsigned char *halves = (const unsigned char *)values + count * sizeof(uint16_t);
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, halves + i * sizeof half, sizeof half);
        const uint32_t bits = one(half);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

void thaw_widen_float16(float *values, size_t count)
{
    widen(values, count, widen_float16);
}

void thaw_widen_bfloat16(float *values, size_t count)
{
    widen(values, count, widen_bfloat16);
}
