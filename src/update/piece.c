#include "update/piece.h"

#include <string.h>

#include "params/optimizer.h"
#include "update/kept_state.h"
#include "update/masked_update.h"

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

static void run_piece(const thaw_update_list *list, size_t index, size_t begin, const thaw_update *piece)
{
    const thaw_optimizer_module *module = list->modules[index];
    if (!module->sums) /* else it has begun with these */
        thaw_piece_begin(list, index, piece);
    if (list->held[index])
        thaw_update_masked(module, piece, list->held[index], begin, NULL);
    else
        module->update(piece);
}

static void run_kept_piece(const thaw_update_list *list, size_t index, size_t begin, thaw_update *piece)
{
    thaw_kept_floats floats;
    thaw_kept_state_read(list, index, begin, piece, &floats);
    run_piece(list, index, begin, piece);
    thaw_kept_state_write(list, index, begin, piece, &floats);
}

/* Updates a piece that is small enough to stay in the cache between scaling and use. */
static void update_piece(const thaw_update_list *list, const thaw_span *span, size_t offset, size_t count)
{
    const size_t index = span->parameter, begin = span->begin + offset;
    thaw_update piece = thaw_piece_of(list, index, begin, count);
    if (thaw_keeps_state(list, index))
        run_kept_piece(list, index, begin, &piece);
    else
        run_piece(list, index, begin, &piece);
}

void thaw_piece_update(const thaw_update_list *list, const thaw_span *span, size_t from, size_t past)
{
    const size_t piece = thaw_keeps_state(list, span->parameter) ? THAW_KEPT_PIECE
                         : list->gradient_scale == 1             ? span->count
                                                                 : THAW_SCALE_BLOCK;
    for (size_t offset = from; offset < past; offset += piece)
        update_piece(list, span, offset, past - offset < piece ? past - offset : piece);
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
