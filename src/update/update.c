/* Running the update list. */
#include "update/update.h"

#include <math.h>
#include <string.h>

#include "core/threads.h"
#include "params/bits.h"
#include "params/suits.h"
#include "update/kept_state.h"
#include "update/matrix_stage.h"
#include "update/piece.h"
#include "update/sum_groups.h"
#include "update/sums.h"
#include "update/wrappers.h"

static void replace_value(const thaw_optimizer_module *module, double *values, const char *name, double own,
                          double factor)
{
    const int index = thaw_hyperparameter_index(module, name);
    if (index >= 0)
        values[index] = (isnan(own) ? values[index] : own) * factor;
}

/* A group's own learning rate is of its optimizer; that of a fallback changes in proportion. */
static double fallback_rate(const thaw_group *group, const thaw_optimizer_module *fallback, const double *values)
{
    const double common = thaw_optimizer_get(group->optimizer, "lr");
    const int index = thaw_hyperparameter_index(fallback, "lr");
    if (isnan(group->learning_rate) || index < 0 || isnan(common) || common == 0)
        return group->learning_rate;
    return values[index] * (group->learning_rate / common);
}

/* Those that the group and the schedule change. */
static void replace_values(thaw_rule *filled, const thaw_parameter *parameter, const thaw_optimizer_module *module,
                           double rate_factor)
{
    const thaw_group *group = parameter->group;
    const bool falls_back = module != group->optimizer->module;
    replace_value(module, filled->values, "lr",
                  falls_back ? fallback_rate(group, module, filled->values) : group->learning_rate, rate_factor);
    replace_value(module, filled->values, "weight_decay", group->weight_decay, 1);
}

static void fill_rule(const thaw_update_list *list, thaw_rule *filled, size_t index, double rate_factor)
{
    const thaw_parameter *parameter = list->parameters[index];
    const thaw_optimizer_module *module = list->modules[index];
    if (list->wrapped)
        memcpy(filled->values, thaw_wrapper_at(list, index)->values, sizeof filled->values);
    else
        thaw_parameter_values(parameter, filled->values);
    filled->used_slots = filled->whole_slots = 0;
    for (size_t k = 0; k < module->slot_count; k++) {
        const unsigned used = (unsigned)thaw_module_uses_slot(module, filled->values, k) << k;
        filled->used_slots |= used;
        if (thaw_module_slot_shape(module, k) == THAW_SLOT_WHOLE)
            filled->whole_slots |= used;
    }
    if (!list->wrapped)
        replace_values(filled, parameter, module, rate_factor);
    filled->step = parameter->steps + list->perturbs;
    memcpy(filled->exact, filled->values, sizeof filled->exact);
    if (module->prepare)
        module->prepare(filled->values, filled->step, filled->exact);
    for (size_t k = 0; k < THAW_MAX_HYPERPARAMETERS; k++)
        filled->scalars[k] = (float)filled->exact[k];
}

/* Whether two parameters are updated by the same scalars, though their groups differ. */
static bool same_settings(const thaw_parameter *left, const thaw_parameter *right)
{
    const thaw_group *a = left->group, *b = right->group;
    return a->optimizer == b->optimizer && left->steps == right->steps &&
           memcmp(&a->learning_rate, &b->learning_rate, sizeof(double)) == 0 &&
           memcmp(&a->weight_decay, &b->weight_decay, sizeof(double)) == 0;
}

/* Parameters with the rule of the one before need no look. */
static void fill_rule_of(thaw_update_list *list, size_t i, double rate_factor)
{
    const thaw_parameter *parameter = list->parameters[i];
    thaw_rule *filled = &list->rules[list->rule_of[i]];
    if (i > 0 && list->rule_of[i] == list->rule_of[i - 1])
        return;
    if (i > 0 && list->modules[i] == list->modules[i - 1] && same_settings(parameter, list->parameters[i - 1]))
        *filled = list->rules[list->rule_of[i - 1]];
    else
        fill_rule(list, filled, i, rate_factor);
}

/* Until sums say otherwise, scalars are those of the rules. */
void thaw_update_list_fill_rules(thaw_update_list *list, double rate_factor)
{
    for (size_t i = 0; i < list->parameter_count; i++) {
        if (!thaw_update_list_runs(list, i))
            continue;
        fill_rule_of(list, i, rate_factor);
        const thaw_rule *rule = &list->rules[list->rule_of[i]];
        uint64_t *steps = list->parameters[i]->slot_steps + list->first_slot[i];
        for (size_t k = 0; k < list->modules[i]->slot_count; k++)
            steps[k] += list->parameters[i]->slot[list->first_slot[i] + k] && (rule->used_slots >> k & 1);
        if (list->concluded)
            memcpy(list->concluded[i].scalars, rule->scalars, sizeof list->concluded[i].scalars);
    }
}

static void count_steps(const thaw_update_list *list)
{
    for (size_t i = 0; i < list->parameter_count; i++) {
        list->parameters[i]->steps++;
        list->parameters[i]->version++;
    }
}

/* Whether only the rows that have a gradient change. */
static bool updates_rows(const thaw_update_list *list, size_t index)
{
    const thaw_parameter *parameter = list->parameters[index];
    const thaw_optimizer_module *module = list->modules[index];
    return !list->wrapped && parameter->gradient_rows.known && !list->held[index] && !thaw_keeps_state(list, index) &&
           module->rests_at_zero && !module->begin && !module->sums &&
           module->rests_at_zero(list->rules[list->rule_of[index]].values);
}

static void update_rows(const thaw_update_list *list, const thaw_span *span)
{
    const thaw_parameter *parameter = list->parameters[span->parameter];
    const thaw_gradient_rows *named = &parameter->gradient_rows;
    const size_t width = parameter->count / (size_t)parameter->shape.dims[0], end = span->begin + span->count;
    for (size_t i = 0; i < named->count; i++) {
        const size_t begin = named->rows[i] * width, past = begin + width;
        const size_t first = begin > span->begin ? begin : span->begin, last = past < end ? past : end;
        if (first < last)
            thaw_piece_update(list, span, first - span->begin, last - span->begin);
    }
}

static void update_spans(const thaw_update_list *list, size_t first, size_t past)
{
    for (size_t i = first; i < past; i++) {
        const thaw_span *span = &list->spans[i];
        if (updates_rows(list, span->parameter))
            update_rows(list, span);
        else
            thaw_piece_update(list, span, 0, span->count);
    }
}

/* Restores the thread's floating-point flags, which are also the host's. */
static void update_share(void *argument, int thread, int threads)
{
    thaw_update_list *list = argument;
    size_t first, past;
    fexcept_t before;
    thaw_share_of(list, thread, threads, &first, &past);
    thaw_flags_watch(&before);
    update_spans(list, first, past);
    thaw_flags_restore(list, &before);
}

/* A number beyond a float's range became infinite when it was rounded to float; using it raises no flag. */
static bool has_infinite_scalar(const thaw_update_list *list)
{
    for (size_t i = 0; i < list->parameter_count; i++)
        for (size_t k = 0; k < THAW_MAX_HYPERPARAMETERS; k++)
            if (!isfinite(list->rules[list->rule_of[i]].scalars[k]))
                return true;
    return false;
}

static void run_level(thaw_update_list *list)
{
    atomic_store(&list->suspect, has_infinite_scalar(list));
    thaw_update_list_sum(list);
    thaw_update_list_run_groups(list);
    if (list->span_count > 0)
        thaw_parallel(list->context, update_share, list);
    thaw_matrix_stage_run(list);
}

thaw_status thaw_update_list_run(thaw_update_list *list, double rate_factor, double gradient_scale)
{
    for (size_t i = 0; i < list->parameter_count; i++)
        if (!list->modules[i])
            return thaw_fail(list->context, THAW_INVALID_ARGUMENT,
                             "group %s trains and has no optimizer: give it one with thaw_select_optimizer",
                             list->parameters[i]->group->name);
    list->gradient_scale = gradient_scale;
    count_steps(list);
    for (thaw_update_list *level = list; level; level = level->wrappers)
        thaw_update_list_fill_rules(level, rate_factor);
    thaw_update_list_begin_wrappers(list);
    for (thaw_update_list *level = list; level; level = level->wrappers)
        run_level(level);
    return THAW_OK;
}

void thaw_update_list_clear_held(const thaw_update_list *list, size_t index)
{
    const thaw_parameter *parameter = list->parameters[index];
    const uint64_t *held = list->held[index];
    for (size_t word = 0; held && word < thaw_bit_words(parameter->count); word++) {
        if (held[word] == 0)
            continue;
        const size_t begin = word * 64, end = begin + 64 < parameter->count ? begin + 64 : parameter->count;
        for (size_t i = begin; i < end; i++)
            if (thaw_bit(held, i))
                parameter->gradient[i] = 0;
    }
}

bool thaw_update_list_suspect(const thaw_update_list *list)
{
    bool suspect = false;
    for (const thaw_update_list *level = list; level; level = level->wrappers)
        suspect = suspect || atomic_load(&level->suspect);
    return suspect;
}

static void scale_blocks(void *argument, size_t begin, size_t end)
{
    const thaw_update_list *list = argument;
    for (size_t i = begin; i < end; i++) {
        const thaw_span *block = &list->norm_blocks[i];
        thaw_scale_values(list->parameters[block->parameter]->gradient + block->begin, block->count,
                          (float)list->gradient_scale);
    }
}

void thaw_update_list_scale(thaw_update_list *list, double gradient_scale)
{
    if (gradient_scale == 1)
        return;
    list->gradient_scale = gradient_scale;
    thaw_parallel_for(list->context, list->norm_count, 1, scale_blocks, list);
}
