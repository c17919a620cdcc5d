/* Checks an element-wise layer against its function in double arithmetic, and its gradient against that function's
   finite differences. */
#ifndef THAW_TESTS_ELEMENTWISE_H
#define THAW_TESTS_ELEMENTWISE_H

#include "support/layer.h"

typedef struct elementwise_case {
    thaw_status (*append)(thaw_model *model, thaw_node *output); /* over node 0 */
    double (*function)(double x);
    double kink[2]; /* where the function has no derivative; inputs keep away */
    bool in_place;  /* whether the layer claims to run over its input in training */
    double tolerance;
} elementwise_case;

/* Training, inference and in-place runs on sizes that are no multiple of a vector. */
void check_elementwise(const elementwise_case *c);

#endif
