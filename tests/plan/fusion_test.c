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
    thaw_plan *plan = plan_until(model, PLAN_FUSION);
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
