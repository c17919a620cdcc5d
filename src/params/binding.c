/* Binds a layer's parameter to an expression. */
#include "params/expression.h"

/* The limit of nesting through references. It bounds recursion, and is far above any real use. */
enum { MOST_HEIGHT = 1000 };

static void use(void *argument, thaw_expression *expression)
{
    (void)argument;
    if (expression->parameter)
        expression->parameter->is_operand = expression->parameter->in_use = true;
}

void thaw_set_mark_use(thaw_parameter_set *set)
{
    for (size_t i = 0; i < set->parameter_count; i++) {
        set->parameters[i]->is_operand = false;
        set->parameters[i]->in_use = !set->parameters[i]->bound && !set->parameters[i]->group->added;
    }
    thaw_note *seen = thaw_set_notes(set);
    for (size_t i = 0; i < set->parameter_count; i++)
        if (set->parameters[i]->bound)
            thaw_expression_visit(set->parameters[i]->bound, seen, use, NULL);
}

/* The depth of the expression with references followed; 0 if it leads to what `parameter` is to be bound to. `heights`
   keeps that of each part. */
static thaw_note measure(const thaw_expression *expression, const thaw_parameter *parameter, thaw_note *heights)
{
    if (heights[expression->number])
        return heights[expression->number];
    const thaw_expression *behind = NULL;
    if (expression->reference) {
        if (expression->parameter == parameter)
            return 0;
        behind = expression->parameter->bound ? expression->parameter->bound : expression->parameter->stored;
    }
    thaw_note most = behind ? measure(behind, parameter, heights) : 0;
    if (behind && most == 0)
        return 0;
    for (size_t k = 0; k < expression->operand_count; k++) {
        const thaw_note height = measure(expression->operands[k], parameter, heights);
        if (height == 0)
            return 0;
        most = height > most ? height : most;
    }
    return heights[expression->number] = most + 1;
}

/* Whether recursion over every binding stays within bounds. */
static bool is_low(thaw_parameter_set *set)
{
    thaw_note *heights = thaw_set_notes(set);
    for (size_t i = 0; i < set->parameter_count; i++)
        if (set->parameters[i]->bound && measure(set->parameters[i]->bound, NULL, heights) > MOST_HEIGHT)
            return false;
    return true;
}

static void find_removed(void *argument, thaw_expression *expression)
{
    if (expression->parameter && expression->parameter->removed)
        *(const thaw_parameter **)argument = expression->parameter;
}

static thaw_status check(thaw_parameter_set *set, const thaw_parameter *parameter, thaw_expression *expression)
{
    thaw_context *context = set->context;
    if (expression->set != set)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: the expression belongs to another model",
                         parameter->name);
    if (!thaw_shape_equal(&expression->shape, &parameter->shape)) {
        char found[80], wanted[80];
        return thaw_fail(context, THAW_SHAPE_MISMATCH, "%s: the expression has shape %s, must have %s", parameter->name,
                         thaw_shape_format(&expression->shape, found, sizeof found),
                         thaw_shape_format(&parameter->shape, wanted, sizeof wanted));
    }
    if (measure(expression, parameter, thaw_set_notes(set)) == 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "%s: the expression depends on this parameter, which would be a cycle", parameter->name);
    const thaw_parameter *removed = NULL;
    thaw_expression_visit(expression, thaw_set_notes(set), find_removed, &removed);
    if (removed)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: the expression reads %s, which a merge has removed",
                         parameter->name, removed->name);
    return THAW_OK;
}

static bool is_listed(const thaw_parameter_set *set, const thaw_parameter *parameter)
{
    for (size_t i = 0; i < set->parameter_count; i++)
        if (set->parameters[i] == parameter)
            return true;
    return false;
}

thaw_status thaw_set_check_operand(const thaw_parameter_set *set, const thaw_parameter *parameter)
{
    if (parameter && parameter->removed)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "%s: a merge has removed this parameter",
                         parameter->name);
    if (!parameter || !is_listed(set, parameter))
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "%s: the parameter belongs to another model",
                         parameter ? parameter->name : "an expression");
    if (parameter->role == THAW_STATISTIC)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "%s: a statistic cannot be in an expression",
                         parameter->name);
    return THAW_OK;
}

thaw_status thaw_set_bind(thaw_parameter_set *set, thaw_parameter *parameter, thaw_expression *expression)
{
    thaw_status status = thaw_set_check_operand(set, parameter);
    if (status != THAW_OK)
        return status;
    if (parameter->group->added)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT,
                         "%s: the parameter belongs to no layer, so it can be in expressions but not bound to one",
                         parameter->name);
    thaw_expression *before = parameter->bound;
    thaw_expression *after = expression == parameter->stored ? NULL : expression;
    status = after ? check(set, parameter, after) : THAW_OK;
    if (status != THAW_OK)
        return status;
    parameter->bound = after;
    if (!is_low(set)) {
        parameter->bound = before;
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "%s: expressions must be nested at most %d deep",
                         parameter->name, MOST_HEIGHT);
    }
    thaw_set_mark_use(set);
    set->bindings++;
    set->revision++;
    return THAW_OK;
}

thaw_expression *thaw_parameter_binding(const thaw_parameter *parameter)
{
    return parameter->bound;
}
