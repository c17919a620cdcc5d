#include "support/fusing_toys.h"
#include "support/plans.h"

typedef struct layer_line {
    const thaw_layer_module *module;
    thaw_node first, second;
} layer_line;

/* Asserts into which node each is fused, from node 0 on, or -1; a loss on node `loss_input` is appended. */
static void assert_fused(const layer_line *lines, size_t count, thaw_node loss_input, const thaw_node *expected)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    for (size_t i = 0; i < count; i++)
        toy_append(model, lines[i].module, NULL, lines[i].first, lines[i].second);
    toy_append(model, &toy_quadratic, NULL, loss_input, -1);
    thaw_plan *plan = plan_until(model, "fusion");
    for (size_t i = 0; i <= count; i++) {
        cr_assert_eq(plan->nodes[i].fused_into, expected[i], "node %zu is fused into %d, wanted %d", i,
                     plan->nodes[i].fused_into, expected[i]);
        bool applies = false;
        for (size_t k = 0; k <= count; k++)
            applies = applies || expected[k] == (thaw_node)i;
        cr_assert_eq(plan->nodes[i].epilogue.activation, applies ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE,
                     "node %zu", i);
    }
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(fusion, joins_an_activation_with_the_layer_before)
{
    const layer_line lines[] = { { &toy_scale, 0, -1 }, { &toy_relu, 1, -1 }, { &toy_scale, 2, -1 } };
    assert_fused(lines, 3, 3, (const thaw_node[]){ -1, -1, 1, -1 });
}

Test(fusion, does_not_where_the_layer_cannot)
{
    const layer_line lines[] = { { &toy_relu, 0, -1 }, { &toy_center, 1, -1 }, { &toy_relu, 2, -1 },
                                 { &toy_relu, 3, -1 }, { &toy_scale, 4, -1 },  { &toy_curve, 5, -1 } };
    assert_fused(lines, 6, 6, (const thaw_node[]){ -1, -1, -1, -1, -1, -1, -1 });
}

Test(fusion, joins_one_activation_only)
{
    const layer_line lines[] = { { &toy_scale, 0, -1 }, { &toy_relu, 1, -1 }, { &toy_relu, 2, -1 } };
    assert_fused(lines, 3, 3, (const thaw_node[]){ -1, -1, 1, -1 });
}

Test(fusion, does_not_where_somebody_else_reads_the_layer)
{
    const layer_line residual[] = { { &toy_scale, 0, -1 }, { &toy_relu, 1, -1 }, { &toy_sum, 2, 1 } };
    assert_fused(residual, 3, 3, (const thaw_node[]){ -1, -1, -1, -1 });
    const layer_line twice[] = {
        { &toy_scale, 0, -1 }, { &toy_relu, 1, -1 }, { &toy_relu, 1, -1 }, { &toy_sum, 2, 3 }
    };
    assert_fused(twice, 4, 4, (const thaw_node[]){ -1, -1, -1, -1, -1 });
}

Test(fusion, does_not_count_readers_that_are_not_computed)
{
    const layer_line dead_reader[] = { { &toy_scale, 0, -1 }, { &toy_curve, 1, -1 }, { &toy_relu, 1, -1 } };
    assert_fused(dead_reader, 3, 3, (const thaw_node[]){ -1, -1, -1, 1 });
    const layer_line dead_activation[] = { { &toy_scale, 0, -1 }, { &toy_relu, 1, -1 }, { &toy_curve, 1, -1 } };
    assert_fused(dead_activation, 3, 3, (const thaw_node[]){ -1, -1, -1, -1 });
}

/* ---- chains ---- */

/* One node of a network, and what is to come of it: the node whose kernel does its forward work, or -1, and whether
   that does its backward work, too. */
typedef struct chain_line {
    const thaw_layer_module *module;
    thaw_node first, second;
    bool frozen;
    thaw_node fused_into;
    bool absorbed;
} chain_line;

static thaw_plan *plan_of(thaw_model *model, const chain_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const thaw_node node = toy_append(model, lines[i].module, NULL, lines[i].first, lines[i].second);
        if (lines[i].frozen)
            assert_ok(model->context, thaw_model_freeze(model, model->nodes[node].name));
    }
    return thaw_model_loss(model) < 0 ? plan_inference_until(model, "fusion") : plan_until(model, "fusion");
}

static void assert_chains(const chain_line *lines, size_t count)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    thaw_plan *plan = plan_of(model, lines, count);
    for (size_t i = 0; i < count; i++) {
        const thaw_plan_node *node = &plan->nodes[i + 1];
        cr_assert_eq(node->fused_into, lines[i].fused_into, "node %zu is fused into %d, wanted %d", i + 1,
                     node->fused_into, lines[i].fused_into);
        cr_assert_eq(node->absorbed, lines[i].absorbed, "node %zu", i + 1);
    }
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

#define ASSERT_CHAINS(lines) assert_chains(lines, THAW_COUNT(lines))

Test(fusion, takes_a_map_a_sum_and_an_activation)
{
    const chain_line lines[] = { { &toy_linear, 0, -1, false, -1, false },
                                 { &toy_linear, 1, -1, false, -1, false },
                                 { &toy_map, 2, -1, false, 2, true },
                                 { &toy_join, 3, 1, false, 2, true },
                                 { &toy_curve, 4, -1, false, 2, true } };
    ASSERT_CHAINS(lines);
}

Test(fusion, takes_parts_in_their_order_alone)
{
    const chain_line activation_first[] = { { &toy_linear, 0, -1, false, -1, false },
                                            { &toy_relu, 1, -1, false, 1, true },
                                            { &toy_map, 2, -1, false, -1, false } };
    ASSERT_CHAINS(activation_first);
    const chain_line two_maps[] = { { &toy_linear, 0, -1, false, -1, false },
                                    { &toy_map, 1, -1, false, 1, true },
                                    { &toy_map, 2, -1, false, -1, false } };
    ASSERT_CHAINS(two_maps);
}

/* Of the two branches of a sum, the one that runs last takes it. */
Test(fusion, takes_a_residual_that_is_there)
{
    const chain_line lines[] = { { &toy_linear, 0, -1, false, -1, false },
                                 { &toy_linear, 0, -1, false, -1, false },
                                 { &toy_map, 2, -1, false, 2, true },
                                 { &toy_join, 1, 3, false, 2, true } };
    ASSERT_CHAINS(lines);
    const chain_line later[] = { { &toy_linear, 0, -1, false, -1, false },
                                 { &toy_center, 0, -1, false, -1, false },
                                 { &toy_join, 1, 2, false, -1, false } };
    ASSERT_CHAINS(later);
    const chain_line twice[] = { { &toy_linear, 0, -1, false, -1, false }, { &toy_join, 1, 1, false, -1, false } };
    ASSERT_CHAINS(twice);
}

Test(fusion, leaves_a_map_that_trains)
{
    const chain_line trains[] = { { &toy_linear, 0, -1, false, -1, false },
                                  { &toy_map, 1, -1, false, -1, false },
                                  { &toy_quadratic, 2, -1, false, -1, false } };
    ASSERT_CHAINS(trains);
    const chain_line frozen[] = { { &toy_linear, 0, -1, false, -1, false },
                                  { &toy_map, 1, -1, true, 1, true },
                                  { &toy_quadratic, 2, -1, false, -1, false } };
    ASSERT_CHAINS(frozen);
}

Test(fusion, leaves_an_activations_gradient_to_it_unless_the_owner_differentiates)
{
    const chain_line own[] = { { &toy_linear, 0, -1, false, -1, false },
                               { &toy_relu, 1, -1, false, 1, false },
                               { &toy_quadratic, 2, -1, false, -1, false } };
    ASSERT_CHAINS(own);
    const chain_line together[] = { { &toy_whole, 0, -1, false, -1, false },
                                    { &toy_relu, 1, -1, false, 1, true },
                                    { &toy_quadratic, 2, -1, false, -1, false } };
    ASSERT_CHAINS(together);
}

Test(fusion, ends_where_the_frozen_prefix_does)
{
    const chain_line lines[] = { { &toy_linear, 0, -1, true, -1, false },
                                 { &toy_map, 1, -1, false, -1, false },
                                 { &toy_quadratic, 2, -1, false, -1, false } };
    ASSERT_CHAINS(lines);
    /* The frozen branch is the residual of the one that trains, and not the other way around. */
    const chain_line branches[] = { { &toy_linear, 0, -1, false, -1, false },
                                    { &toy_linear, 0, -1, true, -1, false },
                                    { &toy_join, 1, 2, false, 1, true },
                                    { &toy_quadratic, 3, -1, false, -1, false } };
    ASSERT_CHAINS(branches);
}

Test(fusion, is_not_done_where_it_is_unwanted)
{
    const chain_line lines[] = { { &toy_linear, 0, -1, false, -1, false }, { &toy_map, 1, -1, false, -1, false } };
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    const thaw_plan *plan;
    toy_append(model, lines[0].module, NULL, 0, -1);
    toy_append(model, lines[1].module, NULL, 1, -1);
    for (int wanted = 0; wanted < 2; wanted++) {
        thaw_model_set_fusion(model, wanted);
        assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 2, .inference = true }, &plan));
        cr_assert_eq(thaw_plan_totals_of(plan).fused_kernels, (size_t)wanted);
        cr_assert_eq(thaw_plan_totals_of(plan).forward_kernels, (size_t)(2 - wanted));
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
