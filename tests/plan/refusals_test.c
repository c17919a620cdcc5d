/* What no plan is made for, and that nothing is lost by asking. */
#include "plan/store.h"
#include "support/plans.h"

static thaw_model *two_scales(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_scale, "b", 1, -1);
    toy_append(model, &toy_quadratic, "loss", 2, -1);
    return model;
}

static void assert_no_plan(thaw_model *model, int64_t batch, bool inference, thaw_status status, const char *text)
{
    const thaw_plan *plan = (const thaw_plan *)model; /* anything but NULL */
    const thaw_plan_options options = { .batch = batch, .inference = inference };
    assert_fails(thaw_model_context(model), thaw_model_plan(model, &options, &plan), status, text);
    cr_assert_null(plan);
}

Test(refusals, refuses_batches_that_are_none)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_scales(context);
    const int64_t none[] = { 0, -1, INT64_MIN }, huge[] = { INT64_MAX, INT64_MAX / 8, INT64_C(1) << 58 };
    for (size_t i = 0; i < 3; i++) {
        assert_no_plan(model, none[i], false, THAW_INVALID_ARGUMENT, "at least 1");
        assert_no_plan(model, none[i], true, THAW_INVALID_ARGUMENT, "at least 1");
        assert_no_plan(model, huge[i], false, THAW_OUT_OF_MEMORY, "overflows a size");
        assert_no_plan(model, huge[i], true, THAW_OUT_OF_MEMORY, "overflows a size");
    }
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 1 }, &plan));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_status build_as_input(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_output(builder, thaw_builder_input(builder, 0));
}

static thaw_status want_options(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    *needs = *(const thaw_layer_needs *)demand->options;
    return THAW_OK;
}

Test(refusals, refuses_kernels_that_want_more_memory_than_a_size_counts)
{
    static const thaw_layer_module greedy = { .size = sizeof(thaw_layer_module),
                                              .abi = THAW_LAYER_ABI,
                                              .name = "greedy",
                                              .options_size = sizeof(thaw_layer_needs),
                                              .build = build_as_input,
                                              .prepare = want_options };
    const thaw_layer_needs wanted[] = {
        { .scratch_bytes = SIZE_MAX },         { .packed_bytes = SIZE_MAX },     { .workspace_bytes = SIZE_MAX },
        { .scratch_bytes = SIZE_MAX / 2 },     { .packed_bytes = SIZE_MAX / 2 }, { .workspace_bytes = SIZE_MAX / 2 },
        { .packed_bytes = SIZE_MAX / 4 - 63 },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(wanted); i++) {
        thaw_model *model = toy_model(context, 3);
        /* Five of them, so that the last case is too much in all. */
        for (thaw_node node = 0; node < 5;)
            assert_ok(context, thaw_model_append(model, &greedy, NULL, &node, 1, &wanted[i], &node));
        assert_no_plan(model, 1, true, THAW_OUT_OF_MEMORY, "overflows a size");
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(refusals, refuses_models_that_are_not_whole)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_node input;
    assert_ok(context, thaw_model_create(context, &model));
    assert_no_plan(model, 1, false, THAW_INVALID_ARGUMENT, "no layers");
    assert_no_plan(model, 1, true, THAW_INVALID_ARGUMENT, "no layers");
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 3 } }, &input));
    assert_no_plan(model, 1, false, THAW_INVALID_ARGUMENT, "no layers");
    toy_append(model, &toy_scale, "a", 0, -1);
    assert_no_plan(model, 1, false, THAW_INVALID_ARGUMENT, "no loss");
    cr_assert_null(thaw_plan_updates(model));
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 1, .inference = true }, &plan));
    toy_append(model, &toy_quadratic, NULL, 1, -1);
    assert_ok(context, thaw_model_freeze(model, "a"));
    assert_no_plan(model, 1, false, THAW_NOTHING_TRAINABLE, "frozen");
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 1, .inference = true }, &plan));
    assert_ok(context, thaw_model_unfreeze(model, "a"));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 1 }, &plan));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(refusals, a_step_without_an_optimizer_changes_nothing)
{
    thaw_context *context = support_context(1);
    thaw_model *model = two_scales(context);
    const float before = toy_value(model, "b.factor");
    assert_fails(context, toy_step(model, 2, 1, NULL), THAW_INVALID_ARGUMENT, "has no optimizer");
    cr_assert_eq(toy_value(model, "b.factor"), before);
    cr_assert_eq(model->steps, 0);
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(model, "b.factor")), 0);
    thaw_optimizer *sgd;
    assert_ok(context, thaw_optimizer_create(context, "sgd", &sgd));
    assert_ok(context, thaw_select_optimizer(model, "*", sgd));
    thaw_optimizer_destroy(sgd);
    assert_ok(context, toy_step(model, 2, 1, NULL));
    cr_assert_eq(model->steps, 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
