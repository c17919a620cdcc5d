/* What plans need to compute some low-rank expressions beside their layer. */
#ifndef THAW_PARAMS_LOW_RANK_H
#define THAW_PARAMS_LOW_RANK_H

#include "params/expression.h"

/* Its operands. */
enum { THAW_LOW_RANK_BASE, THAW_LOW_RANK_UP, THAW_LOW_RANK_DOWN };

bool thaw_expression_is_low_rank(const thaw_expression *expression);

/* Whether a weight has rank 2 or more and allows this rank of change. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_expression_check_rank(thaw_context *context, const thaw_shape *shape, int64_t rank);

#endif
