/* Parameters of several dimensions, for optimizers that see matrices. */
#ifndef THAW_TESTS_MATRICES_H
#define THAW_TESTS_MATRICES_H

#include "support/parameters.h"

/* A set with one group "group<i>" and one weight for each shape, filled from seeds 100 + i. */
thaw_parameter_set matrices_create(thaw_context *context, const thaw_shape *shapes, size_t count);

/* Runs every case of tests/golden/<name>.txt (see matrix_optimizers.py there): 20 steps, parameters and slots within
   `tolerance` of the largest value of the array. */
void matrices_assert_golden(const char *name, double tolerance);

/* The same with the gradients of preconditioners.py, whose outer products have eigenvalues that lie apart. */
void matrices_assert_separated_golden(const char *name, double tolerance);

/* Asserts that three steps give the same bits on one to three threads. */
void matrices_assert_threads_agree(const char *description);

#endif
