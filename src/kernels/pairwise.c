#include "kernels/pairwise.h"

enum { BLOCK = 256, GRAIN = 4096 };

/* ---- values ---- */

static void add_row(float *restrict out, const float *left, size_t left_step, const float *right, size_t right_step,
                    float sign, size_t count)
{
    if (left_step && right_step)
        for (size_t i = 0; i < count; i++)
            out[i] = left[i] + sign * right[i];
    else if (left_step)
        for (size_t i = 0; i < count; i++)
            out[i] = left[i] + sign * right[0];
    else
        for (size_t i = 0; i < count; i++)
            out[i] = left[0] + sign * right[i * right_step];
}

static void multiply_row(float *restrict out, const float *left, size_t left_step, const float *right,
                         size_t right_step, size_t count)
{
    if (left_step && right_step)
        for (size_t i = 0; i < count; i++)
            out[i] = left[i] * right[i];
    else if (left_step)
        for (size_t i = 0; i < count; i++)
            out[i] = left[i] * right[0];
    else
        for (size_t i = 0; i < count; i++)
            out[i] = left[0] * right[i * right_step];
}

/* Computes a part of a row that is at most a block. */
static void compute_span(const thaw_pairs *p, const thaw_broadcast_span *span)
{
    const int last = p->loops.rank - 1;
    const size_t left_step = p->loops.left[last], right_step = p->loops.right[last];
    const float *left = p->left + span->left, *right = p->right + span->right;
    float block[BLOCK], *out = p->adds ? block : p->result + span->result;
    if (p->kind == THAW_BINARY_PRODUCT)
        multiply_row(out, left, left_step, right, right_step, span->count);
    else
        add_row(out, left, left_step, right, right_step, p->kind == THAW_BINARY_SUM ? 1.0F : -1.0F, span->count);
    for (size_t i = 0; p->adds && i < span->count; i++)
        p->result[span->result + i] += block[i];
}

static void compute_range(void *argument, size_t begin, size_t end)
{
    const thaw_pairs *p = argument;
    while (begin < end) {
        const size_t past = p->adds && end - begin > BLOCK ? begin + BLOCK : end;
        const thaw_broadcast_span span = thaw_broadcast_next(&p->loops, begin, past);
        compute_span(p, &span);
        begin += span.count;
    }
}

void thaw_pairs_compute(thaw_context *context, const thaw_pairs *pairs)
{
    thaw_pairs p = *pairs;
    thaw_parallel_for(context, p.count, GRAIN, compute_range, &p);
}

/* ---- gradients: each element's sum is taken in one order ---- */

/* Splits `index` over the outer dimensions that the operand repeats, or over those that it does not. */
static void add_offsets(const thaw_broadcast *loops, bool repeated, size_t index, size_t *result, size_t *factor)
{
    for (int i = loops->rank - 1; i-- > 0;) {
        if ((loops->left[i] == 0) != repeated)
            continue;
        *result += index % loops->dims[i] * loops->result[i];
        *factor += index % loops->dims[i] * loops->right[i];
        index /= loops->dims[i];
    }
}

static void finish(const thaw_pair_gradient *g, size_t at, double sum)
{
    const float term = g->sign * (float)sum;
    g->into[at] = g->adds ? g->into[at] + term : term;
}

/* Reduces elements of one row, for an operand that has the last dimension. */
static void reduce_columns(const thaw_pair_gradient *g, size_t repeats, size_t first, size_t count)
{
    const int last = g->loops.rank - 1;
    const size_t width = g->loops.dims[last], column = first % width, step = g->loops.right[last];
    double sums[BLOCK] = { 0 };
    for (size_t k = 0; k < repeats; k++) {
        size_t at = column, by = column * step;
        add_offsets(&g->loops, false, first / width, &at, &by);
        add_offsets(&g->loops, true, k, &at, &by);
        for (size_t i = 0; i < count; i++)
            sums[i] += (double)g->gradient[at + i] * (g->factor ? (double)g->factor[by + i * step] : 1);
    }
    for (size_t i = 0; i < count; i++)
        finish(g, first + i, sums[i]);
}

/* Reduces one element, which is repeated along whole rows. */
static void reduce_rows(const thaw_pair_gradient *g, size_t repeats, size_t element)
{
    const int last = g->loops.rank - 1;
    const size_t step = g->loops.right[last];
    double sum = 0;
    for (size_t k = 0; k < repeats; k++) {
        size_t at = 0, by = 0;
        add_offsets(&g->loops, false, element, &at, &by);
        add_offsets(&g->loops, true, k, &at, &by);
        for (size_t i = 0; i < g->loops.dims[last]; i++)
            sum += (double)g->gradient[at + i] * (g->factor ? (double)g->factor[by + i * step] : 1);
    }
    finish(g, element, sum);
}

static void reduce_range(void *argument, size_t begin, size_t end)
{
    const thaw_pair_gradient *g = argument;
    const int last = g->loops.rank - 1;
    const size_t width = g->loops.dims[last];
    if (g->loops.left[last] == 0) {
        for (size_t i = begin; i < end; i++)
            reduce_rows(g, g->repeats / width, i);
        return;
    }
    while (begin < end) {
        const size_t left_of_row = width - begin % width, left_of_range = end - begin;
        size_t count = left_of_row < left_of_range ? left_of_row : left_of_range;
        count = count < BLOCK ? count : BLOCK;
        reduce_columns(g, g->repeats, begin, count);
        begin += count;
    }
}

void thaw_pair_gradient_compute(thaw_context *context, const thaw_pair_gradient *wanted)
{
    thaw_pair_gradient g = *wanted;
    thaw_parallel_for(context, g.count, g.repeats < GRAIN ? GRAIN / g.repeats : 1, reduce_range, &g);
}
