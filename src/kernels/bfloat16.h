/* bfloat16: the upper half of a float. Rounding is to the nearest, ties to even, as CPUs do it. NaN and subnormal
   numbers are kept. */
#ifndef THAW_KERNELS_BFLOAT16_H
#define THAW_KERNELS_BFLOAT16_H

#include <string.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

static inline float thaw_bfloat16_widen(thaw_bfloat16 value)
{
    const uint32_t bits = (uint32_t)value << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

static inline thaw_bfloat16 thaw_bfloat16_round(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = bits + 0x7FFF + (bits >> 16 & 1);
    const uint32_t quiet = bits | 0x400000; /* keeps a NaN whose fraction has only bits that are dropped */
    return (thaw_bfloat16)(((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet : rounded) >> 16);
}

static inline thaw_dtype thaw_other_precision(thaw_dtype precision)
{
    return precision == THAW_F32 ? THAW_BF16 : THAW_F32;
}

/* Values of one of two types. */
typedef struct thaw_values {
    void *data;
    thaw_dtype dtype; /* THAW_F32 or THAW_BF16 */
} thaw_values;

/* into[i] = from[i] on the context's threads. The arrays must not overlap. */
void thaw_values_convert(thaw_context *context, thaw_values into, thaw_values from, size_t count);

/* The same for two arrays of one type. */
void thaw_values_copy(thaw_context *context, thaw_dtype dtype, void *into, const void *from, size_t count);

/* into[i] += term[i] on the context's threads, for arrays that do not overlap. The sum is a float before it is
   rounded. */
void thaw_values_add(thaw_context *context, thaw_values into, thaw_values term, size_t count);

#endif
