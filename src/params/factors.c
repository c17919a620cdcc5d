/* Gradients that are added to present values pass through scratch. */
#include "params/factors.h"

#include <string.h>

#include "kernels/scaled_sum.h"
#include "params/matrices.h"

void thaw_factors_release(thaw_expression *e)
{
    thaw_matrices_release(thaw_expression_context(e), e->state);
}

static thaw_status make_kernels(const thaw_expression *e, size_t first, thaw_matrices **made)
{
    const thaw_expression *left = thaw_operand(e, first), *right = thaw_operand(e, first + 1);
    const int64_t m = left->shape.dims[0], k = right->shape.dims[0];
    return thaw_matrices_create(thaw_expression_context(e), m, k, (int64_t)right->count / k, made);
}

thaw_status thaw_factors_prepare(thaw_expression *e, size_t first)
{
    if (e->state)
        return THAW_OK;
    thaw_matrices *made;
    const thaw_status status = make_kernels(e, first, &made);
    e->state = made;
    return status;
}

/* Of a gradient that is to be added to another. */
static size_t term_bytes(const thaw_expression *e, size_t first)
{
    const size_t left = thaw_operand(e, first)->count, right = thaw_operand(e, first + 1)->count;
    return thaw_align((left > right ? left : right) * sizeof(float));
}

/* Kernels that were made to be asked are the same as those that run later. */
thaw_status thaw_factors_measure_scratch(const thaw_expression *e, size_t first, size_t *bytes)
{
    thaw_matrices *asked = e->state;
    const thaw_status status = asked ? THAW_OK : make_kernels(e, first, &asked);
    *bytes = status == THAW_OK ? term_bytes(e, first) + thaw_matrices_scratch_bytes(asked) : 0;
    if (asked != e->state)
        thaw_matrices_release(thaw_expression_context(e), asked);
    return status;
}

thaw_status thaw_factors_multiply(const thaw_expression *e, size_t first, void *scratch)
{
    return thaw_matrices_multiply(e->state, thaw_operand(e, first)->value, thaw_operand(e, first + 1)->value, e->value,
                                  scratch);
}

thaw_status thaw_factors_differentiate(const thaw_expression *e, size_t first, size_t k, float constant,
                                       const thaw_differentiation *wanted)
{
    const thaw_expression *left = thaw_operand(e, first), *right = thaw_operand(e, first + 1);
    const size_t count = thaw_operand(e, k)->count;
    float *term = wanted->adds ? wanted->scratch : wanted->into;
    void *rest = (char *)wanted->scratch + term_bytes(e, first);
    const thaw_status status = k == first ? thaw_matrices_left(e->state, wanted->gradient, right->value, term, rest)
                                          : thaw_matrices_right(e->state, left->value, wanted->gradient, term, rest);
    if (status == THAW_OK && (wanted->adds || constant != 1))
        thaw_scaled_sum(thaw_expression_context(e), wanted->into, wanted->adds ? wanted->into : NULL, constant, term,
                        count);
    return status;
}

/* ---- dependence of elements: products of byte matrices ---- */

static void mark(unsigned char *restrict row, const unsigned char *restrict from, size_t width)
{
    for (size_t i = 0; i < width; i++)
        row[i] |= from[i];
}

static bool is_full(const unsigned char *row, size_t width)
{
    return memchr(row, 0, width) == NULL;
}

static bool share_support(const unsigned char *restrict row, const unsigned char *restrict other, size_t width)
{
    for (size_t i = 0; i < width; i++)
        if (row[i] & other[i])
            return true;
    return false;
}

void thaw_factors_find_support(const thaw_expression *e, size_t first, const unsigned char *const *operands,
                               unsigned char *support)
{
    const thaw_expression *left = thaw_operand(e, first), *right = thaw_operand(e, first + 1);
    const size_t rows = (size_t)left->shape.dims[0], inner = left->count / rows, width = right->count / inner;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < inner && !is_full(support + row * width, width); i++)
            if (operands[first][row * inner + i])
                mark(support + row * width, operands[first + 1] + i * width, width);
}

/* `right` has the support of the right factor. */
static void reach_left(const thaw_expression *e, size_t first, const unsigned char *right, const unsigned char *own,
                       unsigned char *reached)
{
    const thaw_expression *left = thaw_operand(e, first);
    const size_t rows = (size_t)left->shape.dims[0], inner = left->count / rows;
    const size_t width = thaw_operand(e, first + 1)->count / inner;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < inner; i++)
            if (share_support(right + i * width, own + row * width, width))
                reached[row * inner + i] = 1;
}

/* `left` has the support of the left factor. */
static void reach_right(const thaw_expression *e, size_t first, const unsigned char *left, const unsigned char *own,
                        unsigned char *reached)
{
    const thaw_expression *right = thaw_operand(e, first + 1);
    const size_t inner = (size_t)right->shape.dims[0], width = right->count / inner;
    const size_t rows = thaw_operand(e, first)->count / inner;
    for (size_t i = 0; i < inner; i++)
        for (size_t row = 0; row < rows && !is_full(reached + i * width, width); row++)
            if (left[row * inner + i])
                mark(reached + i * width, own + row * width, width);
}

void thaw_factors_reach(const thaw_expression *e, size_t first, size_t k, const unsigned char *const *operands,
                        const unsigned char *own, unsigned char *reached)
{
    if (k == first)
        reach_left(e, first, operands[first + 1], own, reached);
    else
        reach_right(e, first, operands[first], own, reached);
}
