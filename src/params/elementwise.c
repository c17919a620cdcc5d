/* Sums, differences and products, element by element. */
#include "core/broadcast.h"
#include "core/shape.h"
#include "params/expression.h"

enum { BLOCK = 256, GRAIN = 4096 };

/* What is computed of two rows. */
typedef enum kind { SUM, DIFFERENCE, PRODUCT } kind;

/* ---- row by row ---- */

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

typedef struct rows {
    thaw_broadcast loop;
    kind computed;
    const float *left, *right;
    float *out;
    bool adds;
} rows;

/* Where a row of the last dimension begins in an operand. */
static size_t offset_of(const thaw_broadcast *loop, const size_t *strides, size_t row)
{
    size_t offset = 0;
    for (int i = loop->rank - 1; i-- > 0;) {
        offset += row % loop->dims[i] * strides[i];
        row /= loop->dims[i];
    }
    return offset;
}

/* A part of a row that is no longer than a block. */
static void compute_part(const rows *r, size_t first, size_t count)
{
    const int last = r->loop.rank - 1;
    const size_t row = first / r->loop.dims[last], column = first % r->loop.dims[last];
    const size_t left_step = r->loop.left[last], right_step = r->loop.right[last];
    const float *left = r->left + offset_of(&r->loop, r->loop.left, row) + column * left_step;
    const float *right = r->right + offset_of(&r->loop, r->loop.right, row) + column * right_step;
    float block[BLOCK], *out = r->adds ? block : r->out + first;
    if (r->computed == PRODUCT)
        multiply_row(out, left, left_step, right, right_step, count);
    else
        add_row(out, left, left_step, right, right_step, r->computed == SUM ? 1.0F : -1.0F, count);
    for (size_t i = 0; r->adds && i < count; i++)
        r->out[first + i] += block[i];
}

static void compute_range(void *argument, size_t begin, size_t end)
{
    const rows *r = argument;
    const size_t width = r->loop.dims[r->loop.rank - 1];
    while (begin < end) {
        const size_t left_of_row = width - begin % width, left_of_range = end - begin;
        size_t count = left_of_row < left_of_range ? left_of_row : left_of_range;
        count = count < BLOCK ? count : BLOCK;
        compute_part(r, begin, count);
        begin += count;
    }
}

static thaw_status evaluate(const thaw_expression *e, kind computed)
{
    const thaw_expression *left = thaw_operand(e, 0), *right = thaw_operand(e, 1);
    rows r = { thaw_broadcast_of(1, &left->shape, &right->shape, &e->shape),
               computed,
               left->value,
               right->value,
               e->value,
               false };
    thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, compute_range, &r);
    return THAW_OK;
}

/* ---- sums over repeated dimensions ----
   Each element's sum is taken in one order, whatever the threads, in double precision. */

typedef struct reduction {
    thaw_broadcast loop;            /* left: the operand; right: what its gradient is multiplied by */
    size_t repeats;                 /* of one row of the last dimension, or of all of them if that is repeated, too */
    const float *gradient, *factor; /* factor NULL: 1 */
    float sign;
    float *into;
    bool adds;
} reduction;

/* Splits `index` over the outer dimensions that the operand repeats, or over those that it does not. */
static void add_offsets(const reduction *r, bool repeated, size_t index, size_t *result, size_t *factor)
{
    for (int i = r->loop.rank - 1; i-- > 0;) {
        if ((r->loop.left[i] == 0) != repeated)
            continue;
        *result += index % r->loop.dims[i] * r->loop.result[i];
        *factor += index % r->loop.dims[i] * r->loop.right[i];
        index /= r->loop.dims[i];
    }
}

static void finish(const reduction *r, size_t at, double sum)
{
    const float term = r->sign * (float)sum;
    r->into[at] = r->adds ? r->into[at] + term : term;
}

/* Elements of one row: the operand has the last dimension. */
static void reduce_columns(const reduction *r, size_t first, size_t count)
{
    const int last = r->loop.rank - 1;
    const size_t width = r->loop.dims[last], column = first % width, step = r->loop.right[last];
    double sums[BLOCK] = { 0 };
    for (size_t k = 0; k < r->repeats; k++) {
        size_t at = column, by = column * step;
        add_offsets(r, false, first / width, &at, &by);
        add_offsets(r, true, k, &at, &by);
        for (size_t i = 0; i < count; i++)
            sums[i] += (double)r->gradient[at + i] * (r->factor ? (double)r->factor[by + i * step] : 1);
    }
    for (size_t i = 0; i < count; i++)
        finish(r, first + i, sums[i]);
}

/* One element, which stands for whole rows. */
static void reduce_rows(const reduction *r, size_t element)
{
    const int last = r->loop.rank - 1;
    const size_t step = r->loop.right[last];
    double sum = 0;
    for (size_t k = 0; k < r->repeats; k++) {
        size_t at = 0, by = 0;
        add_offsets(r, false, element, &at, &by);
        add_offsets(r, true, k, &at, &by);
        for (size_t i = 0; i < r->loop.dims[last]; i++)
            sum += (double)r->gradient[at + i] * (r->factor ? (double)r->factor[by + i * step] : 1);
    }
    finish(r, element, sum);
}

static void reduce_range(void *argument, size_t begin, size_t end)
{
    const reduction *r = argument;
    const int last = r->loop.rank - 1;
    if (r->loop.left[last] == 0) {
        for (size_t i = begin; i < end; i++)
            reduce_rows(r, i);
        return;
    }
    const size_t width = r->loop.dims[last];
    while (begin < end) {
        const size_t left_of_row = width - begin % width, left_of_range = end - begin;
        size_t count = left_of_row < left_of_range ? left_of_row : left_of_range;
        count = count < BLOCK ? count : BLOCK;
        reduce_columns(r, begin, count);
        begin += count;
    }
}

/* The gradient of an operand: the expression's times `factor` (NULL: 1) and `sign`, summed over what is repeated. */
static thaw_status reduce(const thaw_expression *e, const thaw_expression *operand, const thaw_expression *factor,
                          float sign, const thaw_differentiation *wanted)
{
    const thaw_shape one = { 0 };
    reduction r = {
        .loop = thaw_broadcast_of(1, &operand->shape, factor ? &factor->shape : &one, &e->shape),
        .repeats = 1,
        .gradient = wanted->gradient,
        .factor = factor ? factor->value : NULL,
        .sign = sign,
        .into = wanted->into,
        .adds = wanted->adds,
    };
    for (int i = 0; i < r.loop.rank - 1; i++)
        r.repeats *= r.loop.left[i] == 0 ? r.loop.dims[i] : 1;
    const size_t work = e->count / operand->count;
    thaw_parallel_for(thaw_expression_context(e), operand->count, work < GRAIN ? GRAIN / work : 1, reduce_range, &r);
    return THAW_OK;
}

/* ---- sum and difference ---- */

static thaw_status evaluate_sum(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    return evaluate(e, SUM);
}

static thaw_status evaluate_difference(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    return evaluate(e, DIFFERENCE);
}

static thaw_status differentiate_sum(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    return reduce(e, thaw_operand(e, k), NULL, 1, wanted);
}

static thaw_status differentiate_difference(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    return reduce(e, thaw_operand(e, k), NULL, k == 0 ? 1.0F : -1.0F, wanted);
}

/* ---- product ---- */

static thaw_status evaluate_product(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    return evaluate(e, PRODUCT);
}

static thaw_status differentiate_product(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    const thaw_expression *operand = thaw_operand(e, k), *factor = thaw_operand(e, 1 - k);
    if (operand->count < e->count)
        return reduce(e, operand, factor, 1, wanted);
    rows r = { thaw_broadcast_of(1, &e->shape, &factor->shape, &e->shape),
               PRODUCT,
               wanted->gradient,
               factor->value,
               wanted->into,
               wanted->adds };
    thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, compute_range, &r);
    return THAW_OK;
}

/* ---- of all three ---- */

static void reach(const thaw_expression *e, size_t k, const unsigned char *own, unsigned char *reached)
{
    const thaw_expression *operand = thaw_operand(e, k);
    const thaw_broadcast loop = thaw_broadcast_of(1, &operand->shape, &e->shape, &e->shape);
    const int last = loop.rank - 1;
    for (size_t i = 0; i < e->count; i++)
        if (own[i])
            reached[offset_of(&loop, loop.left, i / loop.dims[last]) + i % loop.dims[last] * loop.left[last]] = 1;
}

static void describe_infix(const thaw_expression *e, const char *symbol, bool inner, thaw_text *text)
{
    thaw_expression_append(e->operands[0], inner, text);
    thaw_text_append(text, " %s ", symbol);
    thaw_expression_append(e->operands[1], true, text);
}

static void describe_sum(const thaw_expression *e, thaw_text *text)
{
    describe_infix(e, "+", false, text);
}

static void describe_difference(const thaw_expression *e, thaw_text *text)
{
    describe_infix(e, "-", false, text);
}

static void describe_product(const thaw_expression *e, thaw_text *text)
{
    describe_infix(e, "*", true, text);
}

static const thaw_operation sum = {
    .describe = describe_sum, .evaluate = evaluate_sum, .differentiate = differentiate_sum, .reach = reach
};

static const thaw_operation difference = { .describe = describe_difference,
                                           .evaluate = evaluate_difference,
                                           .differentiate = differentiate_difference,
                                           .reach = reach };

static const thaw_operation product = {
    .describe = describe_product, .evaluate = evaluate_product, .differentiate = differentiate_product, .reach = reach
};

static thaw_status combine(const thaw_operation *operation, thaw_expression *left, thaw_expression *right,
                           thaw_expression **result)
{
    thaw_expression *const operands[] = { left, right };
    *result = NULL;
    const thaw_status status = thaw_operands_check(operands, THAW_COUNT(operands));
    if (status != THAW_OK)
        return status;
    thaw_shape shape;
    if (!thaw_shape_broadcast(&left->shape, &right->shape, &shape)) {
        char one[80], other[80];
        return thaw_fail(thaw_expression_context(left), THAW_SHAPE_MISMATCH,
                         "shapes %s and %s do not go together element by element",
                         thaw_shape_format(&left->shape, one, sizeof one),
                         thaw_shape_format(&right->shape, other, sizeof other));
    }
    if (!thaw_shape_usable(&shape, 1))
        return thaw_fail(thaw_expression_context(left), THAW_SHAPE_MISMATCH,
                         "the shapes repeat each other to a size that is too large");
    return thaw_expression_create(left->set, operation, operands, THAW_COUNT(operands), &shape, result);
}

thaw_status thaw_expression_add(thaw_expression *left, thaw_expression *right, thaw_expression **result)
{
    return combine(&sum, left, right, result);
}

thaw_status thaw_expression_subtract(thaw_expression *left, thaw_expression *right, thaw_expression **result)
{
    return combine(&difference, left, right, result);
}

thaw_status thaw_expression_multiply(thaw_expression *left, thaw_expression *right, thaw_expression **result)
{
    return combine(&product, left, right, result);
}
