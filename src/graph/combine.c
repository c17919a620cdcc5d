/* Expressions of a model: their leaves, their bindings, and which of them train. */
#include <math.h>
#include <string.h>

#include "core/number.h"
#include "graph/model.h"
#include "params/expression.h"

/* ---- leaves ---- */

thaw_status thaw_expression_of(thaw_model *model, thaw_parameter *parameter, thaw_expression **result)
{
    *result = NULL;
    const thaw_status status = thaw_set_check_operand(&model->parameters, parameter);
    if (status != THAW_OK)
        return status;
    *result = parameter->stored;
    return THAW_OK;
}

thaw_status thaw_expression_bound(thaw_model *model, thaw_parameter *parameter, thaw_expression **result)
{
    *result = NULL;
    const thaw_status status = thaw_set_check_operand(&model->parameters, parameter);
    return status == THAW_OK ? thaw_expression_reference(&model->parameters, parameter, result) : status;
}

thaw_status thaw_expression_constant(thaw_model *model, const thaw_tensor *values, thaw_expression **result)
{
    *result = NULL;
    if (values->dtype != THAW_F32 || !values->data || !thaw_shape_usable(&values->shape, 1))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "a constant must hold floats and have dimensions of at least 1");
    const float *from = values->data;
    const size_t count = thaw_shape_count(&values->shape);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(from[i]))
            return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "element %zu of a constant is %g", i,
                             thaw_printed((double)from[i]));
    return thaw_expression_copy(&model->parameters, values, result);
}

thaw_status thaw_model_add_parameter(thaw_model *model, const char *group,
                                     const thaw_parameter_specification *specification, thaw_parameter **parameter)
{
    thaw_parameter_set *set = &model->parameters;
    *parameter = NULL;
    if (!group || !*group || !specification->name || !*specification->name)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "an added parameter and its group must have names");
    if (specification->role == THAW_STATISTIC)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s.%s: a statistic cannot be in an expression", group,
                         specification->name);
    if (!thaw_shape_usable(&specification->shape, 1))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s.%s is too large, or has a dimension below 1", group,
                         specification->name);
    const char *error =
        thaw_initializer_error(specification->initializer, specification->fan_in, specification->fan_out);
    if (error)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s.%s %s", group, specification->name, error);
    thaw_group *found = thaw_model_find_group(model, group);
    if (found && !found->added)
        return thaw_fail(model->context, THAW_DUPLICATE, "%s: a layer's group has this name", group);
    return thaw_set_add(set, found, group, specification, parameter);
}

/* ---- binding ---- */

thaw_status thaw_parameter_bind(thaw_model *model, thaw_parameter *parameter, thaw_expression *expression)
{
    return thaw_set_bind(&model->parameters, parameter, expression);
}

/* ---- trainability ---- */

/* What a walk over parameters has seen: for each kind, whether there is one. */
typedef struct tally {
    bool seen[THAW_TRAINABLE + 1];
} tally;

static void count_one(void *argument, thaw_parameter *parameter)
{
    tally *found = argument;
    if (parameter->role != THAW_STATISTIC && (parameter->bound || parameter->in_use))
        found->seen[thaw_parameter_trainability(parameter)] = true;
}

static void count(void *argument, thaw_selected selected)
{
    thaw_selected_visit(selected, count_one, argument);
}

static thaw_trainability together(const tally *found)
{
    if (found->seen[THAW_PARTIAL] || (found->seen[THAW_FROZEN] && found->seen[THAW_TRAINABLE]))
        return THAW_PARTIAL;
    return found->seen[THAW_TRAINABLE] ? THAW_TRAINABLE : THAW_FROZEN;
}

thaw_status thaw_model_trainability(thaw_model *model, const char *pattern, thaw_trainability *trainability)
{
    tally found = { 0 };
    const thaw_status status = thaw_set_select(&model->parameters, pattern, count, &found);
    *trainability = together(&found);
    return status;
}

thaw_trainability thaw_group_trainability(thaw_group *group)
{
    tally found = { 0 };
    count(&found, (thaw_selected){ .group = group });
    return together(&found);
}
