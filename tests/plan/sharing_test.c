#include "plan/sharing.h"
#include "support/fusing_toys.h"
#include "support/plans.h"

/* One layer of a network; parameters train unless `frozen`. Node 0 is the input, lines follow from node 1 on. */
typedef struct layer_line {
    const thaw_layer_module *module;
    thaw_node first, second;
    bool frozen;
} layer_line;

static thaw_model *make_model(thaw_context *context, const layer_line *lines, size_t count)
{
    thaw_model *model = toy_model(context, 3);
    for (size_t i = 0; i < count; i++) {
        const thaw_node node = toy_append(model, lines[i].module, NULL, lines[i].first, lines[i].second);
        if (lines[i].frozen)
            assert_ok(context, thaw_model_freeze(model, model->nodes[node].name));
    }
    return model;
}

static void assert_roots(const layer_line *lines, size_t count, const thaw_node *expected)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, lines, count);
    const bool training = thaw_model_loss(model) >= 0;
    thaw_plan *plan = training ? plan_until(model, "sharing") : plan_inference_until(model, "sharing");
    for (size_t i = 0; i <= count; i++)
        if (plan->nodes[i].used)
            cr_assert_eq(plan->nodes[i].root, expected[i], "the output of node %zu is in node %d's, wanted %d's", i,
                         plan->nodes[i].root, expected[i]);
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* -1: the node has no gradient. */
static void assert_gradient_roots(const layer_line *lines, size_t count, const thaw_node *expected)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, lines, count);
    thaw_plan *plan = plan_until(model, "sharing");
    for (size_t i = 0; i <= count; i++) {
        cr_assert_eq(plan->nodes[i].carries, expected[i] >= 0, "node %zu", i);
        if (expected[i] >= 0)
            cr_assert_eq(plan->nodes[i].gradient_root, expected[i],
                         "the gradient of node %zu is in node %d's, wanted %d's", i, plan->nodes[i].gradient_root,
                         expected[i]);
    }
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

#define ASSERT_ROOTS(lines, ...) assert_roots(lines, THAW_COUNT(lines), (const thaw_node[]){ __VA_ARGS__ })
#define ASSERT_GRADIENT_ROOTS(lines, ...) \
    assert_gradient_roots(lines, THAW_COUNT(lines), (const thaw_node[]){ __VA_ARGS__ })

/* ---- outputs ---- */

Test(sharing, works_in_place_along_a_chain)
{
    const layer_line lines[] = { { &toy_center, 0, -1, false },
                                 { &toy_curve, 1, -1, false },
                                 { &toy_center, 2, -1, true },
                                 { &toy_curve, 3, -1, false },
                                 { &toy_quadratic, 4, -1, false } };
    ASSERT_ROOTS(lines, 0, 1, 1, 3, 3, 5);
}

Test(sharing, never_writes_over_the_input)
{
    const layer_line lines[] = { { &toy_curve, 0, -1, false }, { &toy_curve, 1, -1, false } };
    ASSERT_ROOTS(lines, 0, 1, 1);
    const layer_line passed[] = { { &toy_pass, 0, -1, false }, { &toy_curve, 1, -1, false } };
    ASSERT_ROOTS(passed, 0, 0, 2);
}

Test(sharing, keeps_a_value_that_somebody_reads_later)
{
    const layer_line branch[] = { { &toy_center, 0, -1, false },
                                  { &toy_curve, 1, -1, false },
                                  { &toy_sum, 2, 1, false } };
    ASSERT_ROOTS(branch, 0, 1, 2, 2);
    const layer_line last_reader[] = { { &toy_center, 0, -1, false },
                                       { &toy_center, 1, -1, false },
                                       { &toy_curve, 1, -1, false },
                                       { &toy_sum, 3, 2, false } };
    ASSERT_ROOTS(last_reader, 0, 1, 2, 1, 1);
}

Test(sharing, keeps_a_value_that_is_read_through_an_identity)
{
    const layer_line lines[] = { { &toy_center, 0, -1, false },
                                 { &toy_pass, 1, -1, false },
                                 { &toy_curve, 1, -1, false },
                                 { &toy_sum, 3, 2, false } };
    ASSERT_ROOTS(lines, 0, 1, 1, 3, 3);
}

Test(sharing, adds_to_a_residual_where_it_is_when_nobody_else_wants_it)
{
    const layer_line last[] = { { &toy_linear, 0, -1, false },
                                { &toy_linear, 1, -1, false },
                                { &toy_linear, 2, -1, false },
                                { &toy_join, 3, 1, false },
                                { &toy_relu, 4, -1, false } };
    ASSERT_ROOTS(last, 0, 1, 2, 1, 1, 1);
    const layer_line read_later[] = { { &toy_linear, 0, -1, false },
                                      { &toy_linear, 1, -1, false },
                                      { &toy_linear, 2, -1, false },
                                      { &toy_join, 3, 1, false },
                                      { &toy_product, 4, 1, false } };
    ASSERT_ROOTS(read_later, 0, 1, 2, 3, 3, 5);
    const layer_line own_input[] = { { &toy_linear, 0, -1, false },
                                     { &toy_linear, 1, -1, false },
                                     { &toy_join, 2, 1, false } };
    ASSERT_ROOTS(own_input, 0, 1, 2, 2);
    const layer_line input[] = { { &toy_linear, 0, -1, false }, { &toy_join, 1, 0, false } };
    ASSERT_ROOTS(input, 0, 1, 1);
}

Test(sharing, does_not_write_over_an_input_that_is_read_twice)
{
    const layer_line same[] = { { &toy_center, 0, -1, false }, { &toy_sum, 1, 1, false } };
    ASSERT_ROOTS(same, 0, 1, 2);
    const layer_line alias[] = { { &toy_center, 0, -1, false },
                                 { &toy_pass, 1, -1, false },
                                 { &toy_sum, 1, 2, false } };
    ASSERT_ROOTS(alias, 0, 1, 1, 3);
}

Test(sharing, keeps_what_backward_reads_where_backward_runs)
{
    /* A curve reads its output backward; the sum after it would write over it. */
    const layer_line output[] = { { &toy_center, 0, -1, false },
                                  { &toy_curve, 1, -1, false },
                                  { &toy_center, 0, -1, false },
                                  { &toy_sum, 2, 3, false },
                                  { &toy_quadratic, 4, -1, false } };
    ASSERT_ROOTS(output, 0, 1, 1, 3, 4, 5);
    /* A product reads its inputs. */
    const layer_line inputs[] = { { &toy_center, 0, -1, false }, { &toy_center, 0, -1, false },
                                  { &toy_product, 1, 2, false }, { &toy_curve, 2, -1, false },
                                  { &toy_sum, 3, 4, false },     { &toy_quadratic, 5, -1, false } };
    ASSERT_ROOTS(inputs, 0, 1, 2, 3, 4, 3, 6);
    /* The same layers frozen: in the prefix nothing is kept. */
    const layer_line prefix[] = { { &toy_center, 0, -1, true },    { &toy_center, 0, -1, true },
                                  { &toy_product, 1, 2, false },   { &toy_curve, 2, -1, false },
                                  { &toy_sum, 3, 4, false },       { &toy_center, 5, -1, false },
                                  { &toy_quadratic, 6, -1, false } };
    ASSERT_ROOTS(prefix, 0, 1, 2, 3, 2, 3, 6, 7);
}

Test(sharing, keeps_what_the_cache_keeps)
{
    const layer_line lines[] = { { &toy_center, 0, -1, true },
                                 { &toy_curve, 1, -1, false },
                                 { &toy_center, 0, -1, false },
                                 { &toy_sum, 2, 3, false },
                                 { &toy_quadratic, 4, -1, false } };
    ASSERT_ROOTS(lines, 0, 1, 1, 3, 4, 5);
}

Test(sharing, gives_an_identity_its_inputs_buffer)
{
    const layer_line lines[] = { { &toy_center, 0, -1, false },
                                 { &toy_pass, 1, -1, false },
                                 { &toy_quadratic, 2, -1, false } };
    ASSERT_ROOTS(lines, 0, 1, 1, 3);
}

Test(sharing, gives_a_fused_activation_its_layers_buffer)
{
    const layer_line lines[] = { { &toy_scale, 0, -1, false },
                                 { &toy_relu, 1, -1, false },
                                 { &toy_scale, 2, -1, false },
                                 { &toy_quadratic, 3, -1, false } };
    ASSERT_ROOTS(lines, 0, 1, 1, 3, 4);
}

/* ---- gradients ---- */

Test(sharing, passes_gradients_down_a_chain_in_one_buffer)
{
    const layer_line lines[] = { { &toy_scale, 0, -1, false },
                                 { &toy_curve, 1, -1, false },
                                 { &toy_pass, 2, -1, false },
                                 { &toy_scale, 3, -1, true },
                                 { &toy_quadratic, 4, -1, false } };
    ASSERT_GRADIENT_ROOTS(lines, -1, 4, 4, 4, 4, 5);
}

Test(sharing, gives_the_second_input_a_gradient_of_its_own)
{
    const layer_line lines[] = { { &toy_scale, 0, -1, false },
                                 { &toy_scale, 0, -1, false },
                                 { &toy_sum, 1, 2, false },
                                 { &toy_quadratic, 3, -1, false } };
    ASSERT_GRADIENT_ROOTS(lines, -1, 3, 2, 3, 4);
}

Test(sharing, lets_the_last_reader_write_and_the_others_add)
{
    const layer_line lines[] = { { &toy_scale, 0, -1, false },  /* 1, read by 2 and 3 */
                                 { &toy_curve, 1, -1, false },  /* 2 */
                                 { &toy_product, 1, 2, false }, /* 3 */
                                 { &toy_quadratic, 3, -1, false } };
    ASSERT_GRADIENT_ROOTS(lines, -1, 1, 2, 3, 4);
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, lines, THAW_COUNT(lines));
    thaw_plan *plan = plan_until(model, "buffers");
    const thaw_reader writer = plan->nodes[1].first_writer;
    cr_assert_eq(writer.reader, 3);
    cr_assert_eq(writer.slot, 0);
    cr_assert_eq(plan->nodes[4].first_writer.reader, -1, "nobody reads the loss");
    cr_assert_not(plan->nodes[3].adds_gradient[0]);
    cr_assert_not(plan->nodes[3].adds_gradient[1]);
    cr_assert(plan->nodes[2].adds_gradient[0]);
    cr_assert_geq(plan->nodes[2].places.spare[0], 0, "the term to add needs a place");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(sharing, adds_both_gradients_of_an_input_that_is_read_twice)
{
    const layer_line lines[] = { { &toy_scale, 0, -1, false },
                                 { &toy_sum, 1, 1, false },
                                 { &toy_quadratic, 2, -1, false } };
    ASSERT_GRADIENT_ROOTS(lines, -1, 2, 2, 3);
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, lines, THAW_COUNT(lines));
    thaw_plan *plan = plan_until(model, "buffers");
    cr_assert_not(plan->nodes[2].adds_gradient[0]);
    cr_assert(plan->nodes[2].adds_gradient[1]);
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(sharing, adds_through_an_identity_without_a_copy)
{
    const layer_line lines[] = { { &toy_scale, 0, -1, false }, /* 1, read by 2 and 3 */
                                 { &toy_pass, 1, -1, false },  /* 2 */
                                 { &toy_sum, 2, 1, false },    /* 3 */
                                 { &toy_quadratic, 3, -1, false } };
    ASSERT_GRADIENT_ROOTS(lines, -1, 1, 3, 3, 4);
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, lines, THAW_COUNT(lines));
    thaw_plan *plan = plan_until(model, "buffers");
    cr_assert(plan->nodes[2].adds_gradient[0]);
    cr_assert_eq(plan->nodes[2].places.spare[0], -1);
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- what it saves ---- */

static size_t arena_of(const layer_line *lines, size_t count)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, lines, count);
    thaw_plan *plan = plan_until(model, "buffers");
    size_t bytes;
    assert_ok(context, thaw_memory_place(context, plan->requests, plan->request_count, &bytes));
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return bytes;
}

Test(sharing, a_frozen_chain_needs_two_buffers_whatever_its_length)
{
    enum { LAYERS = 20, LINE = 64 /* each buffer of 2 times 3 floats fills one */ };
    layer_line lines[LAYERS];
    for (thaw_node i = 0; i < LAYERS; i++)
        lines[i] = (layer_line){ &toy_center, i, -1, i < LAYERS - 2 };
    lines[LAYERS - 1] = (layer_line){ &toy_quadratic, LAYERS - 1, -1, false };
    /* The trained layer's input and output stay for backward, then the output's gradient and the loss come. */
    cr_assert_eq(arena_of(lines, LAYERS), 4 * LINE, "%zu bytes", arena_of(lines, LAYERS));
    /* With all trainable every input stays: 19 outputs. */
    for (size_t i = 0; i < LAYERS; i++)
        lines[i].frozen = false;
    cr_assert_geq(arena_of(lines, LAYERS), 19 * LINE, "%zu bytes", arena_of(lines, LAYERS));
}
