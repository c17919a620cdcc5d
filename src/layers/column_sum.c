#include "layers/column_sum.h"

#include "core/context.h"
#include "kernels/bfloat16.h"
#include "layers/channel_passes.h"

/* If there are few columns, several rows are summed as one longer row, to fill the vectors. */
enum { FOLDS = 16, MOST_FOLDED = 64 };

static size_t folds_of(size_t rows, size_t columns)
{
    return columns < MOST_FOLDED && columns % FOLDS != 0 && rows >= FOLDS ? FOLDS : 1;
}

static thaw_channel_pass pass_of(size_t rows, size_t columns, thaw_dtype precision, const void *values)
{
    return (thaw_channel_pass){ .channels = folds_of(rows, columns) * columns,
                                .precision = precision,
                                .output_gradient = values };
}

static double value_at(const void *values, size_t at, thaw_dtype precision)
{
    return (double)(precision == THAW_F32 ? ((const float *)values)[at]
                                          : thaw_bfloat16_widen(((const thaw_bfloat16 *)values)[at]));
}

/* Adds the folds, and the remaining rows. */
static void unfold(size_t rows, size_t columns, thaw_dtype precision, const void *values, double *sums)
{
    const size_t folds = folds_of(rows, columns);
    for (size_t c = 0; c < columns; c++) {
        for (size_t fold = 1; fold < folds; fold++)
            sums[c] += sums[fold * columns + c];
        for (size_t row = rows / folds * folds; row < rows; row++)
            sums[c] += value_at(values, row * columns + c, precision);
    }
}

size_t thaw_column_sum_count(size_t rows, size_t columns)
{
    return folds_of(rows, columns) * columns;
}

void thaw_column_sum_here(const thaw_context *context, size_t rows, size_t columns, thaw_dtype precision,
                          const void *values, double *sums)
{
    const thaw_channel_pass pass = pass_of(rows, columns, precision, values);
    const thaw_pass_functions *loops = THAW_FOR_LEVEL(context->level, &thaw_pass_loops);
    loops->reduce(&pass, 0, rows / folds_of(rows, columns), sums, NULL);
    unfold(rows, columns, precision, values, sums);
}

size_t thaw_column_sum_scratch_bytes(size_t rows, size_t columns)
{
    const size_t folds = folds_of(rows, columns);
    return folds * columns * sizeof(double) + thaw_channels_scratch_bytes(rows / folds, folds * columns);
}

void thaw_column_sum(thaw_context *context, size_t rows, size_t columns, thaw_dtype precision, const void *values,
                     float *sums, void *scratch)
{
    const thaw_channel_pass pass = pass_of(rows, columns, precision, values);
    double *exact = scratch;
    thaw_channels_reduce(context, &pass, rows / folds_of(rows, columns), exact, NULL, exact + pass.channels);
    unfold(rows, columns, precision, values, exact);
    for (size_t c = 0; c < columns; c++)
        sums[c] = (float)exact[c];
}
