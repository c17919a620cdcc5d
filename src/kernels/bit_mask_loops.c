#include "kernels/bit_mask_loops.h"

#include "kernels/bfloat16.h"

enum { WORD = 32 };

/* Packs eight bytes that are 0 or 1 into the bits of one byte: the product adds each at a bit of its own. */
static uint32_t gather(const unsigned char *flags)
{
    uint64_t bytes = 0;
    for (int i = 0; i < 8; i++)
        bytes |= (uint64_t)flags[i] << (8 * i);
    return (uint32_t)(bytes * UINT64_C(0x0102040810204080) >> 56);
}

static uint32_t word_of(const unsigned char *flags)
{
    return gather(flags) | gather(flags + 8) << 8 | gather(flags + 16) << 16 | gather(flags + 24) << 24;
}

static void mark(uint32_t *mask, const float *values, size_t count)
{
    for (size_t first = 0; first < count; first += WORD) {
        const size_t past = count - first < WORD ? count - first : WORD;
        unsigned char flags[WORD] = { 0 };
        if (past == WORD)
            for (size_t i = 0; i < WORD; i++)
                flags[i] = values[first + i] > 0;
        else
            for (size_t i = 0; i < past; i++)
                flags[i] = values[first + i] > 0;
        mask[first / WORD] = word_of(flags);
    }
}

static void mark_bfloat16(uint32_t *mask, const thaw_bfloat16 *values, size_t count)
{
    for (size_t first = 0; first < count; first += WORD) {
        const size_t past = count - first < WORD ? count - first : WORD;
        unsigned char flags[WORD] = { 0 };
        for (size_t i = 0; i < past; i++)
            flags[i] = thaw_bfloat16_widen(values[first + i]) > 0;
        mask[first / WORD] = word_of(flags);
    }
}

static void apply(float *into, const uint32_t *mask, const float *values, size_t count)
{
    for (size_t first = 0; first < count; first += WORD) {
        const size_t past = count - first < WORD ? count - first : WORD;
        const uint32_t word = mask[first / WORD];
        for (size_t i = 0; i < past; i++)
            into[first + i] = word >> i & 1 ? values[first + i] : 0;
    }
}

static void apply_bfloat16(thaw_bfloat16 *into, const uint32_t *mask, const thaw_bfloat16 *values, size_t count)
{
    for (size_t first = 0; first < count; first += WORD) {
        const size_t past = count - first < WORD ? count - first : WORD;
        const uint32_t word = mask[first / WORD];
        for (size_t i = 0; i < past; i++)
            into[first + i] = word >> i & 1 ? values[first + i] : 0;
    }
}

/* The name is one of bit_mask_loops.h, by the build's -D. */
const thaw_bit_mask_functions thaw_bit_mask_loops = { mark, mark_bfloat16, apply, apply_bfloat16 };
