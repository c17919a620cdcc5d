#include "update/sums.h"

#include <math.h>
#include <string.h>

#include "core/threads.h"
#include "params/optimizer.h"
#include "update/masked_update.h"
#include "update/piece.h"

static const thaw_optimizer_module *module_of(const thaw_update_list *list, size_t index)
{
    return list->modules[index];
}

/* Whether the parameter's module has the function, and not in groups. */
static bool has_sums(const thaw_update_list *list, size_t index)
{
    return thaw_update_list_runs(list, index) && list->modules[index]->sums && !thaw_sums_in_groups(list, index);
}

void thaw_sum_block(thaw_update_list *list, size_t index)
{
    const thaw_span *block = &list->norm_blocks[index];
    const thaw_update piece = thaw_piece_of(list, block->parameter, block->begin, block->count);
    const thaw_optimizer_module *module = module_of(list, block->parameter);
    double sums[THAW_MAX_SUMS] = { 0 };
    thaw_piece_begin(list, block->parameter, &piece);
    if (list->held[block->parameter])
        thaw_update_masked(module, &piece, list->held[block->parameter], block->begin, sums);
    else
        module->sums(&piece, sums);
    memcpy(list->block_sums[index], sums, sizeof sums);
}

/* Blocks are cut alike for any number of threads, so each sum has the same terms. */
static void sum_share(void *argument, int thread, int threads)
{
    thaw_update_list *list = argument;
    const size_t first = list->norm_count * (size_t)thread / (size_t)threads;
    const size_t past = list->norm_count * ((size_t)thread + 1) / (size_t)threads;
    fexcept_t before;
    thaw_flags_watch(&before);
    for (size_t i = first; i < past; i++)
        if (has_sums(list, list->norm_blocks[i].parameter))
            thaw_sum_block(list, i);
    thaw_flags_restore(list, &before);
}

void thaw_add_sums(double *to, const double *from)
{
    for (size_t k = 0; k < THAW_MAX_SUMS; k++)
        to[k] += from[k];
}

static void add_blocks(thaw_update_list *list)
{
    memset(list->parameter_sums, 0, list->parameter_count * sizeof *list->parameter_sums);
    for (size_t i = 0; i < list->norm_count; i++)
        if (has_sums(list, list->norm_blocks[i].parameter))
            thaw_add_sums(list->parameter_sums[list->norm_blocks[i].parameter], list->block_sums[i]);
}

/* What all parameters of an optimizer come to, into `all`. */
static void add_parameters(const thaw_update_list *list, const thaw_optimizer *optimizer,
                           const thaw_optimizer_module *module, double *all)
{
    memset(all, 0, THAW_MAX_SUMS * sizeof *all);
    for (size_t i = 0; i < list->parameter_count; i++)
        if (list->parameters[i]->group->optimizer == optimizer && list->modules[i] == module)
            thaw_add_sums(all, list->parameter_sums[i]);
}

void thaw_conclude(thaw_update_list *list, size_t index, const double *all)
{
    const thaw_rule *rule = &list->rules[list->rule_of[index]];
    thaw_conclusion conclusion = {
        .own = list->parameter_sums[index],
        .all = all,
        .hyperparameter = rule->values,
        .step = rule->step,
        .shape = &list->parameters[index]->shape,
    };
    for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
        if ((rule->used_slots & ~rule->whole_slots) >> k & 1)
            conclusion.slot[k] = list->parameters[index]->slot[list->first_slot[index] + k];
    double scalars[THAW_MAX_HYPERPARAMETERS];
    memcpy(scalars, rule->exact, sizeof scalars);
    module_of(list, index)->conclude(&conclusion, scalars);
    for (size_t k = 0; k < THAW_MAX_HYPERPARAMETERS; k++) {
        list->concluded[index].scalars[k] = (float)scalars[k];
        if (!isfinite(list->concluded[index].scalars[k]))
            atomic_store(&list->suspect, true);
    }
}

static bool any_sums(const thaw_update_list *list)
{
    for (size_t i = 0; i < list->parameter_count; i++)
        if (has_sums(list, i))
            return true;
    return false;
}

static bool alike(const thaw_update_list *list, size_t left, size_t right)
{
    return list->parameters[left]->group->optimizer == list->parameters[right]->group->optimizer &&
           list->modules[left] == list->modules[right];
}

/* Gives all parameters of the optimizer that `index` has the number in whose slot one has had the most steps. */
static void share_number(const thaw_update_list *list, size_t index, size_t slot)
{
    const thaw_parameter *furthest = list->parameters[index];
    slot += list->first_slot[index];
    for (size_t i = 0; i < list->parameter_count; i++)
        if (alike(list, i, index) && list->parameters[i]->slot_steps[slot] > furthest->slot_steps[slot])
            furthest = list->parameters[i];
    const float number = *(const float *)furthest->slot[slot];
    const uint64_t steps = furthest->slot_steps[slot];
    for (size_t i = 0; i < list->parameter_count; i++)
        if (alike(list, i, index)) {
            *(float *)list->parameters[i]->slot[slot] = number;
            list->parameters[i]->slot_steps[slot] = steps;
        }
}

static void share_numbers(const thaw_update_list *list)
{
    for (size_t i = 0; i < list->parameter_count; i++) {
        const unsigned used = list->rules[list->rule_of[i]].used_slots;
        if (!list->modules[i])
            continue;
        for (size_t k = 0; !(i > 0 && alike(list, i, i - 1)) && k < list->modules[i]->slot_count; k++)
            if (used >> k & 1 && thaw_module_slot_shape(list->modules[i], k) == THAW_SLOT_SHARED)
                share_number(list, i, k);
    }
}

void thaw_update_list_sum(thaw_update_list *list)
{
    if (!list->concluded)
        return;
    share_numbers(list);
    if (any_sums(list))
        thaw_parallel(list->context, sum_share, list);
    add_blocks(list);
    const thaw_optimizer *optimizer = NULL;
    const thaw_optimizer_module *module = NULL;
    double all[THAW_MAX_SUMS] = { 0 };
    for (size_t i = 0; i < list->parameter_count; i++) {
        if (!thaw_update_list_runs(list, i) || !module_of(list, i)->conclude || thaw_sums_in_groups(list, i))
            continue;
        if (list->parameters[i]->group->optimizer != optimizer || module_of(list, i) != module) {
            optimizer = list->parameters[i]->group->optimizer;
            module = module_of(list, i);
            add_parameters(list, optimizer, module, all);
        }
        thaw_conclude(list, i, module->own_sums ? NULL : all);
    }
}
