#include "kernels/state_codes.h"

#include "kernels/lane_functions.h"

/* Let the entries of a map, of one sign and without 0, have the numbers n = c, c + 1, ... 2c - 1 in a decade up to d,
   where c is a power of two. Entry n is d * (0.1 + 0.9 * (n - c + 0.5) / c): linear in n, with a slope for each exponent
   of n as a float. Number 256, or of any sign 128, is 1. */

/* Below it, nothing can be divided by it. */
static const float LEAST = 0x1p-96F;

/* ---- decoding ---- */

/* A line for each exponent, whose last bits are the index: that of 1 to 7 is one less, that of 0 and of 8 is 7 or 15. */
typedef struct lines {
    float slope[16], offset[16];
} lines;

/* Of 2n + 1, so that 0 has an exponent of its own. */
static const lines any_sign = {
    .slope = { 0.9e-6F / 2, 0.9e-5F / 4, 0.9e-4F / 8, 0.9e-3F / 16, 0.9e-2F / 32, 0.9e-1F / 64, 0.9F / 128,
               1 / 256.0F, [15] = 1 / 256.0F },
    .offset = { -0.8e-6F, -0.8e-5F, -0.8e-4F, -0.8e-3F, -0.8e-2F, -0.8e-1F, -0.8F, -1 / 256.0F, [15] = -1 / 256.0F },
};

/* Of n; 0 is number 1. */
static const lines no_sign = {
    .slope = { 0.9e-6F / 2, 0.9e-5F / 4, 0.9e-4F / 8, 0.9e-3F / 16, 0.9e-2F / 32, 0.9e-1F / 64, 0.9F / 128,
               1 / 255.0F, [15] = 1 / 255.0F },
    .offset = { -0.575e-6F, -0.6875e-5F, -0.74375e-4F, -0.771875e-3F, -0.7859375e-2F, -0.79296875e-1F, -0.796484375F,
                -1 / 255.0F, [15] = -1 / 255.0F },
};

INLINE lanes look_up(const float *table, words index)
{
#if defined __AVX512F__
    return (lanes)_mm512_permutexvar_ps((__m512i)index, _mm512_loadu_ps(table));
#elif defined __AVX2__
    return (lanes)_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)index);
#else
    lanes found;
    for (size_t i = 0; i < LANES; i++)
        found[i] = table[index[i] % 8];
    return found;
#endif
}

INLINE flags read_codes(const uint8_t *codes)
{
#if defined __AVX512F__
    return (flags)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)codes));
#elif defined __AVX2__
    return (flags)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)codes));
#else
    flags wide;
    for (size_t i = 0; i < LANES; i++)
        wide[i] = codes[i];
    return wide;
#endif
}

INLINE void decode_block(float *values, const uint8_t *codes, float largest, size_t count, bool positive)
{
    const lines *map = positive ? &no_sign : &any_sign;
    for (size_t i = 0; i < count; i += LANES) {
        const flags code = read_codes(codes + i), entry = positive ? code + 1 : code - 127, sign = entry >> 31;
        const flags number = positive ? entry : 2 * ((entry ^ sign) - sign) + 1;
        const lanes wide = __builtin_convertvector(number, lanes);
        const words index = (words)wide >> 23;
        lanes value = (wide * look_up(map->slope, index) + look_up(map->offset, index)) * largest;
        if (!positive)
            value = (lanes)((words)value ^ ((words)sign << 31));
        memcpy(values + i, &value, sizeof value);
    }
}

/* ---- encoding ---- */

INLINE lanes smaller(lanes left, lanes right)
{
#if defined __AVX512F__
    return (lanes)_mm512_min_ps((__m512)left, (__m512)right);
#elif defined __AVX2__
    return (lanes)_mm256_min_ps((__m256)left, (__m256)right);
#elif defined __x86_64__
    return (lanes)_mm_min_ps((__m128)left, (__m128)right);
#else
    return choose(left < right, left, right);
#endif
}

/* The indices of the nearest entries. The steps from 0 to each decade's end are linear functions whose slopes fall, so the
   least of them is the one of the number's own decade. */
INLINE flags encode_lanes(lanes value, bool positive)
{
    const lanes y = positive ? value : (lanes)((words)value & 0x7FFFFFFF);
    const float c = positive ? 2 : 1;
    lanes steps = y * (c * 2 / 0.9e-5F) + c * 16 / 9;
    steps = smaller(y * (c * 4 / 0.9e-4F) + c * 32 / 9, steps);
    steps = smaller(y * (c * 8 / 0.9e-3F) + c * 64 / 9, steps);
    steps = smaller(y * (c * 16 / 0.9e-2F) + c * 128 / 9, steps);
    steps = smaller(y * (c * 32 / 0.9e-1F) + c * 256 / 9, steps);
    steps = smaller(y * (c * 64 / 0.9F) + c * 512 / 9, steps);
    /* Of two entries in different decades, the middle is a fifth of the way above the border. */
    flags entry = __builtin_convertvector(steps, flags);
    const flags below = __builtin_convertvector(steps - 0.2F, flags);
    entry += ((entry & below) == 0) + (y <= all(positive ? 0.1625e-6F : 0.275e-6F));
    if (positive)
        entry += y <= all(0.55e-6F);
    entry -= value > all(positive ? 0.9982421875F : 0.996484375F);
    if (positive)
        return entry - 1;
    const flags sign = (flags)value >> 31;
    return ((entry ^ sign) - sign) + 127;
}

enum { AT_ONCE = 4 };

INLINE void write_codes(uint8_t *codes, const flags *some)
{
#if defined __AVX512F__
    for (size_t i = 0; i < AT_ONCE; i++)
        _mm_storeu_si128((void *)(codes + i * LANES), _mm512_cvtepi32_epi8((__m512i)some[i]));
#elif defined __AVX2__
    const __m256i left = _mm256_packs_epi32((__m256i)some[0], (__m256i)some[1]);
    const __m256i right = _mm256_packs_epi32((__m256i)some[2], (__m256i)some[3]);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((void *)codes, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(left, right), order));
#else
    for (size_t i = 0; i < AT_ONCE; i++)
        for (size_t k = 0; k < LANES; k++)
            codes[i * LANES + k] = (uint8_t)some[i][k];
#endif
}

INLINE float largest_of(const float *values, size_t count)
{
    lanes most[2] = { { 0 }, { 0 } };
    for (size_t i = 0; i < count; i += 2 * LANES)
        for (size_t k = 0; k < 2; k++) {
            words bits;
            memcpy(&bits, values + i + k * LANES, sizeof bits);
            most[k] = larger(most[k], (lanes)(bits & 0x7FFFFFFF));
        }
    return fold_lanes(larger(most[0], most[1]), false);
}

INLINE void encode_block(uint8_t *codes, float *most, const float *values, size_t count, bool positive)
{
    *most = largest_of(values, count);
    if (*most < LEAST) {
        *most = 0;
        memset(codes, thaw_code_of_zero(positive), count);
        return;
    }
    const float inverse = 1 / *most;
    for (size_t i = 0; i < count; i += AT_ONCE * LANES) {
        flags some[AT_ONCE];
        for (size_t k = 0; k < AT_ONCE; k++) {
            lanes value;
            memcpy(&value, values + i + k * LANES, sizeof value);
            some[k] = encode_lanes(value * inverse, positive);
        }
        write_codes(codes + i, some);
    }
}

/* ---- arrays ---- */

/* The numbers of a block, up to a multiple of a group. */
INLINE size_t block_count(size_t count, size_t begin)
{
    const size_t left = count - begin;
    return left >= THAW_CODE_BLOCK ? THAW_CODE_BLOCK : (left + THAW_CODE_GROUP - 1) / THAW_CODE_GROUP * THAW_CODE_GROUP;
}

static void decode(float *values, const uint8_t *codes, const float *largest, size_t count, bool positive)
{
    for (size_t i = 0; i < count; i += THAW_CODE_BLOCK)
        if (positive)
            decode_block(values + i, codes + i, largest[i / THAW_CODE_BLOCK], block_count(count, i), true);
        else
            decode_block(values + i, codes + i, largest[i / THAW_CODE_BLOCK], block_count(count, i), false);
}

static void encode(uint8_t *codes, float *largest, const float *values, size_t count, bool positive)
{
    for (size_t i = 0; i < count; i += THAW_CODE_BLOCK)
        if (positive)
            encode_block(codes + i, &largest[i / THAW_CODE_BLOCK], values + i, block_count(count, i), true);
        else
            encode_block(codes + i, &largest[i / THAW_CODE_BLOCK], values + i, block_count(count, i), false);
}

static void round_by_chance(thaw_bfloat16 *restrict into, const float *restrict from, const uint32_t *restrict random,
                            unsigned shift, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        const uint32_t rounded = bits + (random[i] >> shift & 0xFFFF);
        /* Infinity has no bits to round; NaN must not become it. */
        const bool finite = (bits & 0x7F800000) != 0x7F800000;
        const uint32_t kept = bits | ((bits & 0x7FFFFF) != 0 ? 0x400000U : 0U);
        into[i] = (thaw_bfloat16)((finite ? rounded : kept) >> 16);
    }
}

/* The name is one of state_codes.h, by the build's -D. */
const thaw_state_code_functions thaw_state_codes = { decode, encode, round_by_chance };
