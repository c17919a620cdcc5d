/* An expression under a mask of 0 and 1. */
#include <string.h>

#include "core/allocation.h"
#include "core/broadcast.h"
#include "core/shape.h"
#include "params/expression.h"

enum { GRAIN = 4096 };

typedef struct masking {
    const unsigned char *mask;
    const float *from;
    float *into;
    bool adds;
} masking;

/* Selects instead of multiplying: masked values may be NaN. */
static void mask_range(void *argument, size_t begin, size_t end)
{
    const masking *m = argument;
    if (m->adds)
        for (size_t i = begin; i < end; i++)
            m->into[i] += m->mask[i] ? m->from[i] : 0;
    else
        for (size_t i = begin; i < end; i++)
            m->into[i] = m->mask[i] ? m->from[i] : 0;
}

static thaw_status evaluate(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    masking m = { e->mask, thaw_operand(e, 0)->value, e->value, false };
    thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, mask_range, &m);
    return THAW_OK;
}

static thaw_status differentiate(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    (void)k;
    masking m = { e->mask, wanted->gradient, wanted->into, wanted->adds };
    thaw_parallel_for(thaw_expression_context(e), e->count, GRAIN, mask_range, &m);
    return THAW_OK;
}

static bool leaves_out(const thaw_expression *e)
{
    return memchr(e->mask, 0, e->count) != NULL;
}

static void find_support(const thaw_expression *e, const unsigned char *const *operands, unsigned char *support)
{
    for (size_t i = 0; i < e->count; i++)
        support[i] = operands[0][i] & e->mask[i];
}

static void reach(const thaw_expression *e, size_t k, const unsigned char *const *operands, const unsigned char *own,
                  unsigned char *reached)
{
    (void)k, (void)operands;
    for (size_t i = 0; i < e->count; i++)
        reached[i] |= own[i] & e->mask[i];
}

static void describe(const thaw_expression *e, thaw_text *text)
{
    size_t ones = 0;
    for (size_t i = 0; i < e->count; i++)
        ones += e->mask[i];
    thaw_text_append(text, "mask(");
    thaw_expression_append(e->operands[0], false, text);
    thaw_text_append(text, ", %zu of %zu)", ones, e->count);
}

static const thaw_operation operation = {
    .describe = describe,
    .evaluate = evaluate,
    .differentiate = differentiate,
    .leaves_out = leaves_out,
    .find_support = find_support,
    .reach = reach,
};

/* The element as 0 or 1, or -1 where it is neither. */
static int read_mask(const thaw_tensor *mask, size_t at)
{
    const double value =
        mask->dtype == THAW_F32 ? (double)((const float *)mask->data)[at] : ((const unsigned char *)mask->data)[at];
    return value == 0 ? 0 : value == 1 ? 1 : -1;
}

static thaw_status check_mask(thaw_context *context, const thaw_shape *shape, const thaw_tensor *mask)
{
    if ((mask->dtype != THAW_F32 && mask->dtype != THAW_U8) || !mask->data)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "a mask must hold floats or bytes");
    char wanted[80], found[80];
    thaw_shape together;
    if (mask->shape.rank < 0 || mask->shape.rank > THAW_MAX_RANK ||
        !thaw_shape_broadcast(shape, &mask->shape, &together) || !thaw_shape_equal(&together, shape))
        return thaw_fail(context, THAW_SHAPE_MISMATCH, "a mask of shape %s does not broadcast to %s",
                         mask->shape.rank > THAW_MAX_RANK ? "a rank above 6"
                                                          : thaw_shape_format(&mask->shape, found, sizeof found),
                         thaw_shape_format(shape, wanted, sizeof wanted));
    const size_t count = thaw_shape_count(&mask->shape);
    for (size_t i = 0; i < count; i++)
        if (read_mask(mask, i) < 0)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "element %zu of a mask must be 0 or 1", i);
    return THAW_OK;
}

/* The mask, broadcast to the expression's shape. */
static void fill_mask(thaw_expression *e, const thaw_tensor *mask)
{
    const thaw_broadcast loops = thaw_broadcast_of(1, &e->shape, &mask->shape, &e->shape);
    const size_t step = loops.right[loops.rank - 1];
    for (size_t at = 0; at < e->count;) {
        const thaw_broadcast_span span = thaw_broadcast_next(&loops, at, e->count);
        for (size_t i = 0; i < span.count; i++)
            e->mask[at + i] = (unsigned char)read_mask(mask, span.right + i * step);
        at += span.count;
    }
}

thaw_status thaw_expression_mask(thaw_expression *operand, const thaw_tensor *mask, thaw_expression **result)
{
    *result = NULL;
    thaw_status status = thaw_operands_check(&operand, 1);
    if (status == THAW_OK)
        status = check_mask(thaw_expression_context(operand), &operand->shape, mask);
    if (status != THAW_OK)
        return status;
    unsigned char *own = thaw_allocate_raw(thaw_expression_context(operand), operand->count);
    if (!own)
        return THAW_OUT_OF_MEMORY;
    status = thaw_expression_create(operand->set, &operation, &operand, 1, &operand->shape, result);
    if (status != THAW_OK) {
        thaw_release(thaw_expression_context(operand), own);
        return status;
    }
    (*result)->mask = own;
    fill_mask(*result, mask);
    return THAW_OK;
}
