#include "update/piece.h"

#include <string.h>

#include "params/optimizer.h"

void thaw_scale_values(float *restrict values, size_t count, float factor)
{
    for (size_t i = 0; i < count; i++)
        values[i] *= factor;
}

thaw_update thaw_piece_of(const thaw_update_list *list, size_t index, size_t begin, size_t count)
{
    const thaw_parameter *parameter = list->parameters[index];
    const thaw_rule *applied = &list->rules[list->rule_of[index]];
    thaw_update piece = {
        .count = count,
        .parameter = parameter->data + begin,
        .gradient = parameter->gradient + begin,
        .hyperparameter = applied->values,
        .step = applied->step,
    };
    memcpy(piece.scalar, list->modules[index]->conclude ? list->concluded[index].scalars : applied->scalars,
           sizeof piece.scalar);
    const size_t first = list->first_slot[index];
    for (size_t k = 0; k < list->modules[index]->slot_count; k++) {
        piece.slot_step[k] = parameter->slot_steps[first + k];
        const bool floats = list->states[index] == THAW_F32 || !thaw_module_rounds_slot(list->modules[index], k);
        if (floats && applied->used_slots >> k & 1)
            piece.slot[k] = (float *)parameter->slot[first + k] + (applied->whole_slots >> k & 1 ? begin : 0);
    }
    if (list->wrapped && list->before && list->before[index])
        piece.before = list->before[index] + begin;
    return piece;
}

void thaw_piece_begin_slots(const thaw_update_list *list, size_t index, const thaw_update *piece)
{
    const thaw_optimizer_module *module = list->modules[index];
    const unsigned whole_slots = list->rules[list->rule_of[index]].whole_slots;
    for (size_t k = 0; module->begin && k < module->slot_count; k++)
        if (piece->slot_step[k] == 1 && whole_slots >> k & 1)
            module->begin(piece, k);
}

void thaw_piece_begin(const thaw_update_list *list, size_t index, const thaw_update *piece)
{
    const thaw_parameter *parameter = list->parameters[index];
    if (list->wrapped)
        return;
    if (list->gradient_scale != 1)
        thaw_scale_values(parameter->gradient + (piece->gradient - parameter->gradient), piece->count,
                          (float)list->gradient_scale);
    thaw_piece_begin_slots(list, index, piece);
}

void thaw_flags_watch(fexcept_t *before)
{
    fegetexceptflag(before, FE_ALL_EXCEPT);
    feclearexcept(FE_ALL_EXCEPT);
}

void thaw_flags_restore(thaw_update_list *list, const fexcept_t *before)
{
    if (fetestexcept(FE_OVERFLOW | FE_INVALID | FE_DIVBYZERO))
        atomic_store_explicit(&list->suspect, true, memory_order_relaxed);
    fesetexceptflag(before, FE_ALL_EXCEPT);
}
