#include "support/plans.h"

static bool is_used(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].used;
}

static bool carries(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].carries;
}

static bool first_input(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].input_gradient[0];
}

static bool second_input(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].input_gradient[1];
}

static bool first_parameter(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].parameter_gradient[0];
}

static bool second_parameter(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].parameter_gradient[1];
}

/* input 0, a 1, b 2 (with a statistic), c 3, loss 4. */
static thaw_model *chain(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_center, "b", 1, -1);
    toy_append(model, &toy_scale, "c", 2, -1);
    toy_append(model, &toy_quadratic, "loss", 3, -1);
    return model;
}

static void assert_chain(const char *frozen, const char *carrying, const char *inputs, const char *parameters)
{
    thaw_context *context = support_context(1);
    thaw_model *model = chain(context);
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    thaw_plan *plan = plan_until(model, "trainability");
    assert_nodes(plan, is_used, "11111", "used");
    assert_nodes(plan, carries, carrying, "carries");
    assert_nodes(plan, first_input, inputs, "input gradients");
    assert_nodes(plan, first_parameter, parameters, "parameter gradients");
    assert_nodes(plan, second_parameter, "00000", "gradients of statistics");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(trainability, nothing_is_computed_below_the_lowest_trainable_parameter)
{
    assert_chain(NULL, "01111", "00111", "01110");
    assert_chain("a", "00111", "00011", "00110");
    assert_chain("a|b", "00011", "00001", "00010");
    assert_chain("a|b.factor", "00011", "00001", "00010");
}

Test(trainability, gradients_pass_through_frozen_layers)
{
    assert_chain("b", "01111", "00111", "01010");
    assert_chain("b|c", "01111", "00111", "01000");
    assert_chain("c", "01111", "00111", "01100");
}

Test(trainability, stops_where_one_branch_is_frozen)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "left", 0, -1);     /* 1 */
    toy_append(model, &toy_scale, "right", 0, -1);    /* 2 */
    toy_append(model, &toy_sum, "sum", 1, 2);         /* 3 */
    toy_append(model, &toy_sum, "residual", 3, 0);    /* 4 */
    toy_append(model, &toy_quadratic, "loss", 4, -1); /* 5 */
    assert_ok(context, thaw_model_freeze(model, "left"));
    thaw_plan *plan = plan_until(model, "trainability");
    assert_nodes(plan, carries, "001111", "carries");
    assert_nodes(plan, first_input, "000011", "gradients of first inputs");
    assert_nodes(plan, second_input, "000100", "gradients of second inputs");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* input 0, a 1, dead 2, deader 3, loss 4 on a. */
static thaw_model *with_dead_branch(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_scale, "dead", 1, -1);
    toy_append(model, &toy_curve, "deader", 2, -1);
    toy_append(model, &toy_quadratic, "loss", 1, -1);
    return model;
}

Test(trainability, leaves_dead_branches_out)
{
    thaw_context *context = support_context(1);
    thaw_model *model = with_dead_branch(context);
    thaw_plan *plan = plan_until(model, "trainability");
    assert_nodes(plan, is_used, "11001", "used");
    assert_nodes(plan, carries, "01001", "carries");
    assert_nodes(plan, first_parameter, "01000", "parameter gradients");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void assert_nothing_trains(thaw_model *model, const char *frozen)
{
    thaw_context *context = thaw_model_context(model);
    assert_ok(context, thaw_model_freeze(model, frozen));
    thaw_plan *plan = plan_until(model, NULL);
    assert_fails(context, thaw_pass_trainability(plan), THAW_NOTHING_TRAINABLE, "unfreeze a group");
    thaw_plan_release(plan);
    plan = plan_inference_until(model, "trainability");
    cr_assert_not(plan->nodes[plan->target].carries);
    thaw_plan_release(plan);
    thaw_model_destroy(model);
}

Test(trainability, is_an_error_where_nothing_that_counts_trains)
{
    thaw_context *context = support_context(1);
    assert_nothing_trains(chain(context), "*");
    assert_nothing_trains(chain(context), "*.factor");
    assert_nothing_trains(with_dead_branch(context), "a");
    thaw_context_destroy(context);
}

Test(trainability, of_inference_is_that_nothing_carries)
{
    thaw_context *context = support_context(1);
    thaw_model *model = with_dead_branch(context);
    thaw_plan *plan = plan_inference_until(model, "trainability");
    assert_nodes(plan, is_used, "11001", "used");
    assert_nodes(plan, carries, "00000", "carries");
    assert_nodes(plan, first_parameter, "00000", "parameter gradients");
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
