/* Expressions concatenated along an axis. */
#include "params/blocks.h"
#include "params/expression.h"

/* The elements that precede an operand in each block of the result. */
static size_t operand_offset(const thaw_expression *e, size_t operand)
{
    size_t offset = 0;
    for (size_t k = 0; k < operand; k++)
        offset += thaw_count_from(&thaw_operand(e, k)->shape, e->axis);
    return offset;
}

static thaw_status evaluate_operands(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    for (size_t k = 0; k < e->operand_count; k++) {
        const thaw_expression *operand = thaw_operand(e, k);
        const size_t count = thaw_count_from(&operand->shape, e->axis);
        thaw_blocks_move(thaw_expression_context(e), thaw_count_before(&e->shape, e->axis),
                         (thaw_blocks){ operand->value, e->value + operand_offset(e, k), count, count,
                                        thaw_count_from(&e->shape, e->axis), false });
    }
    return THAW_OK;
}

static thaw_status differentiate_operands(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    const size_t count = thaw_count_from(&thaw_operand(e, k)->shape, e->axis);
    thaw_blocks_move(thaw_expression_context(e), thaw_count_before(&e->shape, e->axis),
                     (thaw_blocks){ wanted->gradient + operand_offset(e, k), wanted->into, count,
                                    thaw_count_from(&e->shape, e->axis), count, wanted->adds });
    return THAW_OK;
}

static void find_support_of_operands(const thaw_expression *e, const unsigned char *const *operands,
                                     unsigned char *support)
{
    for (size_t k = 0; k < e->operand_count; k++) {
        const thaw_expression *operand = thaw_operand(e, k);
        const size_t count = thaw_count_from(&operand->shape, e->axis), step = thaw_count_from(&e->shape, e->axis);
        const size_t offset = operand_offset(e, k);
        for (size_t i = 0; i < operand->count; i++)
            support[offset + i / count * step + i % count] = operands[k][i];
    }
}

static void reach_operands(const thaw_expression *e, size_t k, const unsigned char *const *operands,
                           const unsigned char *own, unsigned char *reached)
{
    const thaw_expression *operand = thaw_operand(e, k);
    (void)operands;
    const size_t count = thaw_count_from(&operand->shape, e->axis), step = thaw_count_from(&e->shape, e->axis);
    const size_t offset = operand_offset(e, k);
    for (size_t i = 0; i < operand->count; i++)
        reached[i] |= own[offset + i / count * step + i % count];
}

static void describe_operands(const thaw_expression *e, thaw_text *text)
{
    thaw_text_append(text, "concatenate(");
    for (size_t k = 0; k < e->operand_count; k++) {
        thaw_expression_append(e->operands[k], false, text);
        thaw_text_append(text, ", ");
    }
    thaw_text_append(text, "axis %d)", e->axis);
}

static const thaw_operation concatenation = {
    .describe = describe_operands,
    .evaluate = evaluate_operands,
    .differentiate = differentiate_operands,
    .find_support = find_support_of_operands,
    .reach = reach_operands,
};

/* The shape of the result; the operands agree in all dimensions except the axis. */
static thaw_status join_shapes(thaw_expression *const *operands, size_t count, int axis, thaw_shape *shape)
{
    thaw_context *context = thaw_expression_context(operands[0]);
    *shape = operands[0]->shape;
    if (axis < 0 || axis >= shape->rank)
        return thaw_slice_check(context, shape, axis, 0, 1);
    for (size_t k = 1; k < count; k++) {
        thaw_shape other = operands[k]->shape;
        const int64_t added = other.rank == shape->rank ? other.dims[axis] : 0;
        other.dims[axis] = shape->dims[axis];
        if (!thaw_shape_equal(&other, shape) || __builtin_add_overflow(shape->dims[axis], added, &shape->dims[axis]) ||
            !thaw_shape_usable(shape, 1)) {
            char one[80], another[80];
            return thaw_fail(context, THAW_SHAPE_MISMATCH, "shapes %s and %s cannot be concatenated along axis %d",
                             thaw_shape_format(&operands[0]->shape, one, sizeof one),
                             thaw_shape_format(&operands[k]->shape, another, sizeof another), axis);
        }
    }
    return THAW_OK;
}

thaw_status thaw_expression_concatenate(thaw_expression *const *operands, size_t count, int axis,
                                        thaw_expression **result)
{
    *result = NULL;
    thaw_shape shape;
    thaw_status status = thaw_operands_check(operands, count);
    if (status == THAW_OK)
        status = join_shapes(operands, count, axis, &shape);
    if (status == THAW_OK)
        status = thaw_expression_create(operands[0]->set, &concatenation, operands, count, &shape, result);
    if (status == THAW_OK)
        (*result)->axis = axis;
    return status;
}
