/* Element-wise sums, differences and products. */
#include "core/shape.h"
#include "kernels/pairwise.h"
#include "params/expression.h"

static thaw_status evaluate(const thaw_expression *e, thaw_binary_kind kind)
{
    const thaw_expression *left = thaw_operand(e, 0), *right = thaw_operand(e, 1);
    thaw_pairs_compute(thaw_expression_context(e),
                       &(thaw_pairs){ .loops = thaw_broadcast_of(1, &left->shape, &right->shape, &e->shape),
                                      .count = e->count,
                                      .kind = kind,
                                      .left = left->value,
                                      .right = right->value,
                                      .result = e->value });
    return THAW_OK;
}

/* The gradient of an operand: the expression's gradient times `factor` (NULL: 1) and `sign`, summed over repeated
   elements. */
static thaw_status reduce(const thaw_expression *e, const thaw_expression *operand, const thaw_expression *factor,
                          float sign, const thaw_differentiation *wanted)
{
    const thaw_shape one = { 0 };
    thaw_pair_gradient_compute(thaw_expression_context(e),
                               &(thaw_pair_gradient){
                                   .loops =
                                       thaw_broadcast_of(1, &operand->shape, factor ? &factor->shape : &one, &e->shape),
                                   .count = operand->count,
                                   .repeats = e->count / operand->count,
                                   .gradient = wanted->gradient,
                                   .factor = factor ? factor->value : NULL,
                                   .sign = sign,
                                   .into = wanted->into,
                                   .adds = wanted->adds,
                               });
    return THAW_OK;
}

/* ---- sum and difference ---- */

static thaw_status evaluate_sum(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    return evaluate(e, THAW_BINARY_SUM);
}

static thaw_status evaluate_difference(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    return evaluate(e, THAW_BINARY_DIFFERENCE);
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
    return evaluate(e, THAW_BINARY_PRODUCT);
}

static thaw_status differentiate_product(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    const thaw_expression *operand = thaw_operand(e, k), *factor = thaw_operand(e, 1 - k);
    if (operand->count < e->count)
        return reduce(e, operand, factor, 1, wanted);
    thaw_pairs_compute(thaw_expression_context(e),
                       &(thaw_pairs){ .loops = thaw_broadcast_of(1, &e->shape, &factor->shape, &e->shape),
                                      .count = e->count,
                                      .kind = THAW_BINARY_PRODUCT,
                                      .left = wanted->gradient,
                                      .right = factor->value,
                                      .result = wanted->into,
                                      .adds = wanted->adds });
    return THAW_OK;
}

/* ---- dependence of elements ---- */

static void find_support(const thaw_expression *e, bool multiplies, const unsigned char *const *operands,
                         unsigned char *support)
{
    const thaw_expression *left = thaw_operand(e, 0), *right = thaw_operand(e, 1);
    const thaw_broadcast loops = thaw_broadcast_of(1, &left->shape, &right->shape, &e->shape);
    const size_t left_step = loops.left[loops.rank - 1], right_step = loops.right[loops.rank - 1];
    for (size_t at = 0; at < e->count;) {
        const thaw_broadcast_span span = thaw_broadcast_next(&loops, at, e->count);
        for (size_t i = 0; i < span.count; i++) {
            const unsigned char l = operands[0][span.left + i * left_step];
            const unsigned char r = operands[1][span.right + i * right_step];
            support[at + i] = multiplies ? l & r : l | r;
        }
        at += span.count;
    }
}

static void find_support_of_sum(const thaw_expression *e, const unsigned char *const *operands, unsigned char *support)
{
    find_support(e, false, operands, support);
}

static void find_support_of_product(const thaw_expression *e, const unsigned char *const *operands,
                                    unsigned char *support)
{
    find_support(e, true, operands, support);
}

static void reach(const thaw_expression *e, size_t k, bool multiplies, const unsigned char *const *operands,
                  const unsigned char *own, unsigned char *reached)
{
    const thaw_expression *operand = thaw_operand(e, k), *other = thaw_operand(e, 1 - k);
    const thaw_broadcast loops = thaw_broadcast_of(1, &operand->shape, &other->shape, &e->shape);
    const size_t step = loops.left[loops.rank - 1], other_step = loops.right[loops.rank - 1];
    for (size_t at = 0; at < e->count;) {
        const thaw_broadcast_span span = thaw_broadcast_next(&loops, at, e->count);
        for (size_t i = 0; i < span.count; i++)
            if (own[at + i] && (!multiplies || operands[1 - k][span.right + i * other_step]))
                reached[span.left + i * step] = 1;
        at += span.count;
    }
}

static void reach_of_sum(const thaw_expression *e, size_t k, const unsigned char *const *operands,
                         const unsigned char *own, unsigned char *reached)
{
    reach(e, k, false, operands, own, reached);
}

static void reach_of_product(const thaw_expression *e, size_t k, const unsigned char *const *operands,
                             const unsigned char *own, unsigned char *reached)
{
    reach(e, k, true, operands, own, reached);
}

/* ---- formulas ---- */

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

static const thaw_operation sum = { .describe = describe_sum,
                                    .evaluate = evaluate_sum,
                                    .differentiate = differentiate_sum,
                                    .find_support = find_support_of_sum,
                                    .reach = reach_of_sum };

static const thaw_operation difference = { .describe = describe_difference,
                                           .evaluate = evaluate_difference,
                                           .differentiate = differentiate_difference,
                                           .find_support = find_support_of_sum,
                                           .reach = reach_of_sum };

static const thaw_operation product = { .describe = describe_product,
                                        .evaluate = evaluate_product,
                                        .differentiate = differentiate_product,
                                        .find_support = find_support_of_product,
                                        .reach = reach_of_product };

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
                         "shapes %s and %s do not broadcast to one shape",
                         thaw_shape_format(&left->shape, one, sizeof one),
                         thaw_shape_format(&right->shape, other, sizeof other));
    }
    if (!thaw_shape_usable(&shape, 1))
        return thaw_fail(thaw_expression_context(left), THAW_SHAPE_MISMATCH, "the broadcast shape is too large");
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
