/* Weight normalisation: g v / |v| for each index of the first dimension. Salimans & Kingma 2016, arXiv 1602.07868. */
#include <math.h>

#include "params/expression.h"

enum { MAGNITUDE, DIRECTION, GRAIN_FLOATS = 4096 };

typedef struct normalisation {
    const float *magnitude, *direction, *gradient;
    float *into;
    size_t width;
    bool adds;
} normalisation;

static double dot(const float *left, const float *right, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)left[i] * (double)right[i];
    return sum;
}

static void evaluate_range(void *argument, size_t begin, size_t end)
{
    const normalisation *n = argument;
    for (size_t row = begin; row < end; row++) {
        const float *v = n->direction + row * n->width;
        const float factor = (float)((double)n->magnitude[row] / sqrt(dot(v, v, n->width)));
        for (size_t i = 0; i < n->width; i++)
            n->into[row * n->width + i] = factor * v[i];
    }
}

static void magnitude_range(void *argument, size_t begin, size_t end)
{
    const normalisation *n = argument;
    for (size_t row = begin; row < end; row++) {
        const float *v = n->direction + row * n->width, *g = n->gradient + row * n->width;
        const float term = (float)(dot(g, v, n->width) / sqrt(dot(v, v, n->width)));
        n->into[row] = n->adds ? n->into[row] + term : term;
    }
}

/* g / |v| (dw - v (dw v) / |v|^2) */
static void direction_range(void *argument, size_t begin, size_t end)
{
    const normalisation *n = argument;
    for (size_t row = begin; row < end; row++) {
        const float *v = n->direction + row * n->width, *g = n->gradient + row * n->width;
        const double square = dot(v, v, n->width);
        const float factor = (float)((double)n->magnitude[row] / sqrt(square));
        const float along = (float)(dot(g, v, n->width) / square);
        for (size_t i = 0; i < n->width; i++) {
            const float term = factor * (g[i] - along * v[i]);
            float *into = &n->into[row * n->width + i];
            *into = n->adds ? *into + term : term;
        }
    }
}

static void run(const thaw_expression *e, const float *gradient, float *into, bool adds,
                void (*body)(void *argument, size_t begin, size_t end))
{
    const size_t rows = (size_t)e->shape.dims[0], width = e->count / rows;
    normalisation n = {
        thaw_operand(e, MAGNITUDE)->value, thaw_operand(e, DIRECTION)->value, gradient, into, width, adds
    };
    thaw_parallel_for(thaw_expression_context(e), rows, width < GRAIN_FLOATS ? GRAIN_FLOATS / width : 1, body, &n);
}

static thaw_status evaluate(const thaw_expression *e, void *scratch)
{
    (void)scratch;
    run(e, NULL, e->value, false, evaluate_range);
    return THAW_OK;
}

static thaw_status differentiate(const thaw_expression *e, size_t k, const thaw_differentiation *wanted)
{
    run(e, wanted->gradient, wanted->into, wanted->adds, k == MAGNITUDE ? magnitude_range : direction_range);
    return THAW_OK;
}

static void find_support(const thaw_expression *e, const unsigned char *const *operands, unsigned char *support)
{
    const unsigned char *magnitude = operands[MAGNITUDE], *direction = operands[DIRECTION];
    const size_t width = e->count / (size_t)e->shape.dims[0];
    for (size_t i = 0; i < e->count; i++)
        support[i] = magnitude[i / width] & direction[i];
}

/* Whole rows: each element of a direction affects its row's norm. */
static void reach(const thaw_expression *e, size_t k, const unsigned char *const *operands, const unsigned char *own,
                  unsigned char *reached)
{
    const unsigned char *magnitude = operands[MAGNITUDE], *direction = operands[DIRECTION];
    const size_t rows = (size_t)e->shape.dims[0], width = e->count / rows;
    for (size_t row = 0; row < rows; row++) {
        unsigned char any = 0;
        for (size_t i = row * width; i < (row + 1) * width; i++)
            any |= own[i] & direction[i];
        if (k == MAGNITUDE)
            reached[row] |= any;
        for (size_t i = row * width; i < (row + 1) * width && k == DIRECTION; i++)
            reached[i] |= (any | own[i]) & magnitude[row];
    }
}

static void describe(const thaw_expression *e, thaw_text *text)
{
    thaw_text_append(text, "weight_norm(");
    thaw_expression_append(e->operands[MAGNITUDE], false, text);
    thaw_text_append(text, ", ");
    thaw_expression_append(e->operands[DIRECTION], false, text);
    thaw_text_append(text, ")");
}

static const thaw_operation operation = {
    .describe = describe,
    .evaluate = evaluate,
    .differentiate = differentiate,
    .find_support = find_support,
    .reach = reach,
};

thaw_status thaw_expression_weight_norm(thaw_expression *magnitude, thaw_expression *direction,
                                        thaw_expression **result)
{
    thaw_expression *const operands[] = { [MAGNITUDE] = magnitude, [DIRECTION] = direction };
    *result = NULL;
    const thaw_status status = thaw_operands_check(operands, THAW_COUNT(operands));
    if (status != THAW_OK)
        return status;
    if (direction->shape.rank < 1 || magnitude->count != (size_t)direction->shape.dims[0]) {
        char one[80], other[80];
        return thaw_fail(thaw_expression_context(direction), THAW_SHAPE_MISMATCH,
                         "a weight norm has direction %s and magnitude %s, must have one magnitude for each index of "
                         "the first dimension",
                         thaw_shape_format(&direction->shape, one, sizeof one),
                         thaw_shape_format(&magnitude->shape, other, sizeof other));
    }
    return thaw_expression_create(direction->set, &operation, operands, THAW_COUNT(operands), &direction->shape,
                                  result);
}
