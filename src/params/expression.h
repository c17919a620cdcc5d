/* Expressions over parameters: what they are made of, and how they are computed. One file an operation; a walk over a
   whole expression, and the order of its steps, is the caller's (src/plan). */
#ifndef THAW_PARAMS_EXPRESSION_H
#define THAW_PARAMS_EXPRESSION_H

#include "core/text.h"
#include "params/parameter.h"

typedef struct thaw_operation thaw_operation;

struct thaw_expression {
    const thaw_operation *operation; /* NULL: a leaf: a stored tensor, a reference to what a parameter is bound to, or a
                                        constant */
    thaw_parameter_set *set;         /* of a stored tensor: from when somebody asked for it */
    thaw_parameter *parameter;       /* of a stored tensor or a reference */
    bool reference;
    thaw_shape shape;
    size_t count;
    thaw_expression **operands;
    size_t operand_count;
    size_t depth; /* of nesting, references apart */
    double flops; /* of its value, and of each operand's gradient */

    /* what some operations know */
    double factor;
    int axis;
    int64_t begin;
    unsigned char *mask; /* 0 or 1 for each element */
    void *state;         /* kernels */

    float *value;     /* NULL: in no plan */
    bool owns_value;  /* not its operand's or its parameter's memory */
    uint64_t version; /* of the operands, when it was evaluated; 0: never */

    /* notes of walks */
    uint64_t stamp;
    thaw_trainability trainability;
    size_t height;
    uint64_t seen_version;
    unsigned char *support; /* a byte an element: 0 where the value is always 0, under a mask or in a constant */
    unsigned char *reached; /* a byte an element; NULL: nobody has asked */
    bool whole;             /* all are reached, whatever `reached` says */
};

/* Where an operand's gradient goes. */
typedef struct thaw_differentiation {
    const float *gradient; /* of the expression */
    float *into;           /* the operand's */
    bool adds;             /* to what is there, instead of replacing it */
    void *scratch;
} thaw_differentiation;

struct thaw_operation {
    /* Appends the formula. */
    void (*describe)(const thaw_expression *expression, thaw_text *text);

    /* Makes kernels, once. NULL: there are none. */
    thaw_status (*prepare)(thaw_expression *expression);
    void (*release)(thaw_expression *expression);
    size_t (*scratch_bytes)(const thaw_expression *expression); /* of evaluation and gradients; NULL: none */

    /* Whether the value is a piece of its operand's memory, from *offset on. NULL: never. */
    bool (*aliases)(const thaw_expression *expression, size_t *offset);

    thaw_status (*evaluate)(const thaw_expression *expression, void *scratch);
    thaw_status (*differentiate)(const thaw_expression *expression, size_t operand, const thaw_differentiation *wanted);

    /* Whether some elements of an operand have no part in the value, or some of the value are always 0. NULL: never. */
    bool (*narrows)(const thaw_expression *expression);

    /* Sets the bytes of its own `support` from the operands', for the walk below. */
    void (*find_support)(const thaw_expression *expression, unsigned char *support);

    /* Sets the bytes of those elements of the operand that the elements in `own` depend on, one byte an element; what is
       multiplied by an element outside of its factor's support has no part in a product. */
    void (*reach)(const thaw_expression *expression, size_t operand, const unsigned char *own, unsigned char *reached);
};

/* The stored tensor of a parameter as an expression; released like any memory. NULL: out of memory. */
thaw_expression *thaw_expression_leaf(thaw_context *context, thaw_parameter *parameter);

/* A reference to what a parameter is bound to. */
thaw_status thaw_expression_reference(thaw_parameter_set *set, thaw_parameter *parameter, thaw_expression **result);

/* A constant of these values, which are copied. */
thaw_status thaw_expression_copy(thaw_parameter_set *set, const thaw_tensor *values, thaw_expression **result);

/* Makes an expression of operands that were checked; the set owns it. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_expression_create(thaw_parameter_set *set, const thaw_operation *operation,
                                   thaw_expression *const *operands, size_t count, const thaw_shape *shape,
                                   thaw_expression **result);

/* Whether the operands of a call are there and of one model. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_operands_check(thaw_expression *const *operands, size_t count);

void thaw_expression_release(thaw_expression *expression);

/* Itself, or what a reference stands for now. */
thaw_expression *thaw_expression_target(thaw_expression *expression);

/* What an operand stands for now. */
static inline thaw_expression *thaw_operand(const thaw_expression *expression, size_t k)
{
    return thaw_expression_target(expression->operands[k]);
}

static inline thaw_context *thaw_expression_context(const thaw_expression *expression)
{
    return expression->set->context;
}

/* What a parameter's layer gets. */
static inline thaw_expression *thaw_parameter_expression(const thaw_parameter *parameter)
{
    return thaw_expression_target(parameter->bound ? parameter->bound : parameter->stored);
}

/* Calls `visit` once on everything that the expression is computed from, itself last, operands before what is made of
   them. */
void thaw_expression_visit(thaw_expression *root, void (*visit)(void *argument, thaw_expression *expression),
                           void *argument);

/* Grows whenever a parameter in the expression, or what the expression refers to, changes. */
uint64_t thaw_expression_version(thaw_expression *root);

/* Whether some parameter in it trains. Leaves the answer for each part of it in `trainability`. */
bool thaw_expression_wants_gradient(thaw_expression *root);

/* Whether the mask of a thaw_expression_mask lets all elements pass, none, or some: trainable, frozen, partial. */
thaw_trainability thaw_mask_trainability(const thaw_expression *expression);

/* Makes room for the expression's value, of which those of its operands are there, and its kernels. */
thaw_status thaw_expression_prepare(thaw_expression *expression);

/* Computes the value where it is older than its operands'. `scratch` holds thaw_expression_scratch_bytes. */
thaw_status thaw_expression_refresh(thaw_expression *expression, void *scratch);

/* Likewise, whether it is older or not; not for a leaf. */
thaw_status thaw_expression_compute(thaw_expression *expression, void *scratch);
size_t thaw_expression_scratch_bytes(const thaw_expression *expression); /* also of gradients */

/* Frees the values of the set's expressions. */
void thaw_set_release_values(thaw_parameter_set *set);

/* ---- elements that the loss cannot depend on ---- */

/* Begins to find out which elements of parameters expressions depend on, and forgets which were held. */
void thaw_reach_begin(thaw_parameter_set *set);

/* Takes note of an expression that some layer gets, and whose gradient is wanted. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_note(thaw_parameter_set *set, thaw_expression *root);

/* Fills `held` of the parameters that train. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_finish(thaw_parameter_set *set, thaw_parameter *const *trained, size_t count);

/* Sets the gradients of held elements to 0. */
void thaw_clear_held(const thaw_parameter *parameter);

/* ---- binding ---- */

/* Whether the set's parameter may be a part of expressions. Errors: those of thaw_expression_of. */
thaw_status thaw_set_check_operand(const thaw_parameter_set *set, const thaw_parameter *parameter);

/* Whether there is such a slice. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_slice_check(thaw_context *context, const thaw_shape *shape, int axis, int64_t begin, int64_t end);

/* Recomputes which parameters are in use. */
void thaw_set_mark_use(thaw_parameter_set *set);

/* Binds without rebuilding anything but the marks of use. Errors: those of thaw_parameter_bind. */
thaw_status thaw_set_bind(thaw_parameter_set *set, thaw_parameter *parameter, thaw_expression *expression);

/* Appends the formula; in parentheses when `inner` and it is a sum or the like. */
void thaw_expression_append(const thaw_expression *expression, bool inner, thaw_text *text);

#endif
