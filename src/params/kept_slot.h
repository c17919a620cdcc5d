/* Slots that are kept in fewer bits than 32: their memory, and the floats that it stands for. */
#ifndef THAW_PARAMS_KEPT_SLOT_H
#define THAW_PARAMS_KEPT_SLOT_H

#include <thaw/optimizer_module.h>

#include "kernels/state_codes.h"

/* The memory of a slot. Of THAW_BF16: its numbers. Of THAW_U8: an index for each number, and behind them, at the next
   multiple of THAW_ALIGNMENT, the largest magnitude of each block as a float (kernels/state_codes.h). */
typedef struct thaw_kept_slot {
    thaw_dtype dtype; /* THAW_BF16 or THAW_U8 */
    bool positive;    /* no number is negative */
    size_t count;
    void *memory;
} thaw_kept_slot;

size_t thaw_kept_slot_bytes(thaw_dtype dtype, size_t count);

/* Makes zeros of `count` numbers. `begin`, here and below, is a multiple of THAW_CODE_BLOCK, and `count`, too, but at the
   end of the slot. */
void thaw_kept_slot_clear(const thaw_kept_slot *slot, size_t begin, size_t count);

/* Into `values`, which have room up to a multiple of THAW_CODE_GROUP. */
void thaw_kept_slot_read(const thaw_kept_slot *slot, thaw_cpu_level level, size_t begin, size_t count, float *values);

/* From `values`, which have such room, too; it becomes zeros. Of THAW_BF16, `random` has a word for each number, of which
   16 bits from `shift` on say how to round; else it is not read. */
void thaw_kept_slot_write(const thaw_kept_slot *slot, thaw_cpu_level level, size_t begin, size_t count, float *values,
                          const uint32_t *random, unsigned shift);

#endif
