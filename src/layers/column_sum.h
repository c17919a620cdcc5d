/* Sums over the rows of a matrix, in doubles: bias gradients, means of maps. The same for any thread count. */
#ifndef THAW_LAYERS_COLUMN_SUM_H
#define THAW_LAYERS_COLUMN_SUM_H

#include <thaw/layer_module.h>

size_t thaw_column_sum_scratch_bytes(size_t rows, size_t columns);

/* sums[c] = sum over rows of values[row][c], through `scratch` of the size above. The values are of `precision`,
   THAW_F32 or THAW_BF16. */
void thaw_column_sum(thaw_context *context, size_t rows, size_t columns, thaw_dtype precision, const void *values,
                     float *sums, void *scratch);

/* The same on the calling thread alone, in doubles. `sums` has room for thaw_column_sum_count, of which the first
   `columns` hold the result. */
void thaw_column_sum_here(const thaw_context *context, size_t rows, size_t columns, thaw_dtype precision,
                          const void *values, double *sums);
size_t thaw_column_sum_count(size_t rows, size_t columns);

#endif
