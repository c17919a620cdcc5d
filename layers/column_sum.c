#include "column_sum.h"

#include <string.h>

/* Parts into which the rows are cut, whatever the thread count; each has a row of partial sums. */
enum { MOST_PARTS = 64, FEWEST_ROWS = 16 };

typedef struct job {
    size_t rows, columns, rows_a_part;
    const float *values;
    const float *inputs, *mean; /* NULL: the values themselves are summed */
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

static void add_row(float *restrict sums, const float *restrict row, size_t columns)
{
    for (size_t c = 0; c < columns; c++)
        sums[c] += row[c];
}

static void add_squares(float *restrict sums, const float *restrict input, const float *restrict mean, size_t columns)
{
    for (size_t c = 0; c < columns; c++)
        sums[c] += (input[c] - mean[c]) * (input[c] - mean[c]);
}

static void add_products(float *restrict sums, const float *restrict row, const float *restrict input,
                         const float *restrict mean, size_t columns)
{
    for (size_t c = 0; c < columns; c++)
        sums[c] += row[c] * (input[c] - mean[c]);
}

static void add_row_of(const job *j, size_t row, float *sums)
{
    const size_t at = row * j->columns;
    if (!j->inputs)
        add_row(sums, j->values + at, j->columns);
    else if (!j->values)
        add_squares(sums, j->inputs + at, j->mean, j->columns);
    else
        add_products(sums, j->values + at, j->inputs + at, j->mean, j->columns);
}

static void sum_parts(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    for (size_t part = begin; part < end; part++) {
        float *sums = j->partial + part * j->columns;
        const size_t first = part * j->rows_a_part, past = first + j->rows_a_part;
        memset(sums, 0, j->columns * sizeof *sums);
        for (size_t row = first; row < past && row < j->rows; row++)
            add_row_of(j, row, sums);
    }
}

static void sum(thaw_context *context, job *j, float *sums)
{
    j->rows_a_part = part_rows(j->rows);
    const size_t parts = part_count(j->rows);
    thaw_parallel_for(context, parts, 1, sum_parts, j);
    memset(sums, 0, j->columns * sizeof *sums);
    for (size_t part = 0; part < parts; part++)
        add_row(sums, j->partial + part * j->columns, j->columns);
}

void thaw_column_sum(thaw_context *context, size_t rows, size_t columns, const float *values, float *sums,
                     void *scratch)
{
    job j = { .rows = rows, .columns = columns, .values = values, .partial = scratch };
    sum(context, &j, sums);
}

void thaw_column_sum_centred(thaw_context *context, size_t rows, size_t columns, const float *values,
                             const float *inputs, const float *mean, float *sums, void *scratch)
{
    job j = { .rows = rows, .columns = columns, .values = values, .inputs = inputs, .mean = mean, .partial = scratch };
    sum(context, &j, sums);
}
