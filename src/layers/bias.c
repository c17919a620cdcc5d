#include "layers/bias.h"

#include "core/context.h"
#include "kernels/bfloat16_loops.h"

enum {
    GRAIN = 4096, /* the fewest elements of a thread */
    BLOCK = 256   /* bfloat16 numbers that are widened and rounded at a time */
};

typedef struct job {
    size_t columns;
    const float *bias;
    bool relu;
    thaw_dtype precision;
    void *values;
    const thaw_bfloat16_functions *loops;
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

static void finish(const job *j, float *values, size_t column, size_t count)
{
    if (j->bias)
        add_row(values, j->bias + column, count);
    if (j->relu)
        apply_relu(values, count);
}

static void finish_bf16(const job *j, thaw_bfloat16 *row)
{
    float block[BLOCK];
    for (size_t column = 0; column < j->columns; column += BLOCK) {
        const size_t count = j->columns - column < BLOCK ? j->columns - column : BLOCK;
        j->loops->widen(block, row + column, count);
        finish(j, block, column, count);
        j->loops->round(row + column, block, count);
    }
}

static void finish_rows(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    for (size_t n = begin; n < end; n++)
        if (j->precision == THAW_F32)
            finish(j, (float *)j->values + n * j->columns, 0, j->columns);
        else
            finish_bf16(j, (thaw_bfloat16 *)j->values + n * j->columns);
}

void thaw_add_bias(thaw_context *context, size_t rows, size_t columns, thaw_dtype precision, const float *bias,
                   bool relu, void *values)
{
    job j = { columns, bias, relu, precision, values, THAW_FOR_LEVEL(context->level, &thaw_bfloat16_loops) };
    if (bias || relu)
        thaw_parallel_for(context, rows, columns < GRAIN ? GRAIN / columns : 1, finish_rows, &j);
}
