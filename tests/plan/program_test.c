/* The program that a plan ends in: which instructions, in which order. */
#include <stdio.h>
#include <string.h>

#include "support/network.h"

enum { BATCH = 8, LIST_BYTES = 4096 };

/* Writes "section operation layer" of each instruction, a line each; without those of a build with -Dpoison. */
static void list(const thaw_plan *plan, char text[LIST_BYTES])
{
    size_t length = 0;
    for (size_t i = 0; i < thaw_plan_instruction_count(plan); i++) {
        thaw_plan_instruction row;
        cr_assert_eq(thaw_plan_instruction_at(plan, i, &row), THAW_OK);
        if (strcmp(row.operation, "poison") == 0)
            continue;
        length += (size_t)snprintf(text + length, LIST_BYTES - length, "%s %s%s%s\n", row.section, row.operation,
                                   row.layer ? " " : "", row.layer ? row.layer : "");
        cr_assert_lt(length, LIST_BYTES);
    }
}

static void assert_list(thaw_model *model, bool inference, const char *expected)
{
    char found[LIST_BYTES];
    const thaw_plan *plan;
    const thaw_plan_options options = { .batch = BATCH, .inference = inference };
    assert_ok(thaw_model_context(model), thaw_model_plan(model, &options, &plan));
    list(plan, found);
    cr_assert_str_eq(found, expected, "found:\n%s\nwanted:\n%s", found, expected);
}

/* Of layers without fusion and packed copies, which depend on the CPU. */
static thaw_model *small_network(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 3 } }, &x));
    assert_ok(context, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .name = "below" }, &x));
    assert_ok(context, thaw_relu(model, x, &(thaw_simple_options){ .name = "relu" }, &x));
    assert_ok(context, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .name = "above" }, &x));
    assert_ok(context,
              thaw_softmax_cross_entropy(model, x, &(thaw_softmax_cross_entropy_options){ .name = "loss" }, &x));
    support_optimize(model, "sgd");
    return model;
}

Test(program, runs_forward_then_backward_and_says_when_a_gradient_is_complete)
{
    thaw_context *context = support_context(1);
    thaw_model *model = small_network(context);
    assert_list(model, false,
                "forward forward below\n"
                "forward forward relu\n"
                "forward forward above\n"
                "loss forward loss\n"
                "backward backward loss\n"
                "backward backward above\n"
                "backward final above\n"
                "backward final above\n"
                "backward backward relu\n"
                "backward backward below\n"
                "backward final below\n"
                "backward final below\n"
                "clip norm\n"
                "check check\n"
                "update update\n");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(program, leaves_out_what_freezing_makes_needless)
{
    thaw_context *context = support_context(1);
    thaw_model *model = small_network(context);
    assert_ok(context, thaw_model_freeze(model, "below"));
    assert_list(model, false,
                "once restore below\n"
                "prefix forward below\n"
                "prefix forward relu\n"
                "keep keep\n"
                "forward forward above\n"
                "loss forward loss\n"
                "backward backward loss\n"
                "backward backward above\n"
                "backward final above\n"
                "backward final above\n"
                "clip norm\n"
                "check check\n"
                "update update\n");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(program, of_evaluation_depends_on_all_parameters_once)
{
    thaw_context *context = support_context(1);
    thaw_model *model = small_network(context);
    assert_list(model, true,
                "once restore below\n"
                "once restore above\n"
                "prefix forward below\n"
                "prefix forward relu\n"
                "prefix forward above\n"
                "loss forward loss\n");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Two layers that compute with one tensor times a factor of its own: its gradient is complete with the lower one, to
   run backward last, and expressions that train are evaluated in each step, the frozen one once. */
Test(program, evaluates_expressions_and_propagates_their_gradients)
{
    thaw_context *context = support_context(1);
    thaw_model *model = small_network(context);
    thaw_expression *shared, *lower, *upper;
    thaw_parameter *scale = thaw_model_find_parameter(model, "below.weight");
    thaw_parameter *other = thaw_model_find_parameter(model, "above.weight");
    assert_ok(context, thaw_expression_of(model, scale, &shared));
    assert_ok(context, thaw_expression_scale(shared, 2, &lower));
    assert_ok(context, thaw_expression_scale(shared, 3, &upper));
    assert_ok(context, thaw_parameter_bind(model, scale, lower));
    assert_ok(context, thaw_parameter_bind(model, other, upper));
    assert_list(model, false,
                "forward evaluate below\n"
                "forward forward below\n"
                "forward forward relu\n"
                "forward evaluate above\n"
                "forward forward above\n"
                "loss forward loss\n"
                "backward backward loss\n"
                "backward backward above\n"
                "backward propagate above\n"
                "backward final above\n"
                "backward backward relu\n"
                "backward backward below\n"
                "backward propagate below\n"
                "backward final below\n"
                "backward final below\n"
                "clip norm\n"
                "check check\n"
                "update update\n");
    assert_ok(context, thaw_model_freeze(model, "below"));
    const thaw_plan *plan;
    char found[LIST_BYTES];
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    list(plan, found);
    cr_assert_not_null(strstr(found, "once evaluate below\n"), "%s", found);
    cr_assert_not_null(strstr(found, "once evaluate above\n"), "%s", found);
    cr_assert_null(strstr(found, "propagate"), "%s", found);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(program, is_told_as_a_table_with_a_line_for_each_instruction)
{
    thaw_context *context = support_context(1);
    thaw_model *model = small_network(context);
    const thaw_plan *plan;
    char *text;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    assert_ok(context, thaw_plan_program(plan, &text));
    size_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    cr_assert_eq(lines, thaw_plan_instruction_count(plan) + 1);
    cr_assert_not_null(strstr(text, "backward  backward   above  -> d(relu), d(above.weight), d(above.bias)"), "%s",
                       text);
    thaw_plan_instruction row;
    assert_fails(context, thaw_plan_instruction_at(plan, lines - 1, &row), THAW_INVALID_ARGUMENT, "the plan has");
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
