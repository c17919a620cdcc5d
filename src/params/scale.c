/* A constant factor. */
#include <math.h>
#include <string.h>

#include "kernels/scaled_sum.h"
#include "params/expression.h"

static thaw_status evaluate(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    thaw_scaled_sum(thaw_expression_context(e), e->value, NULL, (float)e->factor, thaw_operand(e, 0)->value, e->count);
    return THAW_OK;
}

static thaw_status differentiate(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    (void)k;
    thaw_scaled_sum(thaw_expression_context(e), wanted->into, wanted->adds ? wanted->into : NULL, (float)e->factor,
                    wanted->gradient, e->count);
    return THAW_OK;
}

static bool leaves_out(const thaw_expression *e)
{
    return (float)e->factor == 0;
}

static void find_support(const thaw_expression *e, const unsigned char *const *operands, unsigned char *support)
{
    memcpy(support, operands[0], leaves_out(e) ? 0 : e->count);
}

static void reach(const thaw_expression *e, size_t k, const unsigned char *const *operands, const unsigned char *own,
                  unsigned char *reached)
{
    (void)k, (void)operands;
    for (size_t i = 0; i < e->count && !leaves_out(e); i++)
        reached[i] |= own[i];
}

static void describe(const thaw_expression *e, thaw_text *text)
{
    thaw_text_append(text, "%g * ", e->factor);
    thaw_expression_append(e->operands[0], true, text);
}

static const thaw_operation operation = {
    .describe = describe,
    .evaluate = evaluate,
    .differentiate = differentiate,
    .leaves_out = leaves_out,
    .find_support = find_support,
    .reach = reach,
};

thaw_status thaw_expression_scale(thaw_expression *operand, double factor, thaw_expression **result)
{
    *result = NULL;
    thaw_status status = thaw_operands_check(&operand, 1);
    if (status != THAW_OK)
        return status;
    if (!isfinite(factor))
        return thaw_fail(thaw_expression_context(operand), THAW_INVALID_ARGUMENT, "factor is %g, must be finite",
                         factor);
    status = thaw_expression_create(operand->set, &operation, &operand, 1, &operand->shape, result);
    if (status == THAW_OK)
        (*result)->factor = factor;
    return status;
}
