#include "params/reach.h"

#include <string.h>

#include "params/bits.h"

/* A byte for each element of an expression. */
typedef struct marks {
    unsigned char *support; /* 0 where the value is always 0: under a mask, or in a constant */
    unsigned char *reached; /* 1 where the loss depends on it */
} marks;

struct thaw_reach {
    const thaw_parameter_set *set;
    thaw_note *trainability; /* of all expressions, by number */
    marks *marks;            /* by number; `reached` of stored tensors accumulates over all noted expressions */
    bool *whole;             /* by number: of a stored tensor, the loss depends on every element */
};

thaw_status thaw_reach_create(const thaw_parameter_set *set, thaw_reach **reach)
{
    const size_t count = set->number_count + 1;
    thaw_reach *made = thaw_allocate(set->context, sizeof *made);
    *reach = made;
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->set = set;
    made->trainability = thaw_allocate_array(set->context, count, sizeof *made->trainability);
    made->marks = thaw_allocate_array(set->context, count, sizeof *made->marks);
    made->whole = thaw_allocate_array(set->context, count, sizeof *made->whole);
    if (made->trainability && made->marks && made->whole)
        return THAW_OK;
    thaw_reach_release(made);
    *reach = NULL;
    return THAW_OUT_OF_MEMORY;
}

void thaw_reach_release(thaw_reach *reach)
{
    if (!reach)
        return;
    thaw_context *context = reach->set->context;
    for (size_t i = 0; reach->marks && i < reach->set->number_count; i++) {
        thaw_release(context, reach->marks[i].support);
        thaw_release(context, reach->marks[i].reached);
    }
    thaw_release(context, reach->whole);
    thaw_release(context, reach->marks);
    thaw_release(context, reach->trainability);
    thaw_release(context, reach);
}

/* ---- one expression ---- */

typedef struct listing {
    thaw_expression **items; /* operands first */
    size_t count;
    size_t most_operands; /* of one of them */
    bool leaves_out;      /* something in it leaves elements out */
} listing;

static bool is_constant(const thaw_expression *e)
{
    return !e->operation && !e->parameter;
}

static bool leaves_out(const thaw_expression *e)
{
    if (e->operation)
        return e->operation->leaves_out && e->operation->leaves_out(e);
    for (size_t i = 0; i < e->count && is_constant(e); i++)
        if (e->value[i] == 0)
            return true;
    return false;
}

static void list(void *argument, thaw_expression *expression)
{
    listing *l = argument;
    l->leaves_out = l->leaves_out || leaves_out(expression);
    l->most_operands = expression->operand_count > l->most_operands ? expression->operand_count : l->most_operands;
    l->items[l->count++] = expression;
}

static thaw_status allocate_marks(const thaw_reach *reach, const listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const thaw_expression *e = l->items[i];
        marks *own = &reach->marks[e->number];
        own->support = thaw_allocate(reach->set->context, e->count);
        if (!own->reached)
            own->reached = thaw_allocate(reach->set->context, e->count);
        if (!own->support || !own->reached)
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

static void release_marks(const thaw_reach *reach, const listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        marks *own = &reach->marks[l->items[i]->number];
        thaw_release(reach->set->context, own->support);
        own->support = NULL;
        if (l->items[i]->parameter)
            continue;
        thaw_release(reach->set->context, own->reached);
        own->reached = NULL;
    }
}

static void collect_support(const thaw_reach *reach, const thaw_expression *e, const unsigned char **operands)
{
    for (size_t k = 0; k < e->operand_count; k++)
        operands[k] = reach->marks[thaw_operand(e, k)->number].support;
}

/* Zeros of a parameter count, since they may change. */
static void find_support(const thaw_reach *reach, const thaw_expression *e, const unsigned char **operands)
{
    unsigned char *support = reach->marks[e->number].support;
    collect_support(reach, e, operands);
    if (e->operation)
        e->operation->find_support(e, operands, support);
    for (size_t i = 0; i < e->count && !e->operation; i++)
        support[i] = e->parameter || e->value[i] != 0;
}

static void reach_operands(const thaw_reach *reach, const thaw_expression *e, const unsigned char **operands)
{
    collect_support(reach, e, operands);
    for (size_t k = 0; k < e->operand_count; k++) {
        thaw_expression *operand = thaw_operand(e, k);
        if (thaw_expression_find_trainability(operand, reach->trainability) != THAW_FROZEN)
            e->operation->reach(e, k, operands, reach->marks[e->number].reached, reach->marks[operand->number].reached);
    }
}

/* First finds upwards what is always 0, then downwards from the root what is reached. */
static thaw_status spread(const thaw_reach *reach, const listing *l)
{
    const unsigned char **operands =
        thaw_allocate_array(reach->set->context, l->most_operands + 1, sizeof(unsigned char *));
    thaw_status status = operands ? allocate_marks(reach, l) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK) {
        for (size_t i = 0; i < l->count; i++)
            find_support(reach, l->items[i], operands);
        const thaw_expression *root = l->items[l->count - 1];
        memset(reach->marks[root->number].reached, 1, root->count);
        for (size_t i = l->count; i-- > 0;)
            reach_operands(reach, l->items[i], operands);
    }
    release_marks(reach, l);
    thaw_release(reach->set->context, (void *)(uintptr_t)operands);
    return status;
}

thaw_status thaw_reach_note(thaw_reach *reach, thaw_expression *root)
{
    thaw_context *context = reach->set->context;
    const size_t most = reach->set->number_count + 1;
    root = thaw_expression_target(root);
    if (!root->operation) {
        reach->whole[root->number] = true;
        return THAW_OK;
    }
    listing l = { .items = thaw_allocate_array(context, most, sizeof(thaw_expression *)) };
    thaw_note *seen = thaw_allocate_array(context, most, sizeof *seen);
    thaw_status status = l.items && seen ? THAW_OK : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        thaw_expression_visit(root, seen, list, &l);
    if (status == THAW_OK && l.leaves_out)
        status = spread(reach, &l);
    else
        for (size_t i = 0; i < l.count; i++)
            reach->whole[l.items[i]->number] = true;
    thaw_release(context, seen);
    thaw_release(context, l.items);
    return status;
}

/* ---- held elements ---- */

thaw_status thaw_reach_hold(const thaw_reach *reach, const thaw_parameter *parameter, uint64_t **held)
{
    const size_t number = parameter->stored->number;
    const unsigned char *reached = reach->whole[number] ? NULL : reach->marks[number].reached;
    *held = NULL;
    if (!parameter->frozen_elements && !reached)
        return THAW_OK;
    uint64_t *bits = thaw_allocate(reach->set->context, thaw_bit_words(parameter->count) * sizeof *bits);
    if (!bits)
        return THAW_OUT_OF_MEMORY;
    bool any = false;
    for (size_t i = 0; i < parameter->count; i++) {
        const bool holds =
            (parameter->frozen_elements && thaw_bit(parameter->frozen_elements, i)) || (reached && !reached[i]);
        thaw_set_bit(bits, i, holds);
        any = any || holds;
    }
    if (any)
        *held = bits;
    else
        thaw_release(reach->set->context, bits);
    return THAW_OK;
}
