/* A range of indices along an axis, and parts joined along one: both move blocks, all that stands behind the axis. */
#include <string.h>

#include "core/shape.h"
#include "params/expression.h"

enum { GRAIN_FLOATS = 4096 };

/* Blocks of `count` floats, `from_step` and `to_step` floats apart. */
typedef struct move {
    const float *from;
    float *into;
    size_t count, from_step, to_step;
    bool adds;
} move;

static void move_range(void *argument, size_t begin, size_t end)
{
    const move *m = argument;
    for (size_t block = begin; block < end; block++) {
        const float *restrict from = m->from + block * m->from_step;
        float *restrict into = m->into + block * m->to_step;
        if (m->adds)
            for (size_t i = 0; i < m->count; i++)
                into[i] += from[i];
        else
            memcpy(into, from, m->count * sizeof *into);
    }
}

static void move_blocks(thaw_context *context, size_t blocks, move m)
{
    thaw_parallel_for(context, blocks, m.count < GRAIN_FLOATS ? GRAIN_FLOATS / m.count : 1, move_range, &m);
}

/* Elements of all dimensions from `first` on, and before `past`. */
static size_t count_between(const thaw_shape *shape, int first, int past)
{
    size_t count = 1;
    for (int i = first; i < past; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

static size_t count_before(const thaw_shape *shape, int axis)
{
    return count_between(shape, 0, axis);
}

/* Elements from one index of the dimension before `axis` to the next. */
static size_t count_from(const thaw_shape *shape, int axis)
{
    return count_between(shape, axis, shape->rank);
}

/* ---- slice ---- */

static size_t slice_offset(const thaw_expression *e)
{
    return (size_t)e->begin * count_from(&e->shape, e->axis + 1);
}

/* Where nothing stands before the axis, the slice is in one piece. */
static bool aliases(const thaw_expression *e, size_t *offset)
{
    *offset = slice_offset(e);
    return count_before(&e->shape, e->axis) == 1;
}

static thaw_status evaluate_slice(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    const thaw_expression *whole = thaw_operand(e, 0);
    const size_t count = count_from(&e->shape, e->axis);
    move_blocks(thaw_expression_context(e), count_before(&e->shape, e->axis),
                (move){ whole->value + slice_offset(e), e->value, count, count_from(&whole->shape, e->axis), count,
                        false });
    return THAW_OK;
}

static thaw_status differentiate_slice(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    (void)k;
    const thaw_expression *whole = thaw_operand(e, 0);
    const size_t count = count_from(&e->shape, e->axis);
    if (!wanted->adds)
        memset(wanted->into, 0, whole->count * sizeof(float));
    move_blocks(thaw_expression_context(e), count_before(&e->shape, e->axis),
                (move){ wanted->gradient, wanted->into + slice_offset(e), count, count,
                        count_from(&whole->shape, e->axis), wanted->adds });
    return THAW_OK;
}

static void reach_slice(const thaw_expression *e, size_t k, const unsigned char *own, unsigned char *reached)
{
    (void)k;
    const size_t count = count_from(&e->shape, e->axis), step = count_from(&thaw_operand(e, 0)->shape, e->axis);
    for (size_t i = 0; i < e->count; i++)
        reached[slice_offset(e) + i / count * step + i % count] |= own[i];
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
                                      .narrows = true,
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
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "axis %d of shape %s: it has axes 0 to %d", axis,
                         thaw_shape_format(shape, text, sizeof text), shape->rank - 1);
    if (begin < 0 || end <= begin || end > shape->dims[axis])
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "indices %lld to %lld along axis %d of shape %s: a slice is not empty and ends at %lld",
                         (long long)begin, (long long)end, axis, thaw_shape_format(shape, text, sizeof text),
                         (long long)shape->dims[axis]);
    return THAW_OK;
}

/* ---- concatenation ---- */

/* Elements before an operand in each block of the result. */
static size_t part_offset(const thaw_expression *e, size_t part)
{
    size_t offset = 0;
    for (size_t k = 0; k < part; k++)
        offset += count_from(&thaw_operand(e, k)->shape, e->axis);
    return offset;
}

static thaw_status evaluate_parts(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    for (size_t k = 0; k < e->operand_count; k++) {
        const thaw_expression *part = thaw_operand(e, k);
        const size_t count = count_from(&part->shape, e->axis);
        move_blocks(thaw_expression_context(e), count_before(&e->shape, e->axis),
                    (move){ part->value, e->value + part_offset(e, k), count, count, count_from(&e->shape, e->axis),
                            false });
    }
    return THAW_OK;
}

static thaw_status differentiate_parts(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    const size_t count = count_from(&thaw_operand(e, k)->shape, e->axis);
    move_blocks(thaw_expression_context(e), count_before(&e->shape, e->axis),
                (move){ wanted->gradient + part_offset(e, k), wanted->into, count, count_from(&e->shape, e->axis),
                        count, wanted->adds });
    return THAW_OK;
}

static void reach_parts(const thaw_expression *e, size_t k, const unsigned char *own, unsigned char *reached)
{
    const thaw_expression *part = thaw_operand(e, k);
    const size_t count = count_from(&part->shape, e->axis), step = count_from(&e->shape, e->axis);
    for (size_t i = 0; i < part->count; i++)
        reached[i] |= own[part_offset(e, k) + i / count * step + i % count];
}

static void describe_parts(const thaw_expression *e, thaw_text *text)
{
    thaw_text_append(text, "concatenate(");
    for (size_t k = 0; k < e->operand_count; k++) {
        thaw_expression_append(e->operands[k], false, text);
        thaw_text_append(text, ", ");
    }
    thaw_text_append(text, "axis %d)", e->axis);
}

static const thaw_operation concatenation = {
    .describe = describe_parts, .evaluate = evaluate_parts, .differentiate = differentiate_parts, .reach = reach_parts
};

/* The parts together; they agree in all dimensions but the axis. */
static thaw_status join_shapes(thaw_expression *const *parts, size_t count, int axis, thaw_shape *shape)
{
    thaw_context *context = thaw_expression_context(parts[0]);
    *shape = parts[0]->shape;
    if (axis < 0 || axis >= shape->rank)
        return thaw_slice_check(context, shape, axis, 0, 1);
    for (size_t k = 1; k < count; k++) {
        thaw_shape other = parts[k]->shape;
        const int64_t added = other.rank == shape->rank ? other.dims[axis] : 0;
        other.dims[axis] = shape->dims[axis];
        if (!thaw_shape_equal(&other, shape) || __builtin_add_overflow(shape->dims[axis], added, &shape->dims[axis]) ||
            !thaw_shape_usable(shape, 1)) {
            char one[80], another[80];
            return thaw_fail(context, THAW_SHAPE_MISMATCH, "shapes %s and %s cannot be joined along axis %d",
                             thaw_shape_format(&parts[0]->shape, one, sizeof one),
                             thaw_shape_format(&parts[k]->shape, another, sizeof another), axis);
        }
    }
    return THAW_OK;
}

thaw_status thaw_expression_concatenate(thaw_expression *const *parts, size_t count, int axis, thaw_expression **result)
{
    *result = NULL;
    thaw_shape shape;
    thaw_status status = thaw_operands_check(parts, count);
    if (status == THAW_OK)
        status = join_shapes(parts, count, axis, &shape);
    if (status == THAW_OK)
        status = thaw_expression_create(parts[0]->set, &concatenation, parts, count, &shape, result);
    if (status == THAW_OK)
        (*result)->axis = axis;
    return status;
}
