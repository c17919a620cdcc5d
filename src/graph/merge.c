/* Merges expressions into stored tensors. */
#include <string.h>

#include "graph/parameter_list.h"
#include "params/expression.h"

static bool is_bound(const thaw_parameter *parameter)
{
    return parameter->bound != NULL;
}

static bool is_among(const thaw_parameter_list *list, const thaw_parameter *parameter)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == parameter)
            return true;
    return false;
}

/* Whether the expression reads the stored tensor of something that is being merged. References to merged parameters
   are not followed: their values do not change. */
static const thaw_parameter *find_reader(const thaw_parameter_list *list, const thaw_expression *expression,
                                         thaw_note *seen)
{
    if (seen[expression->number])
        return NULL;
    seen[expression->number] = 1;
    const thaw_parameter *parameter = expression->parameter;
    if (expression->reference) {
        if (is_among(list, parameter))
            return NULL;
        return find_reader(list, parameter->bound ? parameter->bound : parameter->stored, seen);
    }
    if (parameter)
        return is_among(list, parameter) ? parameter : NULL;
    const thaw_parameter *found = NULL;
    for (size_t k = 0; k < expression->operand_count && !found; k++)
        found = find_reader(list, expression->operands[k], seen);
    return found;
}

static thaw_status check(thaw_model *model, const thaw_parameter_list *list)
{
    thaw_parameter_set *set = &model->parameters;
    for (size_t i = 0; i < set->parameter_count; i++) {
        const thaw_parameter *other = set->parameters[i];
        if (!other->bound || is_among(list, other))
            continue;
        const thaw_parameter *read = find_reader(list, other->bound, thaw_set_notes(set));
        if (read)
            return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                             "%s: its stored tensor is also a part of %s; merge both, or bind that to something else",
                             read->name, other->name);
    }
    return THAW_OK;
}

static size_t count_elements(const thaw_parameter_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->items[i]->count;
    return count;
}

static thaw_status evaluate(const thaw_parameter_list *list, float *values)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < list->count && status == THAW_OK; i++) {
        const thaw_parameter *parameter = list->items[i];
        status =
            thaw_expression_evaluate(parameter->bound,
                                     &(thaw_tensor){ .dtype = THAW_F32, .shape = parameter->shape, .data = values });
        values += parameter->count;
    }
    return status;
}

static bool has_operands(const thaw_group *group)
{
    for (size_t i = 0; i < group->parameter_count; i++)
        if (group->parameters[i]->is_operand)
            return true;
    return false;
}

/* Writes the values, unbinds, and removes added groups that no binding uses any more. */
static void bake(thaw_parameter_set *set, const thaw_parameter_list *list, const float *values, bool *had_operands)
{
    for (size_t i = 0; i < set->group_count; i++)
        had_operands[i] = set->groups[i]->added && has_operands(set->groups[i]);
    for (size_t i = 0; i < list->count; i++) {
        thaw_parameter *parameter = list->items[i];
        memcpy(thaw_parameter_edit(parameter), values, parameter->count * sizeof(float));
        values += parameter->count;
        parameter->bound = NULL;
    }
    thaw_set_mark_use(set);
    for (size_t i = set->group_count; i-- > 0;)
        if (had_operands[i] && !has_operands(set->groups[i]))
            thaw_set_remove_group(set, set->groups[i]);
    set->bindings++;
    set->revision++;
}

thaw_status thaw_merge(thaw_model *model, const char *pattern)
{
    thaw_parameter_set *set = &model->parameters;
    thaw_context *context = model->context;
    thaw_parameter_list list;
    thaw_status status =
        thaw_list_parameters(model, pattern, is_bound, "nothing that is bound to an expression", &list);
    if (status != THAW_OK)
        return status;
    status = check(model, &list);
    if (status == THAW_OK)
        status = thaw_set_prepare_removal(set);
    float *values = NULL;
    bool *had_operands = NULL;
    if (status == THAW_OK) {
        values = thaw_allocate_array(context, count_elements(&list), sizeof *values);
        had_operands = thaw_allocate_array(context, set->group_count, sizeof *had_operands);
        status = values && had_operands ? evaluate(&list, values) : THAW_OUT_OF_MEMORY;
    }
    if (status == THAW_OK)
        bake(set, &list, values, had_operands);
    thaw_release(context, had_operands);
    thaw_release(context, values);
    thaw_release(context, list.items);
    return status;
}
