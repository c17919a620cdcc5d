/* The matrix product of two expressions. */
#include "params/factors.h"

static thaw_status prepare(thaw_expression *e)
{
    return thaw_factors_prepare(e, 0);
}

static thaw_status measure_scratch(const thaw_expression *e, size_t *bytes)
{
    return thaw_factors_measure_scratch(e, 0, bytes);
}

static thaw_status evaluate(const thaw_expression *e, void *scratch)
{
    return thaw_factors_multiply(e, 0, scratch);
}

static thaw_status differentiate(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    return thaw_factors_differentiate(e, 0, k, 1, wanted);
}

static void find_support(const thaw_expression *e, const unsigned char *const *operands, unsigned char *support)
{
    thaw_factors_find_support(e, 0, operands, support);
}

static void reach(const thaw_expression *e, size_t k, const unsigned char *const *operands, const unsigned char *own,
                  unsigned char *reached)
{
    thaw_factors_reach(e, 0, k, operands, own, reached);
}

static void describe(const thaw_expression *e, thaw_text *text)
{
    thaw_expression_append(e->operands[0], true, text);
    thaw_text_append(text, " @ ");
    thaw_expression_append(e->operands[1], true, text);
}

static const thaw_operation product = { .describe = describe,
                                        .prepare = prepare,
                                        .release = thaw_factors_release,
                                        .measure_scratch = measure_scratch,
                                        .evaluate = evaluate,
                                        .differentiate = differentiate,
                                        .find_support = find_support,
                                        .reach = reach };

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
                         "matrices of shapes %s and %s cannot be multiplied", thaw_shape_format(a, one, sizeof one),
                         thaw_shape_format(b, other, sizeof other));
    }
    status = thaw_expression_create(left->set, &product, operands, THAW_COUNT(operands), &shape, result);
    if (status == THAW_OK)
        (*result)->flops = 2 * (double)a->dims[1] * (double)(*result)->count;
    return status;
}
