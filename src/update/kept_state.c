#include "update/kept_state.h"

#include "core/context.h"
#include "core/philox.h"
#include "params/suits.h"

/* False: the slot is not in use, or has floats. */
static bool find_slot(const thaw_update_list *list, size_t index, size_t slot, thaw_kept_slot *kept)
{
    const thaw_optimizer_module *module = list->modules[index];
    const thaw_parameter *parameter = list->parameters[index];
    if (!thaw_module_rounds_slot(module, slot) || !(list->rules[list->rule_of[index]].used_slots >> slot & 1))
        return false;
    *kept = (thaw_kept_slot){ .dtype = list->states[index],
                              .positive = module->slot_ranges[slot] == THAW_SLOT_POSITIVE,
                              .count = parameter->count,
                              .memory = parameter->slot[slot] };
    return true;
}

void thaw_kept_state_read(const thaw_update_list *list, size_t index, size_t begin, thaw_update *piece,
                          thaw_kept_floats *floats)
{
    thaw_kept_slot kept;
    for (size_t k = 0; k < list->modules[index]->slot_count; k++)
        if (find_slot(list, index, k, &kept)) {
            piece->slot[k] = floats->slot[k];
            thaw_kept_slot_read(&kept, list->context->level, begin, piece->count, floats->slot[k]);
        }
}

/* A word for each element, of which two slots have a half each. */
static void draw(const thaw_update_list *list, size_t index, size_t begin, const thaw_update *piece, size_t slot,
                 uint32_t *words)
{
    const thaw_parameter *parameter = list->parameters[index];
    /* The parameters of a layer differ in the lower half of their initial values' step. */
    const uint64_t pair = (parameter->random.step & UINT32_MAX) * (THAW_MAX_SLOTS / 2) + slot / 2;
    const thaw_stream stream = { .seed = parameter->random.seed,
                                 .purpose = THAW_PURPOSE_ROUNDING,
                                 .node = parameter->random.node,
                                 .step = piece->step,
                                 .origin = pair << 42 };
    thaw_random_fill(list->context, &stream, begin, piece->count, words);
}

void thaw_kept_state_write(const thaw_update_list *list, size_t index, size_t begin, const thaw_update *piece,
                           thaw_kept_floats *floats)
{
    uint32_t words[THAW_KEPT_PIECE];
    size_t drawn = SIZE_MAX;
    thaw_kept_slot kept;
    for (size_t k = 0; k < list->modules[index]->slot_count; k++) {
        if (!find_slot(list, index, k, &kept))
            continue;
        if (kept.dtype == THAW_BF16 && drawn != k / 2) {
            draw(list, index, begin, piece, k, words);
            drawn = k / 2;
        }
        thaw_kept_slot_write(&kept, list->context->level, begin, piece->count, floats->slot[k], words, k % 2 ? 16 : 0);
    }
}
