#include "params/expression_network.h"

#include <stdio.h>

enum {
    OUTPUTS = EXPRESSION_OUTPUTS,
    INPUTS = EXPRESSION_INPUTS,
    MOST_LEAVES = EXPRESSION_MOST_LEAVES,
    BATCH = 5,
    COUNT = OUTPUTS * INPUTS,
    MOST_ELEMENTS = 256
};

static const thaw_shape whole = { 2, { OUTPUTS, INPUTS } };

int expression_mask_at(size_t index)
{
    return (index * 7 + 3) % 3 != 0;
}

thaw_status expression_mask(thaw_expression *operand, thaw_expression **result)
{
    unsigned char values[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (unsigned char)expression_mask_at(i);
    return thaw_expression_mask(operand, &(thaw_tensor){ THAW_U8, whole, values }, result);
}

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
        value[at] = n->tested->define(&(expression_point){ leaves, at / INPUTS, at % INPUTS, at, leaves[0][at] });
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

void expression_check(const expression_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_case(&cases[i], 1);
        check_case(&cases[i], 3);
    }
}
