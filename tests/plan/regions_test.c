#include "support/plans.h"

/* P, L and F for prefix, live and frozen; node 0 and on. */
static void assert_regions(const thaw_plan *plan, const char *expected)
{
    char found[32] = "";
    for (size_t i = 0; i < plan->node_count; i++)
        found[i] = "PLF"[plan->nodes[i].region];
    cr_assert_str_eq(found, expected, "regions %s, wanted %s", found, expected);
}

static void assert_order(const thaw_plan *plan, const thaw_node *expected, size_t count, size_t prefix)
{
    cr_assert_eq(plan->order_count, count, "%zu nodes in order, wanted %zu", plan->order_count, count);
    cr_assert_eq(plan->prefix_count, prefix, "%zu nodes in the prefix, wanted %zu", plan->prefix_count, prefix);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(plan->order[i], expected[i], "place %zu: node %d, wanted %d", i, plan->order[i], expected[i]);
        cr_assert_eq(plan->position[expected[i]], i);
    }
}

static bool is_boundary(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].boundary;
}

/* input 0, a 1, curve 2, b 3, curve 4, c 5, loss 6. */
static thaw_model *chain(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_curve, NULL, 1, -1);
    toy_append(model, &toy_center, "b", 2, -1);
    toy_append(model, &toy_curve, NULL, 3, -1);
    toy_append(model, &toy_scale, "c", 4, -1);
    toy_append(model, &toy_quadratic, "loss", 5, -1);
    return model;
}

static void assert_chain(const char *frozen, const char *regions, const char *boundaries, size_t prefix,
                         size_t cache_bytes)
{
    thaw_context *context = support_context(1);
    thaw_model *model = chain(context);
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    thaw_plan *plan = plan_until(model, "fusion");
    assert_regions(plan, regions);
    assert_nodes(plan, is_boundary, boundaries, "boundaries");
    assert_order(plan, (const thaw_node[]){ 0, 1, 2, 3, 4, 5, 6 }, 7, prefix);
    cr_assert_eq(thaw_plan_cache_bytes(plan), cache_bytes, "%zu bytes cached a sample", thaw_plan_cache_bytes(plan));
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(regions, of_a_chain)
{
    const size_t sample = 3 * sizeof(float);
    assert_chain(NULL, "PLLLLLL", "1000000", 1, 0);
    assert_chain("a", "PPPLLLL", "0010000", 3, sample);
    assert_chain("a|b", "PPPPPLL", "0000100", 5, sample);
    assert_chain("b", "PLLFLLL", "1000000", 1, 0);
    assert_chain("b|c", "PLLFLFL", "1000000", 1, 0);
    assert_chain("a|c", "PPPLLFL", "0010000", 3, sample);
}

Test(regions, put_the_prefix_first_and_cut_every_edge_into_the_live_part)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "live", 0, -1);     /* 1 */
    toy_append(model, &toy_scale, "frozen", 0, -1);   /* 2 */
    toy_append(model, &toy_scale, "dead", 2, -1);     /* 3 */
    toy_append(model, &toy_curve, "curve", 2, -1);    /* 4 */
    toy_append(model, &toy_sum, "sum", 1, 4);         /* 5 */
    toy_append(model, &toy_sum, "again", 5, 2);       /* 6 */
    toy_append(model, &toy_quadratic, "loss", 6, -1); /* 7 */
    assert_ok(context, thaw_model_freeze(model, "frozen"));
    thaw_plan *plan = plan_until(model, "fusion");
    assert_regions(plan, "PLPPPLLL");
    assert_order(plan, (const thaw_node[]){ 0, 2, 4, 1, 5, 6, 7 }, 7, 3);
    assert_nodes(plan, is_boundary, "10101000", "boundaries");
    cr_assert_eq(thaw_plan_cache_bytes(plan), 3 * 3 * sizeof(float), "the input, frozen and curve");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(regions, a_prefix_that_costs_nothing_is_not_worth_caching)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_pass, NULL, 0, -1);
    toy_append(model, &toy_scale, "a", 1, -1);
    toy_append(model, &toy_quadratic, "loss", 2, -1);
    thaw_plan *plan = plan_until(model, "kernels");
    assert_regions(plan, "PPLL");
    assert_nodes(plan, is_boundary, "0100", "boundaries");
    cr_assert_eq(thaw_plan_cache_bytes(plan), 0);
    thaw_plan_entry entry;
    assert_ok(context, thaw_plan_entry_at(plan, 1, &entry));
    cr_assert_not(entry.cache_boundary, "nothing is cached there");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(regions, of_inference_are_one_prefix_without_a_cut)
{
    thaw_context *context = support_context(1);
    thaw_model *model = chain(context);
    thaw_plan *plan = plan_inference_until(model, "fusion");
    assert_regions(plan, "PPPPPPP");
    assert_nodes(plan, is_boundary, "0000000", "boundaries");
    assert_order(plan, (const thaw_node[]){ 0, 1, 2, 3, 4, 5, 6 }, 7, 7);
    cr_assert_eq(thaw_plan_cache_bytes(plan), 0);
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
