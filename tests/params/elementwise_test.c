/* Sums, differences and products of shapes that repeat each other in every way, beyond the sizes of blocks and shares:
   values and gradients against the definition, and the same bits for any number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/model.h"
#include "params/expression.h"
#include "support/support.h"

typedef struct pair {
    thaw_shape left, right;
} pair;

static const pair pairs[] = {
    { { 2, { 37, 300 } }, { 2, { 37, 300 } } },
    { { 2, { 37, 300 } }, { 1, { 300 } } },
    { { 2, { 37, 1 } }, { 2, { 37, 300 } } },
    { { 2, { 300, 37 } }, { 0 } },
    { { 1, { 1 } }, { 2, { 130, 77 } } },
    { { 4, { 5, 1, 7, 1 } }, { 4, { 5, 3, 7, 11 } } },
    { { 4, { 5, 3, 7, 11 } }, { 3, { 3, 1, 11 } } },
    { { 4, { 5, 1, 7, 1 } }, { 3, { 3, 1, 11 } } },
    { { 3, { 600, 1, 5 } }, { 3, { 1, 9, 1 } } },
    { { 3, { 1, 1, 600 } }, { 3, { 9, 5, 1 } } },
    { { 2, { 1, 9000 } }, { 2, { 1, 1 } } },
    { { 6, { 2, 1, 3, 1, 2, 9 } }, { 5, { 4, 1, 5, 1, 9 } } },
};

typedef thaw_status build(thaw_expression *left, thaw_expression *right, thaw_expression **result);

static build *const builds[] = { thaw_expression_add, thaw_expression_subtract, thaw_expression_multiply };

/* The offset in an operand of an element of the result. */
static size_t offset_in(const thaw_shape *operand, const thaw_shape *result, size_t index)
{
    size_t offset = 0, stride = 1;
    for (int i = result->rank; i-- > 0; index /= (size_t)result->dims[i]) {
        const int own = i - (result->rank - operand->rank);
        if (own < 0)
            continue;
        offset += operand->dims[own] == 1 ? 0 : index % (size_t)result->dims[i] * stride;
        stride *= (size_t)operand->dims[own];
    }
    return offset;
}

typedef struct subject {
    thaw_context *context;
    thaw_model *model;
    thaw_expression *operands[2], *expression;
    float *gradient, *into[2];
} subject;

static void open_subject(subject *s, const pair *shapes, build *make, int threads)
{
    static const char *const names[] = { "left", "right" };
    const thaw_shape *const wanted[] = { &shapes->left, &shapes->right };
    s->context = support_context(threads);
    assert_ok(s->context, thaw_model_create(s->context, &s->model));
    for (int k = 0; k < 2; k++) {
        thaw_parameter *parameter;
        const thaw_parameter_specification specification = { .name = "w",
                                                             .shape = *wanted[k],
                                                             .initializer = THAW_INITIAL_ONE };
        assert_ok(s->context, thaw_model_add_parameter(s->model, names[k], &specification, &parameter));
        support_fill(thaw_parameter_edit(parameter), parameter->count, 3 + (uint32_t)k);
        assert_ok(s->context, thaw_expression_of(s->model, parameter, &s->operands[k]));
        s->into[k] = malloc(parameter->count * sizeof(float));
    }
    assert_ok(s->context, make(s->operands[0], s->operands[1], &s->expression));
    assert_ok(s->context, thaw_expression_prepare(s->expression));
    assert_ok(s->context, thaw_expression_refresh(s->expression, NULL));
    s->gradient = malloc(s->expression->count * sizeof(float));
    support_fill(s->gradient, s->expression->count, 5);
}

static void close_subject(subject *s)
{
    free(s->gradient);
    free(s->into[0]);
    free(s->into[1]);
    thaw_model_destroy(s->model);
    thaw_context_destroy(s->context);
}

static void differentiate(subject *s, size_t k, bool adds)
{
    support_fill(s->into[k], s->operands[k]->count, 6);
    const thaw_differentiation wanted = { .gradient = s->gradient, .into = s->into[k], .adds = adds };
    assert_ok(s->context, s->expression->operation->differentiate(s->expression, k, &wanted));
}

static double define(build *make, double left, double right)
{
    return make == thaw_expression_add ? left + right : make == thaw_expression_subtract ? left - right : left * right;
}

/* Of an element of the value by one of operand k. */
static double define_slope(build *make, size_t k, double other)
{
    return make == thaw_expression_multiply ? other : make == thaw_expression_subtract && k == 1 ? -1 : 1;
}

static void check_values(const subject *s, build *make)
{
    const thaw_expression *e = s->expression;
    for (size_t i = 0; i < e->count; i++) {
        const double left = (double)s->operands[0]->value[offset_in(&s->operands[0]->shape, &e->shape, i)];
        const double right = (double)s->operands[1]->value[offset_in(&s->operands[1]->shape, &e->shape, i)];
        cr_assert(fabs((double)e->value[i] - define(make, left, right)) < 1e-6, "element %zu", i);
    }
}

static void check_gradient(const subject *s, build *make, size_t k, bool adds)
{
    const thaw_expression *e = s->expression, *operand = s->operands[k], *other = s->operands[1 - k];
    double *expected = calloc(operand->count, sizeof *expected);
    float *before = malloc(operand->count * sizeof *before);
    support_fill(before, operand->count, 6);
    for (size_t i = 0; i < e->count; i++)
        expected[offset_in(&operand->shape, &e->shape, i)] +=
            (double)s->gradient[i] *
            define_slope(make, k, (double)other->value[offset_in(&other->shape, &e->shape, i)]);
    for (size_t i = 0; i < operand->count; i++) {
        const double wanted = expected[i] + (adds ? (double)before[i] : 0);
        cr_assert(fabs((double)s->into[k][i] - wanted) < 1e-6 * fmax(1, fabs(wanted)), "element %zu: %g, wanted %g", i,
                  (double)s->into[k][i], wanted);
    }
    free(before);
    free(expected);
}

Test(elementwise, values_and_gradients_are_those_of_the_definition)
{
    for (size_t p = 0; p < THAW_COUNT(pairs); p++)
        for (size_t b = 0; b < THAW_COUNT(builds); b++)
            for (int swapped = 0; swapped < 2; swapped++) {
                const pair shapes = swapped ? (pair){ pairs[p].right, pairs[p].left } : pairs[p];
                subject s;
                open_subject(&s, &shapes, builds[b], 3);
                check_values(&s, builds[b]);
                for (size_t k = 0; k < 2; k++)
                    for (int adds = 0; adds < 2; adds++) {
                        differentiate(&s, k, adds);
                        check_gradient(&s, builds[b], k, adds);
                    }
                close_subject(&s);
            }
}

Test(elementwise, bits_are_the_same_for_any_number_of_threads)
{
    for (size_t p = 0; p < THAW_COUNT(pairs); p++)
        for (size_t b = 0; b < THAW_COUNT(builds); b++) {
            subject one, many;
            open_subject(&one, &pairs[p], builds[b], 1);
            open_subject(&many, &pairs[p], builds[b], 4);
            cr_assert_eq(memcmp(one.expression->value, many.expression->value, one.expression->count * sizeof(float)),
                         0);
            for (size_t k = 0; k < 2; k++) {
                differentiate(&one, k, false);
                differentiate(&many, k, false);
                cr_assert_eq(memcmp(one.into[k], many.into[k], one.operands[k]->count * sizeof(float)), 0);
            }
            close_subject(&many);
            close_subject(&one);
        }
}
