/* One bit per element of a parameter. */
#ifndef THAW_PARAMS_BITS_H
#define THAW_PARAMS_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t thaw_bit_words(size_t count)
{
    return (count + 63) / 64;
}

static inline bool thaw_bit(const uint64_t *bits, size_t index)
{
    return bits[index / 64] >> (index % 64) & 1;
}

static inline void thaw_set_bit(uint64_t *bits, size_t index, bool value)
{
    const uint64_t one = (uint64_t)1 << (index % 64);
    bits[index / 64] = value ? bits[index / 64] | one : bits[index / 64] & ~one;
}

/* The number of set bits; 0 for NULL. */
static inline size_t thaw_count_bits(const uint64_t *bits, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; bits && i < thaw_bit_words(count); i++)
        sum += (size_t)__builtin_popcountll(bits[i]);
    return sum;
}

#endif
