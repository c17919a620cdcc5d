/* A constant factor. */
#include <math.h>
#include <string.h>

#include "params/expression.h"

enum { GRAIN = 4096 };

typedef struct scaling {
    float factor;
    const float *from;
    float *into;
    bool adds;
} scaling;

static void scale_range(void *argument, size_t begin, size_t end)
{
    const scaling *s = argument;
    if (s->adds)
        for (size_t i = begin; i < end; i++)
            s->into[i] += s->factor * s->from[i];
    else
        for (size_t i = begin; i < end; i++)
            s->into[i] = s->factor * s->from[i];
}

static thaw_status evaluate(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    scaling s = { (float)e->factor, thaw_operand(e, 0)->value, e->value, false };
    thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, scale_range, &s);
    return THAW_OK;
}

static thaw_status differentiate(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    (void)k;
    scaling s = { (float)e->factor, wanted->gradient, wanted->into, wanted->adds };
    thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, scale_range, &s);
    return THAW_OK;
}

static void reach(const thaw_expression *e, size_t k, const unsigned char *own, unsigned char *reached)
{
    (void)k;
    for (size_t i = 0; i < e->count; i++)
        reached[i] |= own[i];
}

static void describe(const thaw_expression *e, thaw_text *text)
{
    thaw_text_append(text, "%g * ", e->factor);
    thaw_expression_append(e->operands[0], true, text);
}

static const thaw_operation operation = {
    .describe = describe, .evaluate = evaluate, .differentiate = differentiate, .reach = reach
};

thaw_status thaw_expression_scale(thaw_expression *operand, double factor, thaw_expression **result)
{
    *result = NULL;
    thaw_status status = thaw_operands_check(&operand, 1);
    if (status != THAW_OK)
        return status;
    if (!isfinite(factor))
        return thaw_fail(thaw_expression_context(operand), THAW_INVALID_ARGUMENT, "a factor of %g: it is finite",
                         factor);
    status = thaw_expression_create(operand->set, &operation, &operand, 1, &operand->shape, result);
    if (status == THAW_OK)
        (*result)->factor = factor;
    return status;
}
