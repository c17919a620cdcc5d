/* Vectors of floats by the compiler's extension, as wide as the registers of the level that a file is built for. The
   compiler would split wider ones, into four times the code with spills. What is computed lane by lane gives the same
   bits at any width. */
#ifndef THAW_KERNELS_LANES_H
#define THAW_KERNELS_LANES_H

#include <stdint.h>
#include <string.h>
#include <thaw/layer_capabilities.h>

#if defined __AVX512F__
enum { LANES = 16 };
#elif defined __AVX2__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef uint32_t words __attribute__((vector_size(LANES * sizeof(uint32_t))));
typedef uint16_t halves __attribute__((vector_size(LANES * sizeof(uint16_t))));
typedef int32_t flags __attribute__((vector_size(LANES * sizeof(int32_t)))); /* all bits of an element, or none */

#define INLINE static inline __attribute__((always_inline))

/* The bytes of floats, or of bfloat16. `bf16` is a constant wherever functions that take it are called. */
INLINE size_t bytes_of(size_t count, bool bf16)
{
    return count * (bf16 ? sizeof(uint16_t) : sizeof(float));
}

/* Reads `count` values, fewer than LANES for the last channels; the other lanes are zero. */
INLINE lanes load(const void *from, size_t count, bool bf16)
{
    lanes values = { 0 };
    halves upper = { 0 };
    memcpy(bf16 ? (void *)&upper : (void *)&values, from, bytes_of(count, bf16));
    return bf16 ? (lanes)(__builtin_convertvector(upper, words) << 16) : values;
}

INLINE lanes all(float value)
{
    return value - (lanes){ 0 };
}

INLINE lanes choose(flags which, lanes values, lanes others)
{
    return (lanes)(((flags)values & which) | ((flags)others & ~which));
}

/* None, ReLU or ReLU6. NaN stays. */
INLINE lanes activate(thaw_activation activation, lanes z)
{
    if (activation == THAW_ACTIVATION_NONE)
        return z;
    const lanes above = choose(z < all(0), all(0), z);
    return activation == THAW_ACTIVATION_RELU6 ? choose(above > all(6), all(6), above) : above;
}

/* thaw_bfloat16_round of each lane, in the upper halves; the lower halves are undefined. */
INLINE words round_upper(lanes values)
{
    const words bits = (words)values, rounded = bits + 0x7FFF + (bits >> 16 & 1);
    const words unordered = (words)(values != values);
    return (rounded & ~unordered) | ((bits | 0x400000) & unordered);
}

#endif
