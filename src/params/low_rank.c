/* Low-rank change of an expression: base + scale * up down. */
#include "params/low_rank.h"

#include <math.h>
#include <string.h>

#include "kernels/scaled_sum.h"
#include "params/factors.h"

static thaw_status prepare(thaw_expression *e)
{
    return thaw_factors_prepare(e, THAW_LOW_RANK_UP);
}

static thaw_status measure_scratch(const thaw_expression *e, size_t *bytes)
{
    return thaw_factors_measure_scratch(e, THAW_LOW_RANK_UP, bytes);
}

static thaw_status evaluate(const thaw_expression *e, void *scratch)
{
    const thaw_status status = thaw_factors_multiply(e, THAW_LOW_RANK_UP, scratch);
    if (status == THAW_OK)
        thaw_scaled_sum(thaw_expression_context(e), e->value, thaw_operand(e, THAW_LOW_RANK_BASE)->value,
                        (float)e->factor, e->value, e->count);
    return status;
}

static thaw_status differentiate(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    if (k != THAW_LOW_RANK_BASE)
        return thaw_factors_differentiate(e, THAW_LOW_RANK_UP, k, (float)e->factor, wanted);
    thaw_scaled_sum(thaw_expression_context(e), wanted->into, wanted->adds ? wanted->into : NULL, 1, wanted->gradient,
                    e->count);
    return THAW_OK;
}

static bool leaves_out(const thaw_expression *e)
{
    return (float)e->factor == 0;
}

static void find_support(const thaw_expression *e, const unsigned char *const *operands, unsigned char *support)
{
    memcpy(support, operands[THAW_LOW_RANK_BASE], e->count);
    if (!leaves_out(e))
        thaw_factors_find_support(e, THAW_LOW_RANK_UP, operands, support);
}

static void reach(const thaw_expression *e, size_t k, const unsigned char *const *operands, const unsigned char *own,
                  unsigned char *reached)
{
    if (k != THAW_LOW_RANK_BASE && !leaves_out(e))
        thaw_factors_reach(e, THAW_LOW_RANK_UP, k, operands, own, reached);
    for (size_t i = 0; i < e->count && k == THAW_LOW_RANK_BASE; i++)
        reached[i] |= own[i];
}

static void describe(const thaw_expression *e, thaw_text *text)
{
    thaw_expression_append(e->operands[THAW_LOW_RANK_BASE], false, text);
    thaw_text_append(text, " + %g * ", e->factor);
    thaw_expression_append(e->operands[THAW_LOW_RANK_UP], true, text);
    thaw_text_append(text, " @ ");
    thaw_expression_append(e->operands[THAW_LOW_RANK_DOWN], true, text);
}

static const thaw_operation operation = { .describe = describe,
                                          .prepare = prepare,
                                          .release = thaw_factors_release,
                                          .measure_scratch = measure_scratch,
                                          .evaluate = evaluate,
                                          .differentiate = differentiate,
                                          .leaves_out = leaves_out,
                                          .find_support = find_support,
                                          .reach = reach };

bool thaw_expression_is_low_rank(const thaw_expression *expression)
{
    return expression->operation == &operation;
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
                         "a low-rank change of %s has factors %s and %s, must have [%lld, rank] and [rank, %lld]",
                         thaw_shape_format(w, one, sizeof one), thaw_shape_format(b, two, sizeof two),
                         thaw_shape_format(a, three, sizeof three), (long long)outputs, (long long)inputs);
    if (!isfinite(scale))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "scale is %g, must be finite", scale);
    return thaw_expression_check_rank(context, w, a->dims[0]);
}

thaw_status thaw_expression_check_rank(thaw_context *context, const thaw_shape *shape, int64_t rank)
{
    const int64_t outputs = shape->dims[0], inputs = (int64_t)thaw_shape_count(shape) / outputs;
    const int64_t most = outputs < inputs ? outputs : inputs;
    char text[80];
    if (rank < 1 || rank > most)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "rank is %lld for a weight of shape %s, must be from 1 to %lld", (long long)rank,
                         thaw_shape_format(shape, text, sizeof text), (long long)most);
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
        status = thaw_expression_create(base->set, &operation, operands, THAW_COUNT(operands), &base->shape, result);
    if (status == THAW_OK) {
        (*result)->factor = scale;
        (*result)->flops = 2 * (double)down->shape.dims[0] * (double)base->count;
    }
    return status;
}
