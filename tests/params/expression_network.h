/* Operations of expressions, each as the weight of a dense layer in a network that a test opens for it. */
#ifndef THAW_TESTS_EXPRESSION_NETWORK_H
#define THAW_TESTS_EXPRESSION_NETWORK_H

#include "support/support.h"

enum { EXPRESSION_OUTPUTS = 7, EXPRESSION_INPUTS = 13, EXPRESSION_MOST_LEAVES = 5 };

/* An element of the weight: output o, input i. */
typedef struct expression_point {
    double *const *leaf; /* the stored tensors; leaf 0 is the layer's own */
    size_t o, i, at;     /* at: in a whole tensor */
    double w;            /* there in leaf 0 */
} expression_point;

typedef enum expression_kind {
    OF_ALL,        /* leaves */
    WITHOUT_OWN,   /* leaf 0 is no part of it */
    ALWAYS_PARTIAL /* even where every leaf trains */
} expression_kind;

typedef struct expression_case {
    const char *name;
    thaw_shape leaves[EXPRESSION_MOST_LEAVES]; /* those after the dense layer's own weight; rank 0: no more */
    thaw_status (*build)(thaw_model *model, thaw_expression *const *leaf, thaw_expression **result);
    double (*define)(const expression_point *p);
    expression_kind kind;
} expression_case;

/* A mask of the weight's shape: at each index 0 or 1, a third of them 0. */
int expression_mask_at(size_t index);
thaw_status expression_mask(thaw_expression *operand, thaw_expression **result);

/* Asserts for each case, with 1 and with 3 threads: its value, and the gradient of each stored tensor against finite
   differences, for every choice of which of them train. */
void expression_check(const expression_case *cases, size_t count);

#endif
