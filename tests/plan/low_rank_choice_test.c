/* Low-rank changes that layers make beside their weight, against the same changes made to the weight. */
#include <string.h>

#include "plan/plan.h"
#include "plan/store.h"
#include "support/support.h"

typedef struct problem {
    const char *name;
    int64_t batch, side; /* side 0: dense layers */
    int64_t inputs, outputs, rank;
    bool beside; /* what the plan is to choose for the forward pass */
} problem;

/* Odd sizes, but for the convolutions' channels. */
static const problem problems[] = {
    { "dense, few rows", 37, 0, 130, 261, 3, true },
    { "dense, one row", 1, 0, 70, 90, 1, true },
    { "dense, many rows", 1201, 0, 130, 261, 5, false },
    { "convolution, few positions", 3, 5, 32, 67, 3, true },
    { "convolution, many positions", 77, 5, 32, 67, 4, false },
};

/* input - below - relu - tested - relu - above - loss, where the weight of "tested" changes by low rank: as it is, or
   behind a factor of 1, which the plan does not look through. */
static thaw_model *make_model(thaw_context *context, const problem *p, bool hidden)
{
    thaw_model *model;
    thaw_node x;
    const char *const names[] = { "below", "tested", "above" };
    const int64_t widths[] = { p->inputs, p->outputs, 6 };
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context,
              thaw_input(model, p->side ? &(thaw_shape){ 3, { p->side, p->side, 4 } } : &(thaw_shape){ 1, { 9 } }, &x));
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        const thaw_conv2d_options convolution = {
            .name = names[i], .filters = widths[i], .kernel = { 3, 3 }, .padding = { 1, 1 }
        };
        const thaw_dense_options dense = { .name = names[i], .units = widths[i] };
        assert_ok(context, p->side ? thaw_conv2d(model, x, &convolution, &x) : thaw_dense(model, x, &dense, &x));
        if (i < 2)
            assert_ok(context, thaw_relu(model, x, NULL, &x));
    }
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    assert_ok(context, thaw_lora(model, "tested", p->rank, 2 * (double)p->rank));
    thaw_parameter *weight = thaw_model_find_parameter(model, "tested.weight");
    thaw_parameter *up = thaw_model_find_parameter(model, "tested.weight.lora_B");
    support_fill(thaw_parameter_edit(up), thaw_shape_count(thaw_parameter_shape(up)), 77);
    thaw_expression *same;
    if (hidden) {
        assert_ok(context, thaw_expression_scale(thaw_parameter_binding(weight), 1, &same));
        assert_ok(context, thaw_parameter_bind(model, weight, same));
    }
    return model;
}

enum { MOST_FLOATS = 1201 * 9 + 77 * 25 * 6 };

static double find_gradients(thaw_model *model, const problem *p)
{
    static float samples[MOST_FLOATS], targets[MOST_FLOATS];
    support_fill(samples, MOST_FLOATS, 1);
    support_fill(targets, MOST_FLOATS, 2);
    const thaw_step_options only_gradients = { .gradients_only = true };
    thaw_step_result result;
    const thaw_tensor in = p->side ? thaw_view_f32(samples, 4, (int64_t[]){ p->batch, p->side, p->side, 4 })
                                   : thaw_view_f32(samples, 2, (int64_t[]){ p->batch, 9 });
    const thaw_tensor out = p->side ? thaw_view_f32(targets, 4, (int64_t[]){ p->batch, p->side, p->side, 6 })
                                    : thaw_view_f32(targets, 2, (int64_t[]){ p->batch, 6 });
    assert_ok(thaw_model_context(model), thaw_step(model, &in, &out, &only_gradients, &result));
    return result.loss;
}

/* Gradients are sums of many terms of which some are rounded otherwise: they are compared with the largest. */
static void compare(const thaw_parameter *found, const thaw_parameter *expected, const char *name)
{
    const float *f = thaw_parameter_gradient(found), *e = thaw_parameter_gradient(expected);
    cr_assert_eq(f == NULL, e == NULL, "%s: %s", name, thaw_parameter_name(found));
    const size_t count = thaw_shape_count(thaw_parameter_shape(found));
    float most = 0;
    for (size_t i = 0; e && i < count; i++)
        most = e[i] > most ? e[i] : -e[i] > most ? -e[i] : most;
    for (size_t i = 0; e && i < count; i++)
        cr_assert(f[i] - e[i] <= 2e-5F * most && e[i] - f[i] <= 2e-5F * most, "%s: %s[%zu] is %g, wanted %g", name,
                  thaw_parameter_name(found), i, (double)f[i], (double)e[i]);
    cr_assert(!e || most > 0, "%s: %s has no gradient but 0", name, thaw_parameter_name(found));
}

static const thaw_low_rank_demand *demand_of(thaw_model *model, const problem *p)
{
    thaw_plan *plan;
    assert_ok(thaw_model_context(model), thaw_plan_find(model, p->batch, true, &plan));
    for (size_t i = 0; i < plan->node_count; i++)
        if (strcmp(plan->model->nodes[i].name, "tested") == 0)
            return &plan->nodes[i].low_rank;
    return NULL;
}

/* What of the change trains, and whether anything below does: an input gradient is wanted or not. */
static const char *const frozen[] = { "nothing", "*.lora_A", "*.lora_B", "below", "below|*.lora_A", "tested.bias" };

static void check(const problem *p, const char *pattern)
{
    thaw_context *context = support_context(2);
    thaw_model *model = make_model(context, p, false), *reference = make_model(context, p, true);
    if (strcmp(pattern, "nothing") != 0) {
        assert_ok(context, thaw_model_freeze(model, pattern));
        assert_ok(context, thaw_model_freeze(reference, pattern));
    }
    const float found = (float)find_gradients(model, p), expected = (float)find_gradients(reference, p);
    assert_close(&found, &expected, 1, 2e-6, p->name);
    cr_assert_eq(demand_of(model, p)->rank, p->rank, "%s: not chosen", p->name);
    cr_assert_eq(demand_of(model, p)->beside, p->beside, "%s: beside is %d", p->name, demand_of(model, p)->beside);
    cr_assert_eq(demand_of(reference, p)->rank, 0);
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        compare(thaw_model_parameter(model, i), thaw_model_parameter(reference, i), p->name);
    thaw_model_destroy(reference);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(low_rank_choice, beside_the_weight_is_as_in_it)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (size_t k = 0; k < THAW_COUNT(frozen); k++)
            check(&problems[i], frozen[k]);
}

Test(low_rank_choice, no_gradient_of_the_weight_is_formed)
{
    const problem *p = &problems[0];
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, p, false);
    find_gradients(model, p);
    cr_assert_null(thaw_model_find_parameter(model, "tested.weight")->gradient);
    thaw_plan *plan;
    assert_ok(context, thaw_plan_find(model, p->batch, true, &plan));
    cr_assert_eq(plan->gradient_buffer_count, 0);
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    const size_t trained = 9 * 130 + 130 + 261 + 3 * 130 + 3 * 261 + 261 * 6 + 6;
    cr_assert_eq(totals.trainable_parameters, trained);
    cr_assert_eq(totals.gradient_bytes, trained * sizeof(float));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(low_rank_choice, merged_gives_the_same_loss)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        thaw_context *context = support_context(2);
        thaw_model *model = make_model(context, &problems[i], false);
        const float apart = (float)find_gradients(model, &problems[i]);
        cr_assert_eq(demand_of(model, &problems[i])->rank, problems[i].rank);
        assert_ok(context, thaw_merge(model, "tested"));
        const float merged = (float)find_gradients(model, &problems[i]);
        assert_close(&merged, &apart, 1, 1e-6, problems[i].name);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* Where it costs more, where the base trains, and where several groups of channels make it impossible. */
Test(low_rank_choice, is_left_in_the_weight_where_that_is_better)
{
    thaw_context *context = support_context(1);
    const problem small = { "small", 8, 0, 12, 10, 2, false };
    thaw_model *model = make_model(context, &small, false);
    find_gradients(model, &small);
    cr_assert_eq(demand_of(model, &small)->rank, 0);
    thaw_model_destroy(model);

    model = make_model(context, &problems[0], false);
    assert_ok(context, thaw_model_unfreeze(model, "tested"));
    find_gradients(model, &problems[0]);
    cr_assert_eq(demand_of(model, &problems[0])->rank, 0);
    cr_assert_not_null(thaw_parameter_gradient(thaw_model_find_parameter(model, "tested.weight")));
    thaw_model_destroy(model);

    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { 5, 5, 128 } }, &x));
    const thaw_conv2d_options grouped = {
        .name = "tested", .filters = 128, .kernel = { 3, 3 }, .padding = { 1, 1 }, .groups = 2
    };
    assert_ok(context, thaw_conv2d(model, x, &grouped, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    assert_ok(context, thaw_lora(model, "tested", 2, 2));
    const problem groups = { .batch = 2 };
    cr_assert_eq(demand_of(model, &groups)->rank, 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
