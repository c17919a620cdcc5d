/* Matrix products: of two expressions, and of the two factors of a low-rank change to a third. */
#include <math.h>

#include "core/allocation.h"
#include "core/shape.h"
#include "params/expression.h"
#include "params/low_rank.h"
#include "params/matrices.h"

enum { GRAIN = 4096 };

/* ---- what both have in common ----
   The factors are operands `first` and `first + 1`. Gradients that are added to, or scaled, pass through scratch. */

static void release(thaw_expression *e)
{
    thaw_matrices_release(thaw_expression_context(e), e->state);
}

static thaw_status prepare_factors(thaw_expression *e, size_t first)
{
    if (e->state)
        return THAW_OK;
    const thaw_expression *left = thaw_operand(e, first), *right = thaw_operand(e, first + 1);
    const int64_t m = left->shape.dims[0], k = right->shape.dims[0];
    thaw_matrices *made;
    const thaw_status status = thaw_matrices_create(thaw_expression_context(e), m, k, (int64_t)right->count / k, &made);
    e->state = made;
    return status;
}

static size_t factor_scratch_bytes(const thaw_expression *e, size_t first)
{
    const size_t left = thaw_operand(e, first)->count, right = thaw_operand(e, first + 1)->count;
    return thaw_align((left > right ? left : right) * sizeof(float)) + thaw_matrices_scratch_bytes(e->state);
}

typedef struct sum {
    float *into;
    const float *from, *term;
    float factor;
} sum;

static void add_range(void *argument, size_t begin, size_t end)
{
    const sum *s = argument;
    for (size_t i = begin; i < end; i++)
        s->into[i] = s->from[i] + s->factor * s->term[i];
}

static void scale_range(void *argument, size_t begin, size_t end)
{
    const sum *s = argument;
    for (size_t i = begin; i < end; i++)
        s->into[i] = s->factor * s->term[i];
}

static thaw_status differentiate_factor(const thaw_expression *e, size_t first, size_t k, float factor,
                                        const thaw_differentiation *wanted)
{
    const thaw_expression *left = thaw_operand(e, first), *right = thaw_operand(e, first + 1);
    const size_t count = thaw_operand(e, k)->count;
    float *term = wanted->adds ? wanted->scratch : wanted->into;
    void *rest = (char *)wanted->scratch + (factor_scratch_bytes(e, first) - thaw_matrices_scratch_bytes(e->state));
    const thaw_status status = k == first ? thaw_matrices_left(e->state, wanted->gradient, right->value, term, rest)
                                          : thaw_matrices_right(e->state, left->value, wanted->gradient, term, rest);
    sum s = { wanted->into, wanted->into, term, factor };
    if (status == THAW_OK && wanted->adds)
        thaw_parallel_for(thaw_expression_context(e), count, GRAIN, add_range, &s);
    else if (status == THAW_OK && factor != 1)
        thaw_parallel_for(thaw_expression_context(e), count, GRAIN, scale_range, &s);
    return status;
}

/* ---- the product of two ---- */

static thaw_status prepare_product(thaw_expression *e)
{
    return prepare_factors(e, 0);
}

static size_t product_scratch_bytes(const thaw_expression *e)
{
    return factor_scratch_bytes(e, 0);
}

static thaw_status evaluate_product(const thaw_expression *e, void *scratch)
{
    return thaw_matrices_multiply(e->state, thaw_operand(e, 0)->value, thaw_operand(e, 1)->value, e->value, scratch);
}

static thaw_status differentiate_product(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    return differentiate_factor(e, 0, k, 1, wanted);
}

static void describe_product(const thaw_expression *e, thaw_text *text)
{
    thaw_expression_append(e->operands[0], true, text);
    thaw_text_append(text, " @ ");
    thaw_expression_append(e->operands[1], true, text);
}

static const thaw_operation product = { .describe = describe_product,
                                        .prepare = prepare_product,
                                        .release = release,
                                        .scratch_bytes = product_scratch_bytes,
                                        .evaluate = evaluate_product,
                                        .differentiate = differentiate_product };

thaw_status thaw_expression_product(thaw_expression *left, thaw_expression *right, thaw_expression **result)
{
    thaw_expression *const operands[] = { left, right };
    *result = NULL;
    thaw_status status = thaw_operands_check(operands, THAW_COUNT(operands));
    if (status != THAW_OK)
        return status;
    const thaw_shape *a = &left->shape, *b = &right->shape;
    const thaw_shape shape = { 2, { a->dims[0], b->rank == 2 ? b->dims[1] : 1 } };
    if (a->rank != 2 || b->rank != 2 || a->dims[1] != b->dims[0] || !thaw_shape_usable(&shape, 1)) {
        char one[80], other[80];
        return thaw_fail(thaw_expression_context(left), THAW_SHAPE_MISMATCH,
                         "matrices of shapes %s and %s have no product", thaw_shape_format(a, one, sizeof one),
                         thaw_shape_format(b, other, sizeof other));
    }
    status = thaw_expression_create(left->set, &product, operands, THAW_COUNT(operands), &shape, result);
    if (status == THAW_OK)
        (*result)->flops = 2 * (double)a->dims[1] * (double)(*result)->count;
    return status;
}

/* ---- low rank ---- */

static thaw_status prepare_low_rank(thaw_expression *e)
{
    return prepare_factors(e, THAW_LOW_RANK_UP);
}

static size_t low_rank_scratch_bytes(const thaw_expression *e)
{
    return factor_scratch_bytes(e, THAW_LOW_RANK_UP);
}

static thaw_status evaluate_low_rank(const thaw_expression *e, void *scratch)
{
    const thaw_status status = thaw_matrices_multiply(e->state, thaw_operand(e, THAW_LOW_RANK_UP)->value,
                                                      thaw_operand(e, THAW_LOW_RANK_DOWN)->value, e->value, scratch);
    sum s = { e->value, thaw_operand(e, THAW_LOW_RANK_BASE)->value, e->value, (float)e->factor };
    if (status == THAW_OK)
        thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, add_range, &s);
    return status;
}

static thaw_status differentiate_low_rank(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    if (k != THAW_LOW_RANK_BASE)
        return differentiate_factor(e, THAW_LOW_RANK_UP, k, (float)e->factor, wanted);
    sum s = { wanted->into, wanted->into, wanted->gradient, 1 };
    thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, wanted->adds ? add_range : scale_range, &s);
    return THAW_OK;
}

/* The base element by element, the factors as a whole. */
static void reach_low_rank(const thaw_expression *e, size_t k, const unsigned char *own, unsigned char *reached)
{
    const size_t count = thaw_operand(e, k)->count;
    for (size_t i = 0; i < count; i++)
        reached[i] |= k == THAW_LOW_RANK_BASE ? own[i] : 1;
}

static void describe_low_rank(const thaw_expression *e, thaw_text *text)
{
    thaw_expression_append(e->operands[THAW_LOW_RANK_BASE], false, text);
    thaw_text_append(text, " + %g * ", e->factor);
    thaw_expression_append(e->operands[THAW_LOW_RANK_UP], true, text);
    thaw_text_append(text, " @ ");
    thaw_expression_append(e->operands[THAW_LOW_RANK_DOWN], true, text);
}

static const thaw_operation low_rank = { .describe = describe_low_rank,
                                         .prepare = prepare_low_rank,
                                         .release = release,
                                         .scratch_bytes = low_rank_scratch_bytes,
                                         .evaluate = evaluate_low_rank,
                                         .differentiate = differentiate_low_rank,
                                         .reach = reach_low_rank };

bool thaw_expression_is_low_rank(const thaw_expression *expression)
{
    return expression->operation == &low_rank;
}

static thaw_status check_low_rank(const thaw_expression *base, const thaw_expression *up, const thaw_expression *down,
                                  double scale)
{
    thaw_context *context = thaw_expression_context(base);
    const thaw_shape *w = &base->shape, *b = &up->shape, *a = &down->shape;
    char one[80], two[80], three[80];
    const int64_t outputs = w->rank > 0 ? w->dims[0] : 1, inputs = (int64_t)base->count / outputs;
    if (w->rank < 2 || b->rank != 2 || a->rank != 2 || b->dims[0] != outputs || a->dims[1] != inputs ||
        b->dims[1] != a->dims[0])
        return thaw_fail(context, THAW_SHAPE_MISMATCH,
                         "a low-rank change of %s by %s and %s: wanted [%lld, rank] and [rank, %lld]",
                         thaw_shape_format(w, one, sizeof one), thaw_shape_format(b, two, sizeof two),
                         thaw_shape_format(a, three, sizeof three), (long long)outputs, (long long)inputs);
    if (!isfinite(scale))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "a scale of %g: it is finite", scale);
    return thaw_low_rank_check(context, w, a->dims[0]);
}

thaw_status thaw_low_rank_check(thaw_context *context, const thaw_shape *shape, int64_t rank)
{
    const int64_t outputs = shape->dims[0], inputs = (int64_t)thaw_shape_count(shape) / outputs;
    const int64_t most = outputs < inputs ? outputs : inputs;
    char text[80];
    if (rank < 1 || rank > most)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "rank %lld for a weight of shape %s: it is from 1 to %lld",
                         (long long)rank, thaw_shape_format(shape, text, sizeof text), (long long)most);
    return THAW_OK;
}

thaw_status thaw_expression_low_rank(thaw_expression *base, thaw_expression *up, thaw_expression *down, double scale,
                                     thaw_expression **result)
{
    thaw_expression *const operands[] = {
        [THAW_LOW_RANK_BASE] = base, [THAW_LOW_RANK_UP] = up, [THAW_LOW_RANK_DOWN] = down
    };
    *result = NULL;
    thaw_status status = thaw_operands_check(operands, THAW_COUNT(operands));
    if (status == THAW_OK)
        status = check_low_rank(base, up, down, scale);
    if (status == THAW_OK)
        status = thaw_expression_create(base->set, &low_rank, operands, THAW_COUNT(operands), &base->shape, result);
    if (status == THAW_OK) {
        (*result)->factor = scale;
        (*result)->flops = 2 * (double)down->shape.dims[0] * (double)base->count;
    }
    return status;
}
