#include "bias.h"

/* Elements that a thread takes on at least. */
enum { GRAIN = 4096 };

typedef struct job {
    size_t columns;
    const float *bias;
    bool relu;
    float *values;
} job;

static void add_row(float *restrict row, const float *restrict bias, size_t count)
{
    for (size_t i = 0; i < count; i++)
        row[i] += bias[i];
}

/* NaN stays. */
static void apply_relu(float *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        row[i] = row[i] < 0 ? 0 : row[i];
}

static void finish_rows(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    for (size_t n = begin; n < end; n++) {
        if (j->bias)
            add_row(j->values + n * j->columns, j->bias, j->columns);
        if (j->relu)
            apply_relu(j->values + n * j->columns, j->columns);
    }
}

void thaw_add_bias(thaw_context *context, size_t rows, size_t columns, const float *bias, bool relu, float *values)
{
    job j = { columns, bias, relu, values };
    if (bias || relu)
        thaw_parallel_for(context, rows, columns < GRAIN ? GRAIN / columns : 1, finish_rows, &j);
}
