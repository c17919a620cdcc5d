#include "params/kept_slot.h"

#include <string.h>
#include <thaw/runtime.h>

#include "kernels/bfloat16_loops.h"

size_t thaw_kept_slot_bytes(thaw_dtype dtype, size_t count)
{
    const size_t blocks = (count + THAW_CODE_BLOCK - 1) / THAW_CODE_BLOCK;
    return dtype == THAW_U8 ? thaw_align(count) + blocks * sizeof(float) : count * sizeof(thaw_bfloat16);
}

static float *largest_at(const thaw_kept_slot *slot, size_t begin)
{
    return (float *)(void *)((char *)slot->memory + thaw_align(slot->count)) + begin / THAW_CODE_BLOCK;
}

/* The memory up to a multiple of a group is the slot's own at its end. */
static size_t whole_groups(size_t count)
{
    return (count + THAW_CODE_GROUP - 1) / THAW_CODE_GROUP * THAW_CODE_GROUP;
}

void thaw_kept_slot_clear(const thaw_kept_slot *slot, size_t begin, size_t count)
{
    if (slot->dtype == THAW_BF16) {
        memset((thaw_bfloat16 *)slot->memory + begin, 0, count * sizeof(thaw_bfloat16));
        return;
    }
    memset((uint8_t *)slot->memory + begin, thaw_code_of_zero(slot->positive), whole_groups(count));
    for (size_t i = 0; i < count; i += THAW_CODE_BLOCK)
        *largest_at(slot, begin + i) = 0;
}

void thaw_kept_slot_read(const thaw_kept_slot *slot, thaw_cpu_level level, size_t begin, size_t count, float *values)
{
    if (slot->dtype == THAW_BF16)
        THAW_FOR_LEVEL(level, &thaw_bfloat16_loops)->widen(values, (const thaw_bfloat16 *)slot->memory + begin, count);
    else
        THAW_FOR_LEVEL(level, &thaw_state_codes)
            ->decode(values, (const uint8_t *)slot->memory + begin, largest_at(slot, begin), count, slot->positive);
}

void thaw_kept_slot_write(const thaw_kept_slot *slot, thaw_cpu_level level, size_t begin, size_t count, float *values,
                          const uint32_t *random, unsigned shift)
{
    const thaw_state_code_functions *codes = THAW_FOR_LEVEL(level, &thaw_state_codes);
    if (slot->dtype == THAW_BF16) {
        codes->round((thaw_bfloat16 *)slot->memory + begin, values, random, shift, count);
        return;
    }
    memset(values + count, 0, (whole_groups(count) - count) * sizeof *values);
    codes->encode((uint8_t *)slot->memory + begin, largest_at(slot, begin), values, count, slot->positive);
}
