#include "update/masked_update.h"

#include "params/bits.h"
#include "params/optimizer.h"

/* Elements that are updated together. */
enum { BLOCK = 512 };

/* Copies of the free elements of a block. A module's arithmetic is element by element, and the borders of a span carry
   no meaning, so these can be updated as one span and copied back. */
typedef struct gathered {
    _Alignas(64) float parameter[BLOCK];
    _Alignas(64) float gradient[BLOCK];
    _Alignas(64) float before[BLOCK];
    _Alignas(64) float slot[THAW_MAX_SLOTS][BLOCK];
} gathered;

static void gather(float *restrict to, const float *restrict from, const uint16_t *indices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = from[indices[i]];
}

static void scatter(float *restrict to, const float *restrict from, const uint16_t *indices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[indices[i]] = from[i];
}

static void run(const thaw_optimizer_module *module, const thaw_update *update, double *sums)
{
    if (sums)
        module->sums(update, sums);
    else if (module->perturb)
        module->perturb(update);
    else
        module->update(update);
}

/* Slots of one number are only read. */
static bool is_gathered(const thaw_optimizer_module *module, const thaw_update *block, size_t slot)
{
    return block->slot[slot] && thaw_module_slot_shape(module, slot) == THAW_SLOT_WHOLE;
}

static void run_some(const thaw_optimizer_module *module, const thaw_update *block, const uint16_t *indices,
                     size_t count, double *sums)
{
    gathered own;
    thaw_update update = *block;
    update.count = count;
    update.parameter = own.parameter;
    update.gradient = own.gradient;
    gather(own.parameter, block->parameter, indices, count);
    gather(own.gradient, block->gradient, indices, count);
    if (block->before) {
        gather(own.before, block->before, indices, count);
        update.before = own.before;
    }
    for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
        if (is_gathered(module, block, k)) {
            gather(own.slot[k], block->slot[k], indices, count);
            update.slot[k] = own.slot[k];
        }
    run(module, &update, sums);
    scatter(block->parameter, own.parameter, indices, count);
    for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
        if (is_gathered(module, block, k))
            scatter(block->slot[k], own.slot[k], indices, count);
}

void thaw_update_masked(const thaw_optimizer_module *module, const thaw_update *update, const uint64_t *held,
                        size_t first, double *sums)
{
    for (size_t begin = 0; begin < update->count; begin += BLOCK) {
        thaw_update block = *update;
        block.count = update->count - begin < BLOCK ? update->count - begin : BLOCK;
        block.parameter += begin;
        block.gradient += begin;
        block.before = update->before ? update->before + begin : NULL;
        for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
            if (is_gathered(module, update, k))
                block.slot[k] += begin;
        uint16_t indices[BLOCK];
        size_t count = 0;
        for (size_t i = 0; i < block.count; i++) {
            indices[count] = (uint16_t)i;
            count += !thaw_bit(held, first + begin + i);
        }
        if (count == block.count)
            run(module, &block, sums);
        else if (count > 0)
            run_some(module, &block, indices, count, sums);
    }
}
