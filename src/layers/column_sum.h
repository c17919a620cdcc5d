/* Sums over the rows of a matrix, in doubles: for bias gradients, and means of maps. They do not depend on the
   number of threads. */
#ifndef THAW_LAYERS_COLUMN_SUM_H
#define THAW_LAYERS_COLUMN_SUM_H

#include <thaw/layer_module.h>

size_t thaw_column_sum_scratch_bytes(size_t rows, size_t columns);

/* sums[c] = sum over rows of values[row][c]. `scratch` has the size above. The values are of `precision`, THAW_F32
   or THAW_BF16. */
void thaw_column_sum(thaw_context *context, size_t rows, size_t columns, thaw_dtype precision, const void *values,
                     float *sums, void *scratch);

/* The same on the calling thread alone, in doubles. `sums` has room for thaw_column_sum_count elements; the first
   `columns` receive the result. */
void thaw_column_sum_here(const thaw_context *context, size_t rows, size_t columns, thaw_dtype precision,
                          const void *values, double *sums);
size_t thaw_column_sum_count(size_t rows, size_t columns);

#endif
