#include "column_sum.h"

#include <string.h>

#include "core/channel_loops.h"

/* Parts into which the rows are cut, whatever the thread count; each has a row of partial sums. */
enum { MOST_PARTS = 64, FEWEST_ROWS = 16 };

typedef struct job {
    thaw_channel_rows matrix;
    void (*sum)(const thaw_channel_rows *rows, float *sums);
    size_t rows_a_part;
    float *partial;
} job;

static size_t part_rows(size_t rows)
{
    const size_t even = (rows + MOST_PARTS - 1) / MOST_PARTS;
    return even > FEWEST_ROWS ? even : FEWEST_ROWS;
}

static size_t part_count(size_t rows)
{
    return (rows + part_rows(rows) - 1) / part_rows(rows);
}

size_t thaw_column_sum_scratch_bytes(size_t rows, size_t columns)
{
    return part_count(rows) * columns * sizeof(float);
}

static void sum_parts(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    for (size_t part = begin; part < end; part++) {
        float *sums = j->partial + part * j->matrix.channels;
        const size_t first = part * j->rows_a_part, left = j->matrix.rows - first;
        const thaw_channel_rows rows =
            thaw_channel_rows_of(&j->matrix, first, left < j->rows_a_part ? left : j->rows_a_part);
        memset(sums, 0, j->matrix.channels * sizeof *sums);
        j->sum(&rows, sums);
    }
}

static void sum(thaw_context *context, job *j, float *sums)
{
    j->rows_a_part = part_rows(j->matrix.rows);
    const size_t parts = part_count(j->matrix.rows);
    thaw_parallel_for(context, parts, 1, sum_parts, j);
    memset(sums, 0, j->matrix.channels * sizeof *sums);
    const thaw_channel_rows partial = { .rows = parts, .channels = j->matrix.channels, .values = j->partial };
    thaw_channel_functions_of_cpu()->sum(&partial, sums);
}

void thaw_column_sum(thaw_context *context, size_t rows, size_t columns, thaw_dtype precision, const void *values,
                     float *sums, void *scratch)
{
    job j = {
        .matrix = { .rows = rows, .channels = columns, .precision = precision, .values = values },
        .sum = thaw_channel_functions_of_cpu()->sum,
        .partial = scratch,
    };
    sum(context, &j, sums);
}
