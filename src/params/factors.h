/* Shared by expressions that contain a matrix product. The factors are operands `first` and `first` + 1; the kernels
   are the expression's state. */
#ifndef THAW_PARAMS_FACTORS_H
#define THAW_PARAMS_FACTORS_H

#include "params/expression.h"

thaw_status thaw_factors_prepare(thaw_expression *expression, size_t first);
void thaw_factors_release(thaw_expression *expression);
thaw_status thaw_factors_measure_scratch(const thaw_expression *expression, size_t first, size_t *bytes);

/* Computes the product into the expression's value. */
thaw_status thaw_factors_multiply(const thaw_expression *expression, size_t first, void *scratch);

/* The gradient of factor `k`, for a product that is multiplied by a constant. */
thaw_status thaw_factors_differentiate(const thaw_expression *expression, size_t first, size_t k, float constant,
                                       const thaw_differentiation *wanted);

/* Adds the product's support to `support`, which holds that of its summand. `operands` has the support of each
   operand of the expression. */
void thaw_factors_find_support(const thaw_expression *expression, size_t first, const unsigned char *const *operands,
                               unsigned char *support);

/* The elements of factor `k` that the elements in `own` depend on, as an operation's `reach`. */
void thaw_factors_reach(const thaw_expression *expression, size_t first, size_t k, const unsigned char *const *operands,
                        const unsigned char *own, unsigned char *reached);

#endif
