/* What expressions that hold a matrix product have in common. The factors are operands `first` and `first` + 1; the
   kernels are the expression's state. */
#ifndef THAW_PARAMS_FACTORS_H
#define THAW_PARAMS_FACTORS_H

#include "params/expression.h"

thaw_status thaw_factors_prepare(thaw_expression *expression, size_t first);
void thaw_factors_release(thaw_expression *expression);
size_t thaw_factors_scratch_bytes(const thaw_expression *expression, size_t first);

/* The product, into the expression's value. */
thaw_status thaw_factors_multiply(const thaw_expression *expression, size_t first, void *scratch);

/* The gradient of factor `k`, where the product is multiplied by a constant. */
thaw_status thaw_factors_differentiate(const thaw_expression *expression, size_t first, size_t k, float constant,
                                       const thaw_differentiation *wanted);

/* Adds the product's support to `support`, which holds that of what it is added to. */
void thaw_factors_find_support(const thaw_expression *expression, size_t first, unsigned char *support);

/* What of factor `k` the elements in `own` depend on, as an operation's `reach`. */
void thaw_factors_reach(const thaw_expression *expression, size_t first, size_t k, const unsigned char *own,
                        unsigned char *reached);

#endif
