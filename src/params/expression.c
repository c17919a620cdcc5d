#include "params/expression.h"

#include <string.h>

#include "core/allocation.h"

enum { MOST_DEPTH = 64 };

/* ---- creation ---- */

static thaw_expression *make(thaw_parameter_set *set, const thaw_shape *shape)
{
    thaw_note *notes =
        thaw_grow(set->context, set->notes, &set->note_capacity, set->number_count + 1, sizeof *set->notes);
    if (!notes)
        return NULL;
    set->notes = notes;
    thaw_expression *made = thaw_allocate(set->context, sizeof *made);
    if (!made)
        return NULL;
    made->set = set;
    made->number = set->number_count++;
    made->shape = *shape;
    made->count = thaw_shape_count(shape);
    made->depth = 1;
    return made;
}

thaw_expression *thaw_expression_leaf(thaw_parameter_set *set, thaw_parameter *parameter)
{
    thaw_expression *made = make(set, &parameter->shape);
    if (!made)
        return NULL;
    made->parameter = parameter;
    made->value = parameter->data;
    return made;
}

/* Adds a new expression to the set. */
static thaw_status keep(thaw_parameter_set *set, thaw_expression *made)
{
    thaw_expression **expressions = thaw_grow(set->context, set->expressions, &set->expression_capacity,
                                              set->expression_count + 1, sizeof(thaw_expression *));
    if (!expressions) {
        thaw_expression_release(made);
        return THAW_OUT_OF_MEMORY;
    }
    set->expressions = expressions;
    set->expressions[set->expression_count++] = made;
    return THAW_OK;
}

thaw_status thaw_expression_reference(thaw_parameter_set *set, thaw_parameter *parameter, thaw_expression **result)
{
    *result = NULL;
    thaw_expression *made = make(set, &parameter->shape);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->parameter = parameter;
    made->reference = true;
    const thaw_status status = keep(set, made);
    if (status == THAW_OK)
        *result = made;
    return status;
}

thaw_status thaw_expression_copy(thaw_parameter_set *set, const thaw_tensor *values, thaw_expression **result)
{
    *result = NULL;
    thaw_expression *made = make(set, &values->shape);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->value = thaw_allocate_raw(set->context, made->count * sizeof(float));
    made->owns_value = true;
    if (!made->value) {
        thaw_expression_release(made);
        return THAW_OUT_OF_MEMORY;
    }
    memcpy(made->value, values->data, made->count * sizeof(float));
    const thaw_status status = keep(set, made);
    if (status == THAW_OK)
        *result = made;
    return status;
}

thaw_status thaw_operands_check(thaw_expression *const *operands, size_t count)
{
    thaw_parameter_set *set = NULL;
    for (size_t i = 0; i < count && !set; i++)
        set = operands[i] ? operands[i]->set : NULL;
    if (!set)
        return THAW_INVALID_ARGUMENT; /* no context to report to */
    for (size_t i = 0; i < count; i++) {
        if (!operands[i])
            return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "operand %zu of an expression is missing", i);
        if (operands[i]->set != set)
            return thaw_fail(set->context, THAW_INVALID_ARGUMENT,
                             "operand %zu of an expression belongs to another model", i);
        if (operands[i]->depth >= MOST_DEPTH)
            return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "expressions must be nested at most %d deep",
                             MOST_DEPTH);
    }
    return THAW_OK;
}

thaw_status thaw_expression_create(thaw_parameter_set *set, const thaw_operation *operation,
                                   thaw_expression *const *operands, size_t count, const thaw_shape *shape,
                                   thaw_expression **result)
{
    *result = NULL;
    thaw_expression *made = make(set, shape);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->operation = operation;
    made->operand_count = count;
    made->operands = thaw_allocate_array(set->context, count + 1, sizeof(thaw_expression *));
    if (!made->operands) {
        thaw_expression_release(made);
        return THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        made->operands[i] = operands[i];
        if (operands[i]->depth >= made->depth)
            made->depth = operands[i]->depth + 1;
    }
    const thaw_status status = keep(set, made);
    if (status == THAW_OK)
        *result = made;
    return status;
}

void thaw_expression_release(thaw_expression *expression)
{
    thaw_context *context = thaw_expression_context(expression);
    if (expression->operation && expression->operation->release)
        expression->operation->release(expression);
    if (expression->owns_value)
        thaw_release(context, expression->value);
    thaw_release(context, expression->mask);
    thaw_release(context, expression->operands);
    thaw_release(context, expression);
}

/* ---- reading ---- */

const thaw_shape *thaw_expression_shape(const thaw_expression *expression)
{
    return &expression->shape;
}

thaw_expression *thaw_expression_target(thaw_expression *expression)
{
    while (expression->reference)
        expression = expression->parameter->bound ? expression->parameter->bound : expression->parameter->stored;
    return expression;
}

thaw_note *thaw_set_notes(thaw_parameter_set *set)
{
    if (set->number_count)
        memset(set->notes, 0, set->number_count * sizeof *set->notes);
    return set->notes;
}

void thaw_expression_visit(thaw_expression *root, thaw_note *seen,
                           void (*visit)(void *argument, thaw_expression *expression), void *argument)
{
    thaw_expression *expression = thaw_expression_target(root);
    if (seen[expression->number])
        return;
    seen[expression->number] = 1;
    for (size_t k = 0; k < expression->operand_count; k++)
        thaw_expression_visit(expression->operands[k], seen, visit, argument);
    visit(argument, expression);
}

/* ---- trainability ---- */

const char *thaw_trainability_name(thaw_trainability trainability)
{
    static const char *const names[] = { "frozen", "partial", "trainable" };
    return names[trainability];
}

static thaw_trainability both(thaw_trainability one, thaw_trainability other)
{
    return one == other ? one : THAW_PARTIAL;
}

static thaw_trainability of_stored(const thaw_parameter *parameter)
{
    if (!parameter || !thaw_parameter_trainable(parameter))
        return THAW_FROZEN;
    return parameter->frozen_elements ? THAW_PARTIAL : THAW_TRAINABLE;
}

/* Whether the mask of a thaw_expression_mask passes all elements, none, or some: trainable, frozen, partial. */
static thaw_trainability of_mask(const thaw_expression *e)
{
    const bool ones = memchr(e->mask, 1, e->count) != NULL, zeros = memchr(e->mask, 0, e->count) != NULL;
    return ones && zeros ? THAW_PARTIAL : ones ? THAW_TRAINABLE : THAW_FROZEN;
}

static thaw_trainability of_operation(const thaw_expression *expression, thaw_note *found)
{
    thaw_trainability all = thaw_expression_find_trainability(expression->operands[0], found);
    for (size_t k = 1; k < expression->operand_count; k++)
        all = both(all, thaw_expression_find_trainability(expression->operands[k], found));
    if (!expression->mask || all == THAW_FROZEN)
        return all;
    const thaw_trainability mask = of_mask(expression);
    return mask == THAW_FROZEN ? THAW_FROZEN : both(all, mask);
}

/* A note is 1 more than what was found. */
thaw_trainability thaw_expression_find_trainability(thaw_expression *expression, thaw_note *found)
{
    expression = thaw_expression_target(expression);
    thaw_note *note = &found[expression->number];
    if (!*note)
        *note =
            1 + (thaw_note)(expression->operation ? of_operation(expression, found) : of_stored(expression->parameter));
    return (thaw_trainability)(*note - 1);
}

thaw_trainability thaw_expression_trainability(const thaw_expression *expression)
{
    return thaw_expression_find_trainability((thaw_expression *)(uintptr_t)expression, thaw_set_notes(expression->set));
}

thaw_trainability thaw_parameter_trainability(const thaw_parameter *parameter)
{
    return thaw_expression_trainability(parameter->bound ? parameter->bound : parameter->stored);
}
