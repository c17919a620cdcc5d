/* Finds which elements of a parameter can affect the loss through what layers use: masks, slices and zeros of
   constants exclude some. Excluded elements, and frozen slices, are held: they have no gradient, and updates keep
   their bytes. */
#include <string.h>

#include "core/allocation.h"
#include "params/bits.h"
#include "params/expression.h"

void thaw_reach_begin(thaw_parameter_set *set)
{
    for (size_t i = 0; i < set->parameter_count; i++) {
        thaw_parameter *parameter = set->parameters[i];
        thaw_release(set->context, parameter->held);
        parameter->held = NULL;
        parameter->stored->whole = false;
    }
}

/* ---- one expression ---- */

typedef struct listing {
    thaw_parameter_set *set;
    thaw_expression **items; /* operands first */
    size_t count, capacity;
    bool leaves_out; /* something in it excludes elements */
    bool failed;
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
    thaw_expression **items =
        l->failed ? NULL : thaw_grow(l->set->context, l->items, &l->capacity, l->count + 1, sizeof(thaw_expression *));
    l->failed = !items;
    if (l->failed)
        return;
    l->items = items;
    l->items[l->count++] = expression;
}

static thaw_status allocate_marks(const listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        thaw_expression *e = l->items[i];
        e->support = thaw_allocate(l->set->context, e->count);
        if (!e->reached)
            e->reached = thaw_allocate(l->set->context, e->count);
        if (!e->support || !e->reached)
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

static void release_marks(const listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        thaw_expression *e = l->items[i];
        thaw_release(l->set->context, e->support);
        e->support = NULL;
        if (e->parameter)
            continue;
        thaw_release(l->set->context, e->reached);
        e->reached = NULL;
    }
}

/* A zero in a parameter is only a value: it may change. */
static void find_support(const thaw_expression *e)
{
    if (e->operation)
        e->operation->find_support(e, e->support);
    for (size_t i = 0; i < e->count && !e->operation; i++)
        e->support[i] = e->parameter || e->value[i] != 0;
}

static void reach_operands(const thaw_expression *e)
{
    for (size_t k = 0; k < e->operand_count; k++) {
        thaw_expression *operand = thaw_operand(e, k);
        if (operand->trainability != THAW_FROZEN)
            e->operation->reach(e, k, e->reached, operand->reached);
    }
}

/* First up from the leaves, for what is always 0; then down from the root. */
static thaw_status spread(const listing *l)
{
    const thaw_status status = allocate_marks(l);
    if (status == THAW_OK) {
        for (size_t i = 0; i < l->count; i++)
            find_support(l->items[i]);
        thaw_expression *root = l->items[l->count - 1];
        memset(root->reached, 1, root->count);
        for (size_t i = l->count; i-- > 0;)
            reach_operands(l->items[i]);
    }
    release_marks(l);
    return status;
}

thaw_status thaw_reach_note(thaw_parameter_set *set, thaw_expression *root)
{
    listing l = { .set = set };
    thaw_expression_wants_gradient(root);
    thaw_expression_visit(root, list, &l);
    thaw_status status = l.failed ? THAW_OUT_OF_MEMORY : THAW_OK;
    if (status == THAW_OK && l.leaves_out)
        status = spread(&l);
    else
        for (size_t i = 0; i < l.count; i++)
            l.items[i]->whole = true;
    thaw_release(set->context, l.items);
    return status;
}

/* ---- held elements ---- */

static thaw_status hold(thaw_context *context, thaw_parameter *parameter)
{
    const thaw_expression *stored = parameter->stored;
    const unsigned char *reached = stored->whole ? NULL : stored->reached;
    if (!parameter->frozen_elements && !reached)
        return THAW_OK;
    parameter->held = thaw_allocate(context, thaw_bit_words(parameter->count) * sizeof(uint64_t));
    if (!parameter->held)
        return THAW_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < parameter->count; i++) {
        const bool held =
            (parameter->frozen_elements && thaw_bit(parameter->frozen_elements, i)) || (reached && !reached[i]);
        thaw_set_bit(parameter->held, i, held);
        count += held;
    }
    if (count == 0) {
        thaw_release(context, parameter->held);
        parameter->held = NULL;
    }
    return THAW_OK;
}

thaw_status thaw_reach_finish(thaw_parameter_set *set, thaw_parameter *const *trained, size_t count)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = hold(set->context, trained[i]);
    for (size_t i = 0; i < set->parameter_count; i++) {
        thaw_release(set->context, set->parameters[i]->stored->reached);
        set->parameters[i]->stored->reached = NULL;
    }
    return status;
}

void thaw_clear_held(const thaw_parameter *parameter)
{
    for (size_t word = 0; parameter->held && word < thaw_bit_words(parameter->count); word++) {
        if (parameter->held[word] == 0)
            continue;
        const size_t begin = word * 64, end = begin + 64 < parameter->count ? begin + 64 : parameter->count;
        for (size_t i = begin; i < end; i++)
            if (thaw_bit(parameter->held, i))
                parameter->gradient[i] = 0;
    }
}
