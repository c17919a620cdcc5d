/* What attention refuses, what it does in want of memory, and how much of it a plan takes. */
#include <math.h>
#include <string.h>

#include "support/allocator.h"
#include "support/layer.h"
#include "support/network.h"

enum { STEPS = 6, WIDTH = 12 };

static thaw_node append_zeros(thaw_model *model, thaw_shape shape)
{
    static const float zeros[3 * STEPS * WIDTH];
    thaw_node node;
    assert_ok(thaw_model_context(model),
              thaw_constant(model, &(thaw_constant_options){ .shape = shape, .values = zeros }, &node));
    return node;
}

Test(attention_refusals, refuses_options_that_cannot_be)
{
    static const struct {
        thaw_attention_options options;
        const char *text;
    } cases[] = {
        { { .heads = 0 }, "attention1: heads is 0, must be at least 1" },
        { { .heads = -2 }, "heads is -2" },
        { { .heads = 2, .scale = NAN }, "scale is" },
        { { .heads = 2, .scale = INFINITY }, "scale is inf, must be finite" },
        { { .heads = 2, .dropout = 1 }, "dropout is 1, must be at least 0 and below 1" },
        { { .heads = 2, .dropout = -0.1 }, "dropout is -0.1" },
        { { .heads = 2, .dropout = NAN }, "dropout is" },
        { { .heads = 2, .name = "a*" }, "a*" },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ STEPS, WIDTH });
    thaw_node node = 0;
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        assert_fails(context, thaw_attention(model, &node, 1, &cases[i].options, &node), THAW_INVALID_ARGUMENT,
                     cases[i].text);
    assert_fails(context, thaw_attention(model, &node, 1, NULL, &node), THAW_INVALID_ARGUMENT, "heads is 0");
    const thaw_attention_options two = { .heads = 2 };
    assert_fails(context, thaw_attention(model, &node, 2, &two, &node), THAW_INVALID_ARGUMENT,
                 "attention has 2 inputs, must have 1 (packed) or 3");
    assert_fails(context, thaw_attention(model, (const thaw_node[]){ 9 }, 1, &two, &node), THAW_INVALID_ARGUMENT, "9");
    cr_assert_eq(thaw_model_node_count(model), 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(attention_refusals, refuses_shapes_that_do_not_fit)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ STEPS, WIDTH });
    const thaw_node row = append_zeros(model, (thaw_shape){ 1, { WIDTH } });
    const thaw_node narrow = append_zeros(model, (thaw_shape){ 2, { STEPS, 2 } });
    const thaw_node few = append_zeros(model, (thaw_shape){ 2, { 4, WIDTH } });
    const thaw_node bias = append_zeros(model, (thaw_shape){ 3, { 3, STEPS, STEPS } });
    const struct {
        thaw_node inputs[3];
        size_t count;
        thaw_attention_options options;
        const char *text;
    } cases[] = {
        { { row }, 1, { .heads = 2 }, "input 0 has shape [12], must be [rows, width]" },
        { { 0 }, 1, { .heads = 5 }, "input 0 has shape [6, 12], its width must be a multiple of 15" },
        { { 0, few, 0 }, 3, { .heads = 2 }, "there are 4 keys and 6 values" },
        { { 0, narrow, narrow }, 3, { .heads = 2 }, "queries are 12 wide and keys 2" },
        { { 0, 0, narrow }, 3, { .heads = 4 }, "input 2 has shape [6, 2], its width must be a multiple of 4" },
        { { 0, 0, row }, 3, { .heads = 4 }, "input 2 has shape [12]" },
        { { 0 }, 1, { .heads = 2, .lengths = &row }, "lengths have shape [12], must be [1]" },
        { { 0 }, 1, { .heads = 2, .query_lengths = &few }, "lengths have shape [4, 12]" },
        { { 0 }, 1, { .heads = 2, .bias = &bias }, "the bias has shape [3, 6, 6], must be [1 or 2 heads, 6 queries" },
        { { 0, few, few }, 3, { .heads = 3, .bias = &bias }, "the bias has shape [3, 6, 6], must be [1 or 3 heads" },
        { { 0 }, 1, { .heads = 2, .bias = &row }, "the bias has shape [12]" },
    };
    thaw_node node;
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        assert_fails(context, thaw_attention(model, cases[i].inputs, cases[i].count, &cases[i].options, &node),
                     THAW_SHAPE_MISMATCH, cases[i].text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The lengths are a dense layer's bias, if its weight is zero. */
static thaw_status append_with_lengths(thaw_model *model, thaw_node *x)
{
    thaw_node lengths;
    thaw_status status = thaw_gru(model, 0, &(thaw_recurrent_options){ .units = 1, .last_only = true }, &lengths);
    if (status == THAW_OK)
        status = thaw_dense(model, lengths, &(thaw_dense_options){ .name = "lengths", .units = 1 }, &lengths);
    return status == THAW_OK
               ? thaw_attention(model, x, 1, &(thaw_attention_options){ .heads = 2, .lengths = &lengths }, x)
               : status;
}

Test(attention_refusals, refuses_lengths_that_train_or_are_no_lengths)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ STEPS, WIDTH });
    thaw_node x = 0;
    const thaw_plan *plan;
    assert_ok(context, append_with_lengths(model, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    assert_fails(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 2 }, &plan), THAW_INVALID_ARGUMENT,
                 "a layer below its lengths trains");
    static const float bad[] = { -1, 2.5F, STEPS + 1 };
    float samples[2 * STEPS * WIDTH] = { 0 }, outputs[2 * STEPS * WIDTH / 3];
    const thaw_tensor inputs = thaw_view_f32(samples, 3, (const int64_t[]){ 2, STEPS, WIDTH });
    const thaw_tensor results = thaw_view_f32(outputs, 3, (const int64_t[]){ 2, STEPS, WIDTH / 3 });
    *thaw_parameter_edit(thaw_model_find_parameter(model, "lengths.weight")) = 0;
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        *thaw_parameter_edit(thaw_model_find_parameter(model, "lengths.bias")) = bad[i];
        assert_fails(context, thaw_predict(model, &inputs, &results), THAW_INVALID_ARGUMENT,
                     "attention: the length of sample 0 is");
    }
    *thaw_parameter_edit(thaw_model_find_parameter(model, "lengths.bias")) = STEPS;
    assert_ok(context, thaw_predict(model, &inputs, &results));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_status build_and_compile(thaw_context *context)
{
    thaw_model *model;
    thaw_node node;
    const thaw_plan *plan;
    thaw_status status = thaw_model_create(context, &model);
    if (status != THAW_OK)
        return status;
    status = thaw_input(model, &(thaw_shape){ 2, { STEPS, WIDTH } }, &node);
    if (status == THAW_OK)
        status = thaw_dense(model, node, &(thaw_dense_options){ .units = WIDTH }, &node);
    if (status == THAW_OK)
        status = thaw_attention(model, &node, 1, &(thaw_attention_options){ .heads = 2, .dropout = 0.5 }, &node);
    if (status == THAW_OK)
        status = thaw_mse(model, node, NULL, &node);
    if (status == THAW_OK)
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = 2 }, &plan);
    if (status == THAW_OK)
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = 3, .inference = true }, &plan);
    thaw_model_destroy(model);
    return status;
}

Test(attention_refusals, gives_memory_back_whichever_allocation_fails)
{
    bool failed = true;
    for (size_t fail = 1; failed; fail++) {
        support_allocator allocator = { 0 };
        thaw_context *context = support_context_on(&allocator);
        allocator.fail_at = allocator.calls + fail;
        const thaw_status status = build_and_compile(context);
        failed = allocator.calls >= allocator.fail_at;
        cr_assert(status == (failed ? THAW_OUT_OF_MEMORY : THAW_OK), "allocation %zu: %s: %s", fail,
                  thaw_status_name(status), thaw_context_message(context));
        thaw_context_destroy(context);
        cr_assert_eq(allocator.live, 0, "allocation %zu: %zu blocks are lost", fail, allocator.live);
        cr_assert(failed || fail > 20);
    }
}

/* The bytes of a plan for a sequence of so many steps. */
static thaw_plan_totals totals_of(int64_t steps, bool inference)
{
    enum { ROW = 3 * 64 };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ steps, ROW });
    thaw_node node;
    const thaw_plan *plan;
    assert_ok(context, thaw_dense(model, 0, &(thaw_dense_options){ .units = ROW }, &node));
    assert_ok(context, thaw_attention(model, &node, 1, &(thaw_attention_options){ .heads = 1 }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    support_optimize(model, "sgd:lr=0.1");
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 4, .inference = inference }, &plan));
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return totals;
}

/* One matrix of weights would have 4 MB a sample. What there is grows as the steps do. */
Test(attention_refusals, takes_no_memory_for_all_weights)
{
    for (int inference = 0; inference < 2; inference++) {
        const size_t bytes = totals_of(1024, inference).activation_bytes;
        const size_t fewer = totals_of(512, inference).activation_bytes;
        cr_assert_leq(bytes, 2 * fewer, "%zu and %zu bytes", bytes, fewer);
        cr_assert_lt(bytes, (size_t)4 * 1024 * 1024 * sizeof(float), "%zu bytes", bytes);
    }
}
