/* Expressions over parameters: what they consist of, and how they are computed. There is one file per operation. The
   caller (src/plan) walks over whole expressions and orders the steps. */
#ifndef THAW_PARAMS_EXPRESSION_H
#define THAW_PARAMS_EXPRESSION_H

#include "core/text.h"
#include "params/parameter.h"

typedef struct thaw_operation thaw_operation;

struct thaw_expression {
    const thaw_operation *operation; /* NULL for a leaf: a stored tensor, a reference to a binding, or a constant */
    thaw_parameter_set *set;
    size_t number;             /* unique in the set: where walks keep what they find */
    thaw_parameter *parameter; /* of a stored tensor or a reference */
    bool reference;
    thaw_shape shape;
    size_t count;
    thaw_expression **operands;
    size_t operand_count;
    size_t depth; /* of nesting, not counting references */
    double flops; /* of the value, and of each operand's gradient */

    /* details of some operations */
    double factor;
    int axis;
    int64_t begin;
    unsigned char *mask; /* one 0 or 1 per element */
    void *state;         /* kernels */

    float *value;     /* NULL if in no plan */
    bool owns_value;  /* memory of its own, not its operand's or its parameter's */
    uint64_t version; /* of the operands at the last evaluation; 0: never */
};

/* Where an operand's gradient goes. */
typedef struct thaw_differentiation {
    const float *gradient; /* of the expression */
    float *into;           /* the operand's */
    bool adds;             /* adds to the present values instead of replacing them */
    void *scratch;
} thaw_differentiation;

struct thaw_operation {
    /* Appends the formula. */
    void (*describe)(const thaw_expression *expression, thaw_text *text);

    /* Creates kernels, once. NULL: needs none. */
    thaw_status (*prepare)(thaw_expression *expression);
    void (*release)(thaw_expression *expression);

    /* The scratch of evaluation and gradients, whether there are kernels yet or not. NULL: none. */
    thaw_status (*measure_scratch)(const thaw_expression *expression, size_t *bytes);

    /* Whether the value is a part of its operand's memory, starting at *offset. NULL: never. */
    bool (*aliases)(const thaw_expression *expression, size_t *offset);

    thaw_status (*evaluate)(const thaw_expression *expression, void *scratch);
    thaw_status (*differentiate)(const thaw_expression *expression, size_t operand, const thaw_differentiation *wanted);

    /* Whether some elements of an operand do not affect the value, or some values are always 0. NULL: never. */
    bool (*leaves_out)(const thaw_expression *expression);

    /* Sets a byte for each element that is not always 0, from the operands' bytes: `operands` has one array each. */
    void (*find_support)(const thaw_expression *expression, const unsigned char *const *operands,
                         unsigned char *support);

    /* Sets the bytes of those elements of an operand that the elements in `own` depend on. `operands` has the support
       of each operand: a product does not depend on an element that is multiplied by one outside of the support. */
    void (*reach)(const thaw_expression *expression, size_t operand, const unsigned char *const *operands,
                  const unsigned char *own, unsigned char *reached);
};

/* The stored tensor of a parameter, as an expression, freed with thaw_release. NULL: out of memory. */
thaw_expression *thaw_expression_leaf(thaw_parameter_set *set, thaw_parameter *parameter);

/* A reference to the binding of a parameter. */
thaw_status thaw_expression_reference(thaw_parameter_set *set, thaw_parameter *parameter, thaw_expression **result);

/* A constant with a copy of these values. */
thaw_status thaw_expression_copy(thaw_parameter_set *set, const thaw_tensor *values, thaw_expression **result);

/* Makes an expression of operands that were checked; the set owns it. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_expression_create(thaw_parameter_set *set, const thaw_operation *operation,
                                   thaw_expression *const *operands, size_t count, const thaw_shape *shape,
                                   thaw_expression **result);

/* Whether the operands of a call exist and belong to one model. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_operands_check(thaw_expression *const *operands, size_t count);

void thaw_expression_release(thaw_expression *expression);

/* The expression itself, or what a reference currently refers to. */
thaw_expression *thaw_expression_target(thaw_expression *expression);

/* What an operand currently refers to. */
static inline thaw_expression *thaw_operand(const thaw_expression *expression, size_t k)
{
    return thaw_expression_target(expression->operands[k]);
}

static inline thaw_context *thaw_expression_context(const thaw_expression *expression)
{
    return expression->set->context;
}

/* What a parameter's layer computes with. */
static inline thaw_expression *thaw_parameter_expression(const thaw_parameter *parameter)
{
    return thaw_expression_target(parameter->bound ? parameter->bound : parameter->stored);
}

/* ---- walks ---- */

/* What a walk keeps for one expression. A walk has set->number_count notes, indexed by number, all 0 at first. */
typedef uint32_t thaw_note;

/* Cleared notes for a walk. They belong to the set, and the next call clears them again. */
thaw_note *thaw_set_notes(thaw_parameter_set *set);

/* Calls `visit` on everything that the expression is computed from: operands before their results, the expression
   itself last. Skips what has a note in `seen`, and notes what it visits. */
void thaw_expression_visit(thaw_expression *root, thaw_note *seen,
                           void (*visit)(void *argument, thaw_expression *expression), void *argument);

/* The expression's trainability. `found` keeps that of each part, so that each is visited once. */
thaw_trainability thaw_expression_find_trainability(thaw_expression *expression, thaw_note *found);

/* ---- values ---- */

/* Whether the value has memory of its own, not its operand's or its parameter's. */
bool thaw_expression_has_memory(const thaw_expression *expression);

/* Counts changes of the stored tensors among its operands. */
uint64_t thaw_expression_leaf_version(const thaw_expression *expression);

/* Allocates the expression's value, after those of its operands, and its kernels. */
thaw_status thaw_expression_prepare(thaw_expression *expression);

/* The scratch that computing its value and gradients needs. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_expression_measure_scratch(const thaw_expression *expression, size_t *bytes);

/* Computes the value if it is older than its operands. */
thaw_status thaw_expression_refresh(thaw_expression *expression, void *scratch);

/* The same, whether it is older or not; not for a leaf. */
thaw_status thaw_expression_compute(thaw_expression *expression, void *scratch);

/* Frees the values of the set's expressions. */
void thaw_set_release_values(thaw_parameter_set *set);

/* ---- binding ---- */

/* Whether the set's parameter may be in expressions. Errors: those of thaw_expression_of. */
thaw_status thaw_set_check_operand(const thaw_parameter_set *set, const thaw_parameter *parameter);

/* Whether such a slice exists. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_slice_check(thaw_context *context, const thaw_shape *shape, int axis, int64_t begin, int64_t end);

/* Recomputes which parameters are in use. */
void thaw_set_mark_use(thaw_parameter_set *set);

/* Binds, and only rebuilds the marks of use. Errors: those of thaw_parameter_bind. */
thaw_status thaw_set_bind(thaw_parameter_set *set, thaw_parameter *parameter, thaw_expression *expression);

/* Appends the formula, in parentheses if `inner` is set and the expression is a sum or the like. */
void thaw_expression_append(const thaw_expression *expression, bool inner, thaw_text *text);

#endif
