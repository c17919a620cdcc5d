/* Expressions by chance, of all operations, over stored tensors that they add or share. */
#ifndef THAW_TESTS_PARAMS_RANDOM_EXPRESSION_H
#define THAW_TESTS_PARAMS_RANDOM_EXPRESSION_H

#include "support/support.h"

enum { RANDOM_MOST_LEAVES = 120, RANDOM_MOST_ELEMENTS = 64 };

/* The model's stored tensors that expressions may share; they append those that they add. */
typedef struct random_leaves {
    thaw_context *context;
    thaw_model *model;
    thaw_parameter *list[RANDOM_MOST_LEAVES];
    size_t count;
} random_leaves;

/* An expression of this shape, of at most `depth` operations over each other. Draws from rand. */
thaw_expression *random_expression(random_leaves *leaves, int64_t rows, int64_t columns, int depth);

/* A number from 0.5 to 1.5 or its negative, from rand. */
float random_value(void);

#endif
