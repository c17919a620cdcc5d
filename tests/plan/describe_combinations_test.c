/* What a plan says of combinations of parameters: how each is computed, and in how much memory. */
#include <string.h>

#include "support/network.h"

/* One parameter of each kind of computation. */
Test(describe_combinations, they_say_how_they_are_computed)
{
    static const char *const computed[] = { "beside the layer", "each step", "once", "as it is stored", "each step" };
    static const thaw_trainability trainability[] = { THAW_PARTIAL, THAW_PARTIAL, THAW_FROZEN, THAW_TRAINABLE,
                                                      THAW_TRAINABLE };
    static const size_t bytes[] = { 0, 4 * 256, 4 * 256, 0, 4 * 10 * 256 };
    static const int64_t units[] = { 256, 256, 256, 256, 10 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node x;
    thaw_expression *e, *half;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 256 } }, &x));
    for (size_t i = 0; i < THAW_COUNT(units); i++)
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = units[i] }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "adam");
    assert_ok(context, thaw_lora(model, "dense1", 4, 8));
    assert_ok(context, thaw_expression_of(model, thaw_model_find_parameter(model, "dense2.bias"), &e));
    assert_ok(context,
              thaw_expression_mask(e, &(thaw_tensor){ THAW_U8, { 1, { 256 } }, (unsigned char[256]){ 1 } }, &e));
    assert_ok(context, thaw_parameter_bind(model, thaw_model_find_parameter(model, "dense2.bias"), e));
    assert_ok(context, thaw_expression_of(model, thaw_model_find_parameter(model, "dense3.bias"), &e));
    assert_ok(context, thaw_expression_scale(e, 0.5, &half));
    assert_ok(context, thaw_parameter_bind(model, thaw_model_find_parameter(model, "dense3.bias"), half));
    assert_ok(context, thaw_model_freeze(model, "dense3"));
    assert_ok(context, thaw_expression_of(model, thaw_model_find_parameter(model, "dense2.weight"), &e));
    assert_ok(context, thaw_parameter_bind(model, thaw_model_find_parameter(model, "dense4.weight"), e));
    assert_ok(context, thaw_expression_of(model, thaw_model_find_parameter(model, "dense5.weight"), &e));
    assert_ok(context, thaw_expression_scale(e, 2, &e));
    assert_ok(context, thaw_parameter_bind(model, thaw_model_find_parameter(model, "dense5.weight"), e));
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 32 }, &plan));
    cr_assert_eq(thaw_plan_combination_count(plan), 5);
    thaw_plan_combination entry;
    for (size_t i = 0; i < 5; i++) {
        assert_ok(context, thaw_plan_combination_at(plan, i, &entry));
        cr_assert_eq(strncmp(entry.computed, computed[i], strlen(computed[i])), 0, "%zu: %s", i, entry.computed);
        cr_assert_eq(entry.trainability, trainability[i], "%zu: %d", i, entry.trainability);
        cr_assert_eq(entry.value_bytes, bytes[i], "%zu: %zu bytes", i, entry.value_bytes);
    }
    assert_fails(context, thaw_plan_combination_at(plan, 5, &entry), THAW_INVALID_ARGUMENT,
                 "combination is 5, the plan has 5");
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    cr_assert_eq(totals.combination_bytes, 4 * (256 + 256 + 10 * 256));
    cr_assert_eq(totals.trainable_parameters, 256 + 2 * 4 * 256 + 256 * 256 + 256 + 256 + 10 * 256 + 10);
    char *text;
    assert_ok(context, thaw_plan_describe(plan, &text));
    cr_assert_not_null(
        strstr(text, "dense1.weight = dense1.weight + 2 * dense1.weight.lora_B @ dense1.weight.lora_A\n"));
    cr_assert_not_null(strstr(text, "partial; computed beside the layer: y += s B (A x)"));
    cr_assert_not_null(strstr(text, "dense5.weight = 2 * dense5.weight\n    trainable; computed each step"));
    thaw_text_destroy(context, text);
    thaw_plan_entry node;
    assert_ok(context, thaw_plan_entry_at(plan, 1, &node));
    cr_assert_eq(node.trainability, THAW_PARTIAL);
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 32, .inference = true }, &plan));
    assert_ok(context, thaw_plan_combination_at(plan, 0, &entry));
    cr_assert_str_eq(entry.computed, "when it changes");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
