/* A range of indices along an axis. */
#include <string.h>

#include "params/blocks.h"
#include "params/expression.h"

static size_t slice_offset(const thaw_expression *e)
{
    return (size_t)e->begin * thaw_count_from(&e->shape, e->axis + 1);
}

/* If the axis is the first dimension larger than 1, the slice is contiguous. */
static bool aliases(const thaw_expression *e, size_t *offset)
{
    *offset = slice_offset(e);
    return thaw_count_before(&e->shape, e->axis) == 1;
}

static thaw_status evaluate_slice(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    const thaw_expression *whole = thaw_operand(e, 0);
    const size_t count = thaw_count_from(&e->shape, e->axis);
    thaw_blocks_move(thaw_expression_context(e), thaw_count_before(&e->shape, e->axis),
                     (thaw_blocks){ whole->value + slice_offset(e), e->value, count,
                                    thaw_count_from(&whole->shape, e->axis), count, false });
    return THAW_OK;
}

static thaw_status differentiate_slice(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    (void)k;
    const thaw_expression *whole = thaw_operand(e, 0);
    const size_t count = thaw_count_from(&e->shape, e->axis);
    if (!wanted->adds)
        memset(wanted->into, 0, whole->count * sizeof(float));
    thaw_blocks_move(thaw_expression_context(e), thaw_count_before(&e->shape, e->axis),
                     (thaw_blocks){ wanted->gradient, wanted->into + slice_offset(e), count, count,
                                    thaw_count_from(&whole->shape, e->axis), wanted->adds });
    return THAW_OK;
}

static bool slice_leaves_out(const thaw_expression *e)
{
    return e->count < thaw_operand(e, 0)->count;
}

static void find_support_of_slice(const thaw_expression *e, const unsigned char *const *operands,
                                  unsigned char *support)
{
    const thaw_expression *whole = thaw_operand(e, 0);
    const size_t count = thaw_count_from(&e->shape, e->axis), step = thaw_count_from(&whole->shape, e->axis);
    const size_t offset = slice_offset(e);
    for (size_t i = 0; i < e->count; i++)
        support[i] = operands[0][offset + i / count * step + i % count];
}

static void reach_slice(const thaw_expression *e, size_t k, const unsigned char *const *operands,
                        const unsigned char *own, unsigned char *reached)
{
    (void)k, (void)operands;
    const thaw_expression *whole = thaw_operand(e, 0);
    const size_t count = thaw_count_from(&e->shape, e->axis), step = thaw_count_from(&whole->shape, e->axis);
    const size_t offset = slice_offset(e);
    for (size_t i = 0; i < e->count; i++)
        reached[offset + i / count * step + i % count] |= own[i];
}

static void describe_slice(const thaw_expression *e, thaw_text *text)
{
    thaw_expression_append(e->operands[0], true, text);
    thaw_text_append(text, "[");
    for (int i = 0; i < e->axis; i++)
        thaw_text_append(text, ":, ");
    thaw_text_append(text, "%lld:%lld]", (long long)e->begin, (long long)(e->begin + e->shape.dims[e->axis]));
}

static const thaw_operation slice = { .describe = describe_slice,
                                      .aliases = aliases,
                                      .evaluate = evaluate_slice,
                                      .differentiate = differentiate_slice,
                                      .leaves_out = slice_leaves_out,
                                      .find_support = find_support_of_slice,
                                      .reach = reach_slice };

thaw_status thaw_expression_slice(thaw_expression *operand, int axis, int64_t begin, int64_t end,
                                  thaw_expression **result)
{
    *result = NULL;
    thaw_status status = thaw_operands_check(&operand, 1);
    if (status != THAW_OK)
        return status;
    status = thaw_slice_check(thaw_expression_context(operand), &operand->shape, axis, begin, end);
    if (status != THAW_OK)
        return status;
    thaw_shape shape = operand->shape;
    shape.dims[axis] = end - begin;
    status = thaw_expression_create(operand->set, &slice, &operand, 1, &shape, result);
    if (status == THAW_OK) {
        (*result)->axis = axis;
        (*result)->begin = begin;
    }
    return status;
}

thaw_status thaw_slice_check(thaw_context *context, const thaw_shape *shape, int axis, int64_t begin, int64_t end)
{
    char text[80];
    if (axis < 0 || axis >= shape->rank)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "axis is %d for shape %s, must be from 0 to %d", axis,
                         thaw_shape_format(shape, text, sizeof text), shape->rank - 1);
    if (begin < 0 || end <= begin || end > shape->dims[axis])
        return thaw_fail(
            context, THAW_INVALID_ARGUMENT,
            "indices %lld to %lld along axis %d of shape %s: a slice must not be empty, nor end after %lld",
            (long long)begin, (long long)end, axis, thaw_shape_format(shape, text, sizeof text),
            (long long)shape->dims[axis]);
    return THAW_OK;
}
