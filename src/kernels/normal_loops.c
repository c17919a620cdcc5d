#include "kernels/normal_loops.h"

#include <math.h>
#include <string.h>

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* With x = 2^n m and m close to 1: log m = 2 artanh s for s = (m - 1) / (m + 1), |s| < 0.172, by its series. For
   normal x. */
static inline float logarithm(float x)
{
    const uint32_t one = 0x3F800000, root = 0x3F3504F3; /* the bits of 1 and of sqrt(1/2), the least m */
    const uint32_t bits = bits_of(x) + (one - root);
    const float n = (float)((int32_t)(bits >> 23) - 127), m = float_of((bits & 0x7FFFFF) + root);
    const float s = (m - 1) / (m + 1), square = s * s;
    return n * 0.693147181F + 2 * (s + s * square * (1.0F / 3 + square * (1.0F / 5 + square * (1.0F / 7))));
}

/* By their series, for |x| <= pi / 4. */
static inline float sine(float x)
{
    const float square = x * x;
    return x - x * square * (1.0F / 6 - square * (1.0F / 120 - square * (1.0F / 5040 - square * (1.0F / 362880))));
}

static inline float cosine(float x)
{
    const float square = x * x;
    return 1 - square * (1.0F / 2 - square * (1.0F / 24 - square * (1.0F / 720 - square * (1.0F / 40320))));
}

/* Loops over blocks this short are vectorised by compilers. */
enum { PAIRS = 64 };

static inline void take_radii(const uint32_t *restrict draws, float deviation, float *restrict radii)
{
    for (size_t i = 0; i < PAIRS; i++)
        radii[i] = deviation * sqrtf(-2 * logarithm(((float)draws[i] + 1) * 0x1p-32F));
}

/* An angle is a whole number of quarter turns and a rest of at most an eighth. Signs, and the choice between sine
   and cosine, are made in the bits, because compilers do not vectorise branches. */
static inline void take_angles(const uint32_t *restrict draws, float *restrict cosines, float *restrict sines)
{
    const uint32_t eighth = UINT32_C(1) << 29;
    for (size_t i = 0; i < PAIRS; i++) {
        const uint32_t shifted = draws[i] + eighth, quarter = shifted >> 30;
        const float rest =
            (float)((int32_t)(shifted & 0x3FFFFFFF) - (int32_t)eighth) * 1.46291808e-9F; /* 2 pi / 2^32 */
        const uint32_t c = bits_of(cosine(rest)), s = bits_of(sine(rest)), swap = (c ^ s) & (0U - (quarter & 1));
        cosines[i] = float_of(c ^ swap ^ (quarter + 1) >> 1 << 31);
        sines[i] = float_of(s ^ swap ^ quarter >> 1 << 31);
    }
}

/* The name is one of normal_loops.h, by the build's -D. */
void thaw_normal_loops(const uint32_t *draws, size_t count, float deviation, float *values)
{
    for (size_t begin = 0; begin < count / 2; begin += PAIRS) {
        const size_t some = count / 2 - begin < PAIRS ? count / 2 - begin : PAIRS;
        uint32_t first[PAIRS] = { 0 }, second[PAIRS] = { 0 };
        float radii[PAIRS], cosines[PAIRS], sines[PAIRS];
        for (size_t i = 0; i < some; i++) {
            first[i] = draws[2 * (begin + i)];
            second[i] = draws[2 * (begin + i) + 1];
        }
        take_radii(first, deviation, radii);
        take_angles(second, cosines, sines);
        for (size_t i = 0; i < some; i++) {
            values[2 * (begin + i)] = radii[i] * cosines[i];
            values[2 * (begin + i) + 1] = radii[i] * sines[i];
        }
    }
}
