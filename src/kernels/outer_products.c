#include "kernels/outer_products.h"

#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "kernels/outer_products_loops.h"
#include "kernels/panel_product.h"
#include "onednn/own_kernel.h"

/* Rows of the gradient that are computed at a time, per panel of columns. */
enum { ROWS = 12 };

/* Elements of the bias's gradient that are summed at a time: their sums, in doubles, stay in registers or close to
   them. */
enum { BIAS_COLUMNS = 64 };

typedef struct sizes {
    size_t batch, inputs, outputs, panels, blocks;
    bool bias;
} sizes;

typedef struct job {
    const sizes *of;
    thaw_outer_products_function *multiply;
    const float *source, *gradient; /* [batch][inputs], [batch][outputs] */
    float *weights, *bias;          /* [outputs][inputs], [outputs] */
} job;

static size_t share(size_t count, int thread, int threads)
{
    return count * (size_t)thread / (size_t)threads;
}

static size_t rows_of(const sizes *s, size_t block)
{
    const size_t left = s->outputs - block * ROWS;
    return left < ROWS ? left : ROWS;
}

static thaw_outer_operand left_of(const job *j, size_t block)
{
    return (thaw_outer_operand){ j->gradient + block * ROWS, j->of->outputs };
}

static void compute_panel(const job *j, size_t block, size_t panel)
{
    const sizes *s = j->of;
    const thaw_outer_operand right = { j->source + panel * THAW_PANEL_WIDTH, s->inputs };
    float *sums = j->weights + block * ROWS * s->inputs + panel * THAW_PANEL_WIDTH;
    j->multiply(rows_of(s, block), s->batch, left_of(j, block), right, sums, s->inputs);
}

/* The last panel, if it is not full: it is computed together with columns before it, and only its own sums are
   stored. */
static void compute_partial_panel(const job *j, size_t block, size_t panel)
{
    const sizes *s = j->of;
    const size_t first = panel * THAW_PANEL_WIDTH, columns = s->inputs - first, before = THAW_PANEL_WIDTH - columns;
    const size_t rows = rows_of(s, block);
    const thaw_outer_operand right = { j->source + first - before, s->inputs };
    float sums[ROWS * THAW_PANEL_WIDTH];
    j->multiply(rows, s->batch, left_of(j, block), right, sums, THAW_PANEL_WIDTH);
    float *to = j->weights + block * ROWS * s->inputs + first;
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * s->inputs, sums + r * THAW_PANEL_WIDTH + before, columns * sizeof *sums);
}

static void sum_bias(const job *j, size_t begin, size_t end)
{
    for (size_t first = begin; first < end; first += BIAS_COLUMNS) {
        const size_t count = end - first < BIAS_COLUMNS ? end - first : BIAS_COLUMNS;
        double sums[BIAS_COLUMNS] = { 0 };
        for (size_t b = 0; b < j->of->batch; b++) {
            const float *row = j->gradient + b * j->of->outputs + first;
            for (size_t o = 0; o < count; o++)
                sums[o] += (double)row[o];
        }
        for (size_t o = 0; o < count; o++)
            j->bias[first + o] = (float)sums[o];
    }
}

static void run_member(void *argument, int thread, int threads)
{
    const job *j = argument;
    const sizes *s = j->of;
    const size_t units = s->blocks * s->panels, end = share(units, thread + 1, threads);
    for (size_t i = share(units, thread, threads); i < end; i++) {
        const size_t block = i / s->panels, panel = i % s->panels;
        if ((panel + 1) * THAW_PANEL_WIDTH <= s->inputs)
            compute_panel(j, block, panel);
        else
            compute_partial_panel(j, block, panel);
    }
    if (s->bias)
        sum_bias(j, share(s->outputs, thread, threads), share(s->outputs, thread + 1, threads));
}

static void run(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    (void)scratch;
    job j = {
        .of = problem,
        .multiply = THAW_FOR_LEVEL(context->level, thaw_outer_products_loops),
        .source = arguments[THAW_ARGUMENT_SOURCE],
        .gradient = arguments[THAW_ARGUMENT_DESTINATION_GRADIENT],
        .weights = arguments[THAW_ARGUMENT_WEIGHTS_GRADIENT],
        .bias = arguments[THAW_ARGUMENT_BIAS_GRADIENT],
    };
    thaw_parallel(context, run_member, &j);
}

static size_t count_panels(int64_t inputs)
{
    return ((size_t)inputs + THAW_PANEL_WIDTH - 1) / THAW_PANEL_WIDTH;
}

thaw_status thaw_outer_products_create(thaw_context *context, const thaw_inner_product *p, thaw_kernel **kernel)
{
    const sizes s = {
        .batch = (size_t)p->batch,
        .inputs = (size_t)p->inputs,
        .outputs = (size_t)p->outputs,
        .panels = count_panels(p->inputs),
        .blocks = ((size_t)p->outputs + ROWS - 1) / ROWS,
        .bias = p->bias,
    };
    const thaw_own_kernel own = {
        .name = THAW_OUTER_PRODUCTS_NAME,
        .bytes = { [THAW_ARGUMENT_SOURCE] = s.batch * s.inputs * sizeof(float),
                   [THAW_ARGUMENT_DESTINATION_GRADIENT] = s.batch * s.outputs * sizeof(float),
                   [THAW_ARGUMENT_WEIGHTS_GRADIENT] = s.outputs * s.inputs * sizeof(float),
                   [THAW_ARGUMENT_BIAS_GRADIENT] = s.bias ? s.outputs * sizeof(float) : 0 },
        .run = run,
    };
    return thaw_kernel_create_own(context, &own, &s, sizeof s, kernel);
}
