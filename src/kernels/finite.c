#include "kernels/finite.h"

#include <stdint.h>
#include <string.h>

/* Without their signs, the bits of floats have the order of what they stand for, and infinity and NaN come last. */
bool thaw_all_finite(const float *values, size_t count)
{
    const int32_t magnitude = 0x7FFFFFFF, infinity = 0x7F800000;
    int32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        bits &= magnitude;
        largest = bits > largest ? bits : largest;
    }
    return largest < infinity;
}
