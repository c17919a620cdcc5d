/* Sums over the rows of a matrix: a bias gradient where nothing else of its layer trains. The same for any thread
   count. */
#ifndef THAW_LAYERS_COLUMN_SUM_H
#define THAW_LAYERS_COLUMN_SUM_H

#include <thaw/module.h>

size_t thaw_column_sum_scratch_bytes(size_t rows, size_t columns);

/* sums[c] = sum over rows of values[row][c], through `scratch` of the size above. */
void thaw_column_sum(thaw_context *context, size_t rows, size_t columns, const float *values, float *sums,
                     void *scratch);

#endif
