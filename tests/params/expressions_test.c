/* Every operation, alone and nested, against its definition in double precision: the value, and the gradient of each
   stored tensor against finite differences, for every choice of which of them train. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { OUTPUTS = 7, INPUTS = 13, BATCH = 5, COUNT = OUTPUTS * INPUTS, MOST_LEAVES = 5, MOST_ELEMENTS = 256 };

static const thaw_shape whole = { 2, { OUTPUTS, INPUTS } };

/* An element of what is defined: output o, input i. */
typedef struct point {
    double *const *leaf; /* the stored tensors; leaf 0 is the layer's own */
    size_t o, i, at;     /* at: in a whole tensor */
    double w;            /* there in leaf 0 */
} point;

typedef enum expression_kind {
    OF_ALL,        /* leaves */
    WITHOUT_OWN,   /* leaf 0 is no part of it */
    ALWAYS_PARTIAL /* even where every leaf trains */
} expression_kind;

typedef struct expression_case {
    const char *name;
    thaw_shape leaves[MOST_LEAVES]; /* those after the dense layer's own weight; rank 0: no more */
    thaw_status (*build)(thaw_model *model, thaw_expression *const *leaf, thaw_expression **result);
    double (*define)(const point *p);
    expression_kind kind;
} expression_case;

/* 0 or 1, a third of them 0. */
static int mask_at(size_t index)
{
    return (index * 7 + 3) % 3 != 0;
}

static thaw_status mask_of(thaw_expression *operand, thaw_expression **result)
{
    unsigned char values[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (unsigned char)mask_at(i);
    return thaw_expression_mask(operand, &(thaw_tensor){ THAW_U8, whole, values }, result);
}

/* ---- element by element ---- */

static thaw_status build_sum(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_add(l[0], l[1], r);
}

static thaw_status build_sum_swapped(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_add(l[1], l[0], r);
}

static thaw_status build_difference(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_subtract(l[0], l[1], r);
}

static thaw_status build_difference_swapped(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_subtract(l[1], l[0], r);
}

static thaw_status build_product(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[0], l[1], r);
}

static thaw_status build_product_swapped(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[1], l[0], r);
}

static double define_sum(const point *p)
{
    return p->w + p->leaf[1][p->at];
}

static double define_sum_row(const point *p)
{
    return p->w + p->leaf[1][p->i];
}

static double define_sum_column(const point *p)
{
    return p->w + p->leaf[1][p->o];
}

static double define_sum_one(const point *p)
{
    return p->w + p->leaf[1][0];
}

static double define_difference(const point *p)
{
    return p->w - p->leaf[1][p->at];
}

static double define_difference_row(const point *p)
{
    return p->leaf[1][p->i] - p->w;
}

static double define_difference_column(const point *p)
{
    return p->w - p->leaf[1][p->o];
}

static double define_product(const point *p)
{
    return p->w * p->leaf[1][p->at];
}

static double define_product_row(const point *p)
{
    return p->w * p->leaf[1][p->i];
}

static double define_product_column(const point *p)
{
    return p->w * p->leaf[1][p->o];
}

static double define_product_one(const point *p)
{
    return p->w * p->leaf[1][0];
}

static thaw_status build_outer(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[1], l[2], r);
}

static double define_outer(const point *p)
{
    return p->leaf[1][p->o] * p->leaf[2][p->i];
}

static thaw_status build_outer_sum(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_add(l[2], l[1], r);
}

static double define_outer_sum(const point *p)
{
    return p->leaf[1][p->o] + p->leaf[2][p->i];
}

static thaw_status build_square(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[0], l[0], r);
}

static double define_square(const point *p)
{
    return p->w * p->w;
}

static thaw_status build_scale(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_scale(l[0], -0.75, r);
}

static double define_scale(const point *p)
{
    return -0.75 * p->w;
}

static thaw_status build_mask(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return mask_of(l[0], r);
}

static double define_mask(const point *p)
{
    return mask_at(p->at) * p->w;
}

static thaw_status build_constant(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    float values[INPUTS];
    for (size_t i = 0; i < INPUTS; i++)
        values[i] = 0.25F * (float)i;
    thaw_expression *constant;
    const thaw_status status =
        thaw_expression_constant(m, &(thaw_tensor){ THAW_F32, { 1, { INPUTS } }, values }, &constant);
    return status == THAW_OK ? thaw_expression_multiply(constant, l[0], r) : status;
}

static double define_constant(const point *p)
{
    return 0.25 * (double)p->i * p->w;
}

/* ---- parts ---- */

static thaw_status build_rows(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_concatenate((thaw_expression *[]){ l[1], l[2], l[3] }, 3, 0, r);
}

static double define_rows(const point *p)
{
    return p->o < 2 ? p->leaf[1][p->at] : p->o < 3 ? p->leaf[2][p->i] : p->leaf[3][(p->o - 3) * INPUTS + p->i];
}

static thaw_status build_columns(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_concatenate((thaw_expression *[]){ l[1], l[2] }, 2, 1, r);
}

static double define_columns(const point *p)
{
    return p->i < 9 ? p->leaf[1][p->o * 9 + p->i] : p->leaf[2][p->o * 4 + p->i - 9];
}

static thaw_status build_row_slice(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_slice(l[1], 0, 2, 2 + OUTPUTS, r);
}

static double define_row_slice(const point *p)
{
    return p->leaf[1][(p->o + 2) * INPUTS + p->i];
}

static thaw_status build_column_slice(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_slice(l[1], 1, 3, 3 + INPUTS, r);
}

static double define_column_slice(const point *p)
{
    return p->leaf[1][p->o * 17 + p->i + 3];
}

/* Two slices of one tensor that overlap. */
static thaw_status build_overlap(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    thaw_expression *first, *second;
    thaw_status status = thaw_expression_slice(l[1], 1, 0, INPUTS, &first);
    if (status == THAW_OK)
        status = thaw_expression_slice(l[1], 1, 4, 4 + INPUTS, &second);
    return status == THAW_OK ? thaw_expression_add(first, second, r) : status;
}

static double define_overlap(const point *p)
{
    return p->leaf[1][p->o * 17 + p->i] + p->leaf[1][p->o * 17 + p->i + 4];
}

/* ---- matrices ---- */

static thaw_status build_matrices(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_product(l[1], l[2], r);
}

static double dot(const double *left, const double *right, size_t count, size_t step)
{
    double sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += left[k] * right[k * step];
    return sum;
}

static double define_matrices(const point *p)
{
    return dot(&p->leaf[1][p->o * 3], &p->leaf[2][p->i], 3, INPUTS);
}

static double define_matrices_one(const point *p)
{
    return p->leaf[1][p->o] * p->leaf[2][p->i];
}

static thaw_status build_low_rank(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_low_rank(l[0], l[1], l[2], 1.5, r);
}

static double define_low_rank(const point *p)
{
    return p->w + 1.5 * dot(&p->leaf[1][p->o * 3], &p->leaf[2][p->i], 3, INPUTS);
}

static thaw_status build_weight_norm(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_weight_norm(l[1], l[0], r);
}

static double define_weight_norm(const point *p)
{
    return p->w * p->leaf[1][p->o] / sqrt(dot(&p->leaf[0][p->o * INPUTS], &p->leaf[0][p->o * INPUTS], INPUTS, 1));
}

/* ---- nested ---- */

/* mask(weight_norm(g, w * w + r)) - 0.5 (w + 2 B A) */
static thaw_status build_nested(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    thaw_expression *e, *f;
    thaw_status status = thaw_expression_multiply(l[0], l[0], &e);
    if (status == THAW_OK)
        status = thaw_expression_add(e, l[1], &e);
    if (status == THAW_OK)
        status = thaw_expression_weight_norm(l[2], e, &e);
    if (status == THAW_OK)
        status = mask_of(e, &e);
    if (status == THAW_OK)
        status = thaw_expression_low_rank(l[0], l[3], l[4], 2, &f);
    if (status == THAW_OK)
        status = thaw_expression_scale(f, 0.5, &f);
    return status == THAW_OK ? thaw_expression_subtract(e, f, r) : status;
}

static double define_nested(const point *p)
{
    double row[INPUTS];
    for (size_t i = 0; i < INPUTS; i++) {
        const double w = p->leaf[0][p->o * INPUTS + i];
        row[i] = w * w + p->leaf[1][i];
    }
    return mask_at(p->at) * p->leaf[2][p->o] * row[p->i] / sqrt(dot(row, row, INPUTS, 1)) -
           0.5 * (p->w + 2 * dot(&p->leaf[3][p->o * 2], &p->leaf[4][p->i], 2, INPUTS));
}

/* x * x where x = w + r is one expression that is used twice, sixteen times over. */
static thaw_status build_shared(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    thaw_expression *e;
    thaw_status status = thaw_expression_add(l[0], l[1], &e);
    for (int i = 0; i < 16 && status == THAW_OK; i++) {
        status = thaw_expression_add(e, e, &e);
        if (status == THAW_OK)
            status = thaw_expression_scale(e, 0.5, &e);
    }
    return status == THAW_OK ? thaw_expression_multiply(e, e, r) : status;
}

static double define_shared(const point *p)
{
    return (p->w + p->leaf[1][p->i]) * (p->w + p->leaf[1][p->i]);
}

static const expression_case cases[] = {
    { "sum", { { 2, { OUTPUTS, INPUTS } } }, build_sum, define_sum, OF_ALL },
    { "sum, a row", { { 1, { INPUTS } } }, build_sum, define_sum_row, OF_ALL },
    { "sum, a row first", { { 2, { 1, INPUTS } } }, build_sum_swapped, define_sum_row, OF_ALL },
    { "sum, a column", { { 2, { OUTPUTS, 1 } } }, build_sum, define_sum_column, OF_ALL },
    { "sum, one", { { 1, { 1 } } }, build_sum_swapped, define_sum_one, OF_ALL },
    { "difference", { { 2, { OUTPUTS, INPUTS } } }, build_difference, define_difference, OF_ALL },
    { "difference, a row first", { { 1, { INPUTS } } }, build_difference_swapped, define_difference_row, OF_ALL },
    { "difference, a column", { { 2, { OUTPUTS, 1 } } }, build_difference, define_difference_column, OF_ALL },
    { "product", { { 2, { OUTPUTS, INPUTS } } }, build_product, define_product, OF_ALL },
    { "product swapped", { { 2, { OUTPUTS, INPUTS } } }, build_product_swapped, define_product, OF_ALL },
    { "product, a row", { { 2, { 1, INPUTS } } }, build_product, define_product_row, OF_ALL },
    { "product, a column first", { { 2, { OUTPUTS, 1 } } }, build_product_swapped, define_product_column, OF_ALL },
    { "product, one", { { 1, { 1 } } }, build_product, define_product_one, OF_ALL },
    { "product of column and row",
      { { 2, { OUTPUTS, 1 } }, { 1, { INPUTS } } },
      build_outer,
      define_outer,
      WITHOUT_OWN },
    { "sum of row and column",
      { { 2, { OUTPUTS, 1 } }, { 2, { 1, INPUTS } } },
      build_outer_sum,
      define_outer_sum,
      WITHOUT_OWN },
    { "square", { { 0 } }, build_square, define_square, OF_ALL },
    { "scale", { { 0 } }, build_scale, define_scale, OF_ALL },
    { "mask", { { 0 } }, build_mask, define_mask, ALWAYS_PARTIAL },
    { "constant", { { 0 } }, build_constant, define_constant, ALWAYS_PARTIAL },
    { "rows joined",
      { { 2, { 2, INPUTS } }, { 2, { 1, INPUTS } }, { 2, { 4, INPUTS } } },
      build_rows,
      define_rows,
      WITHOUT_OWN },
    { "columns joined", { { 2, { OUTPUTS, 9 } }, { 2, { OUTPUTS, 4 } } }, build_columns, define_columns, WITHOUT_OWN },
    { "slice of rows", { { 2, { OUTPUTS + 5, INPUTS } } }, build_row_slice, define_row_slice, WITHOUT_OWN },
    { "slice of columns", { { 2, { OUTPUTS, 17 } } }, build_column_slice, define_column_slice, WITHOUT_OWN },
    { "slices that overlap", { { 2, { OUTPUTS, 17 } } }, build_overlap, define_overlap, WITHOUT_OWN },
    { "matrices", { { 2, { OUTPUTS, 3 } }, { 2, { 3, INPUTS } } }, build_matrices, define_matrices, WITHOUT_OWN },
    { "matrices of rank 1",
      { { 2, { OUTPUTS, 1 } }, { 2, { 1, INPUTS } } },
      build_matrices,
      define_matrices_one,
      WITHOUT_OWN },
    { "low rank", { { 2, { OUTPUTS, 3 } }, { 2, { 3, INPUTS } } }, build_low_rank, define_low_rank, OF_ALL },
    { "weight norm", { { 2, { OUTPUTS, 1 } } }, build_weight_norm, define_weight_norm, OF_ALL },
    { "nested",
      { { 1, { INPUTS } }, { 1, { OUTPUTS } }, { 2, { OUTPUTS, 2 } }, { 2, { 2, INPUTS } } },
      build_nested,
      define_nested,
      ALWAYS_PARTIAL },
    { "shared", { { 1, { INPUTS } } }, build_shared, define_shared, OF_ALL },
};

/* ---- the network: a dense layer and a mean square error ---- */

typedef struct network {
    const expression_case *tested;
    thaw_model *model;
    thaw_parameter *leaves[MOST_LEAVES];
    size_t leaf_count;
    thaw_expression *expression;
    float samples[BATCH * INPUTS], targets[BATCH * OUTPUTS];
    double values[MOST_LEAVES][MOST_ELEMENTS];
} network;

static void open_network(network *n, thaw_context *context, const expression_case *tested)
{
    *n = (network){ .tested = tested, .leaf_count = 1 };
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &n->model));
    assert_ok(context, thaw_input(n->model, &(thaw_shape){ 1, { INPUTS } }, &x));
    assert_ok(context,
              thaw_dense(n->model, x, &(thaw_dense_options){ .units = OUTPUTS, .no_bias = true, .name = "dense" }, &x));
    assert_ok(context, thaw_mse(n->model, x, NULL, &x));
    n->leaves[0] = thaw_model_find_parameter(n->model, "dense.weight");
    for (; n->leaf_count < MOST_LEAVES && tested->leaves[n->leaf_count - 1].rank; n->leaf_count++) {
        char name[8];
        snprintf(name, sizeof name, "l%zu", n->leaf_count);
        const thaw_parameter_specification wanted = { .name = name,
                                                      .shape = tested->leaves[n->leaf_count - 1],
                                                      .initializer = THAW_INITIAL_ONE };
        assert_ok(context, thaw_model_add_parameter(n->model, name, &wanted, &n->leaves[n->leaf_count]));
    }
    thaw_expression *expressions[MOST_LEAVES];
    for (size_t i = 0; i < n->leaf_count; i++) {
        const size_t count = thaw_shape_count(thaw_parameter_shape(n->leaves[i]));
        cr_assert_leq(count, MOST_ELEMENTS);
        support_fill(thaw_parameter_edit(n->leaves[i]), count, (uint32_t)i + 20);
        for (size_t k = 0; k < count; k++)
            n->values[i][k] = (double)thaw_parameter_data(n->leaves[i])[k];
        assert_ok(context, thaw_expression_of(n->model, n->leaves[i], &expressions[i]));
    }
    assert_ok(context, tested->build(n->model, expressions, &n->expression));
    assert_ok(context, thaw_parameter_bind(n->model, n->leaves[0], n->expression));
    support_fill(n->samples, THAW_COUNT(n->samples), 5);
    support_fill(n->targets, THAW_COUNT(n->targets), 6);
}

static void define_value(network *n, double *value)
{
    double *leaves[MOST_LEAVES];
    for (size_t i = 0; i < MOST_LEAVES; i++)
        leaves[i] = n->values[i];
    for (size_t at = 0; at < COUNT; at++)
        value[at] = n->tested->define(&(point){ leaves, at / INPUTS, at % INPUTS, at, leaves[0][at] });
}

static double define_loss(network *n)
{
    double weight[COUNT], loss = 0;
    define_value(n, weight);
    for (size_t b = 0; b < BATCH; b++)
        for (size_t o = 0; o < OUTPUTS; o++) {
            double error = -(double)n->targets[b * OUTPUTS + o];
            for (size_t i = 0; i < INPUTS; i++)
                error += weight[o * INPUTS + i] * (double)n->samples[b * INPUTS + i];
            loss += error * error / (BATCH * OUTPUTS);
        }
    return loss;
}

static float difference_quotient(network *n, size_t leaf, size_t element)
{
    const double step = 1e-5, before = n->values[leaf][element];
    n->values[leaf][element] = before + step;
    const double above = define_loss(n);
    n->values[leaf][element] = before - step;
    const double below = define_loss(n);
    n->values[leaf][element] = before;
    return (float)((above - below) / (2 * step));
}

static bool is_used(const network *n, size_t leaf)
{
    return leaf > 0 || n->tested->kind != WITHOUT_OWN;
}

static void check_gradients(network *n, thaw_context *context, unsigned subset)
{
    for (size_t i = 0; i < n->leaf_count; i++)
        assert_ok(context, (subset >> i & 1 ? thaw_model_unfreeze
                                            : thaw_model_freeze)(n->model, thaw_parameter_name(n->leaves[i])));
    const thaw_tensor inputs = thaw_view_f32(n->samples, 2, (int64_t[]){ BATCH, INPUTS });
    const thaw_tensor targets = thaw_view_f32(n->targets, 2, (int64_t[]){ BATCH, OUTPUTS });
    const thaw_step_options only_gradients = { .gradients_only = true };
    thaw_step_result result;
    unsigned used = 0;
    for (size_t i = 0; i < n->leaf_count; i++)
        used |= is_used(n, i) ? 1U << i : 0;
    if ((subset & used) == 0) {
        assert_fails(context, thaw_step(n->model, &inputs, &targets, &only_gradients, &result), THAW_NOTHING_TRAINABLE,
                     "frozen");
        cr_assert_eq(thaw_parameter_trainability(n->leaves[0]), THAW_FROZEN, "%s", n->tested->name);
        return;
    }
    assert_ok(context, thaw_step(n->model, &inputs, &targets, &only_gradients, &result));
    const float loss = (float)result.loss, expected_loss = (float)define_loss(n);
    assert_close(&loss, &expected_loss, 1, 1e-5, n->tested->name);
    for (size_t i = 0; i < n->leaf_count; i++) {
        const float *gradient = thaw_parameter_gradient(n->leaves[i]);
        if (!(subset & used & 1U << i)) {
            cr_assert_null(gradient, "%s: tensor %zu of subset %u has a gradient", n->tested->name, i, subset);
            continue;
        }
        float expected[MOST_ELEMENTS];
        const size_t count = thaw_shape_count(thaw_parameter_shape(n->leaves[i]));
        for (size_t k = 0; k < count; k++)
            expected[k] = difference_quotient(n, i, k);
        cr_assert_not_null(gradient, "%s: tensor %zu of subset %u has no gradient", n->tested->name, i, subset);
        assert_close(gradient, expected, count, 2e-5, n->tested->name);
    }
    const thaw_trainability found = thaw_parameter_trainability(n->leaves[0]);
    const bool complete = (subset & used) == used && n->tested->kind != ALWAYS_PARTIAL;
    cr_assert_eq(found, complete ? THAW_TRAINABLE : THAW_PARTIAL, "%s, subset %u: %s", n->tested->name, subset,
                 thaw_trainability_name(found));
}

static void check_case(const expression_case *tested, int threads)
{
    thaw_context *context = support_context(threads);
    network n;
    open_network(&n, context, tested);
    double value[COUNT];
    float expected[COUNT], found[COUNT];
    define_value(&n, value);
    for (size_t i = 0; i < COUNT; i++)
        expected[i] = (float)value[i];
    assert_ok(context, thaw_expression_evaluate(n.expression, &(thaw_tensor){ THAW_F32, whole, found }));
    assert_close(found, expected, COUNT, 2e-6, tested->name);
    for (unsigned subset = 0; subset < 1U << n.leaf_count; subset++)
        check_gradients(&n, context, subset);
    thaw_model_destroy(n.model);
    thaw_context_destroy(context);
}

Test(expressions, values_and_gradients_are_those_of_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        check_case(&cases[i], 1);
        check_case(&cases[i], 3);
    }
}
