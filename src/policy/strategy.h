/* Making strategies. */
#ifndef THAW_POLICY_STRATEGY_H
#define THAW_POLICY_STRATEGY_H

#include <thaw/strategy.h>

/* A copy under another name that owns all it points to; the number `n` takes the place of N in patterns and of values
   that are NAN. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_strategy_copy(thaw_context *context, const thaw_strategy *from, const char *name, int n,
                               thaw_strategy **copy);

/* Reads a file of strategies; the caller releases the strategies and the array. Errors: THAW_IO_ERROR,
   THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_strategy_read(thaw_context *context, const char *path, thaw_strategy ***strategies, size_t *count);
void thaw_strategy_release_all(thaw_context *context, thaw_strategy **strategies, size_t count);

#endif
