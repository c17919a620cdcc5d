#include "support/plans.h"

#include "core/allocation.h"

enum { SAMPLES = 2 };

static thaw_plan *make_bare(thaw_model *model, bool training)
{
    thaw_plan *plan = thaw_allocate(model->context, sizeof *plan);
    cr_assert_not_null(plan);
    *plan = (thaw_plan){
        .model = model,
        .batch = SAMPLES,
        .training = training,
        .node_count = model->node_count,
        .target = thaw_model_loss(model) >= 0 ? thaw_model_loss(model) : thaw_model_output(model),
        .nodes = thaw_allocate_array(model->context, model->node_count, sizeof(thaw_plan_node)),
    };
    cr_assert_not_null(plan->nodes);
    for (size_t i = 0; i < plan->node_count; i++) {
        thaw_plan_node *node = &plan->nodes[i];
        node->output_request = node->gradient_request = node->workspace_request = node->copy_request =
            node->again_request = -1;
        for (size_t k = 0; k < THAW_MAX_INPUTS; k++)
            node->spare_request[k] = -1;
    }
    return plan;
}

static thaw_plan *run_until(thaw_model *model, bool training, plan_stage stage)
{
    thaw_context *context = model->context;
    thaw_plan *plan = make_bare(model, training);
    if (stage >= PLAN_TRAINABILITY)
        assert_ok(context, thaw_pass_trainability(plan));
    if (stage >= PLAN_REGIONS)
        assert_ok(context, thaw_pass_regions(plan));
    if (stage >= PLAN_COMBINATION)
        assert_ok(context, thaw_pass_combination(plan));
    if (stage >= PLAN_PRECISION)
        thaw_pass_precision(plan);
    if (stage >= PLAN_FUSION)
        thaw_pass_fusion(plan);
    if (stage >= PLAN_KERNELS)
        assert_ok(context, thaw_pass_kernels(plan));
    if (stage >= PLAN_BUFFERS)
        assert_ok(context, thaw_pass_buffers(plan));
    return plan;
}

thaw_plan *plan_until(thaw_model *model, plan_stage stage)
{
    return run_until(model, true, stage);
}

thaw_plan *plan_inference_until(thaw_model *model, plan_stage stage)
{
    return run_until(model, false, stage);
}

void assert_nodes(const thaw_plan *plan, bool (*what)(const thaw_plan *plan, thaw_node node), const char *expected,
                  const char *name)
{
    char found[64] = "";
    cr_assert_lt(plan->node_count, sizeof found);
    for (size_t i = 0; i < plan->node_count; i++)
        found[i] = what(plan, (thaw_node)i) ? '1' : '0';
    cr_assert_str_eq(found, expected, "%s: %s, wanted %s", name, found, expected);
}
