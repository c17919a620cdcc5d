/* What LSTM and GRU refuse, and what they do in want of memory: the model is as it was, and nothing is lost. */
#include <string.h>

#include "support/allocator.h"
#include "support/layer.h"

enum { STEPS = 5, FEATURES = 4 };

static thaw_model *sequence_model(thaw_context *context)
{
    return layer_model(context, 2, (const int64_t[]){ STEPS, FEATURES });
}

Test(recurrent_refusals, refuses_what_cannot_be)
{
    static const thaw_node unknown[] = { 99, 99 }, misshaped[] = { 0, 0 };
    static const struct {
        thaw_recurrent_options options;
        thaw_status status;
        const char *text;
    } cases[] = {
        { { .units = 0 }, THAW_INVALID_ARGUMENT, "lstm1: units is 0, must be from 1 to" },
        { { .units = -1, .layers = 2 }, THAW_INVALID_ARGUMENT, "lstm1.l0: units is -1" },
        { { .units = INT64_MAX }, THAW_INVALID_ARGUMENT, "units is" },
        { { .units = INT64_MAX / 8 }, THAW_INVALID_ARGUMENT, "too large" },
        { { .units = 1, .layers = -1 }, THAW_INVALID_ARGUMENT, "lstm1: layers is -1, must be from 1 to" },
        { { .units = 1, .layers = INT64_MAX }, THAW_INVALID_ARGUMENT, "layers is" },
        { { .units = 1, .dropout = 1 }, THAW_INVALID_ARGUMENT, "lstm1: dropout is 1, must be at least 0" },
        { { .units = 1, .dropout = -0.5 }, THAW_INVALID_ARGUMENT, "dropout is -0.5" },
        { { .units = 1, .name = "a*" }, THAW_INVALID_ARGUMENT, "a*" },
        { { .units = 1, .layers = 2, .name = "input" }, THAW_OK, "" },
        { { .units = 1, .name = "taken" }, THAW_DUPLICATE, "taken" },
        { { .units = 1, .layers = 2, .name = "half" }, THAW_DUPLICATE, "half.l1" },
        { { .units = 1, .initial = unknown, .initial_count = 2 }, THAW_INVALID_ARGUMENT, "input 99 is not a node" },
        { { .units = 3, .initial = misshaped, .initial_count = 2 }, THAW_SHAPE_MISMATCH, "[5, 4], must be [1, 3]" },
        { { .units = 1, .initial = unknown }, THAW_INVALID_ARGUMENT, "lstm1: initial_count is 0, must be 2 with" },
        { { .units = 1, .initial = unknown, .initial_count = 1 }, THAW_INVALID_ARGUMENT, "initial_count is 1" },
        { { .units = 1, .initial = unknown, .initial_count = 3 }, THAW_INVALID_ARGUMENT, "initial_count is 3" },
        { { .units = 1, .initial_count = 2 }, THAW_INVALID_ARGUMENT, "initial_count is 2, must be 0 without" },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_model *model = sequence_model(context);
        thaw_node node = 0;
        assert_ok(context, thaw_relu(model, 0, &(thaw_simple_options){ .name = "taken" }, &node));
        assert_ok(context, thaw_relu(model, 0, &(thaw_simple_options){ .name = "half.l1" }, &node));
        const size_t nodes = thaw_model_node_count(model);
        const thaw_status status = thaw_lstm(model, 0, &cases[i].options, &node);
        cr_assert_eq(status, cases[i].status, "%zu: %s", i, thaw_context_message(context));
        cr_assert(status == THAW_OK || strstr(thaw_context_message(context), cases[i].text), "%zu: %s", i,
                  thaw_context_message(context));
        cr_assert(status == THAW_OK || (thaw_model_node_count(model) == nodes && thaw_model_group_count(model) == 0));
        thaw_model_destroy(model);
    }
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 3 });
    thaw_node node;
    assert_fails(context, thaw_gru(model, 0, &(thaw_recurrent_options){ .units = 2 }, &node), THAW_SHAPE_MISMATCH,
                 "gru1: the input has shape [3], must be [steps, features]");
    assert_fails(context, thaw_gru(model, 0, NULL, &node), THAW_SHAPE_MISMATCH, "gru1");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_status build_and_compile(thaw_context *context, int gru)
{
    thaw_model *model;
    thaw_node node;
    const thaw_plan *plan;
    const thaw_recurrent_options options = { .units = 3, .layers = 2, .bidirectional = true, .dropout = 0.5 };
    thaw_status status = thaw_model_create(context, &model);
    if (status != THAW_OK)
        return status;
    status = thaw_input(model, &(thaw_shape){ 2, { 2, 5 } }, &node);
    if (status == THAW_OK) {
        const size_t nodes = thaw_model_node_count(model), groups = thaw_model_group_count(model);
        status = (gru ? thaw_gru : thaw_lstm)(model, node, &options, &node);
        cr_assert(status == THAW_OK ||
                  (thaw_model_node_count(model) == nodes && thaw_model_group_count(model) == groups));
    }
    if (status == THAW_OK)
        status = thaw_mse(model, node, NULL, &node);
    if (status == THAW_OK)
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = 2 }, &plan);
    if (status == THAW_OK)
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = 3, .inference = true }, &plan);
    thaw_model_destroy(model);
    return status;
}

Test(recurrent_refusals, gives_memory_back_whichever_allocation_fails)
{
    for (int gru = 0; gru < 2; gru++) {
        bool failed = true;
        for (size_t fail = 1; failed; fail++) {
            support_allocator allocator = { 0 };
            thaw_context *context = support_context_on(&allocator);
            allocator.fail_at = allocator.calls + fail;
            const thaw_status status = build_and_compile(context, gru);
            failed = allocator.calls >= allocator.fail_at;
            cr_assert(status == (failed ? THAW_OUT_OF_MEMORY : THAW_OK), "allocation %zu: %s: %s", fail,
                      thaw_status_name(status), thaw_context_message(context));
            thaw_context_destroy(context);
            cr_assert_eq(allocator.live, 0, "allocation %zu: %zu blocks are lost", fail, allocator.live);
            cr_assert(failed || fail > 100);
        }
    }
}
