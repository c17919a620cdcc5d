#include "support/plans.h"

enum { SAMPLES = 2 };

static thaw_plan *run_until(thaw_model *model, bool training, const char *pass)
{
    thaw_plan *plan;
    const thaw_plan_request request = { .batch = SAMPLES, .training = training, .cache = model->cache, .shards = 1 };
    assert_ok(model->context, thaw_plan_create(model, &request, &plan));
    if (pass)
        assert_ok(model->context, thaw_plan_compile(plan, pass));
    return plan;
}

thaw_plan *plan_until(thaw_model *model, const char *pass)
{
    return run_until(model, true, pass);
}

thaw_plan *plan_inference_until(thaw_model *model, const char *pass)
{
    return run_until(model, false, pass);
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
