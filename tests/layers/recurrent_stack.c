#include "layers/recurrent_stack.h"

#include "support/layer.h"

enum { BATCH = RECURRENT_BATCH, STEPS = RECURRENT_STEPS, FEATURES = RECURRENT_FEATURES, UNITS = RECURRENT_UNITS };

const char *const recurrent_kinds[] = { "lstm", "gru" };

const thaw_recurrent_options recurrent_pair_of_pairs = {
    .name = "rnn", .units = UNITS, .layers = 2, .bidirectional = true
};

thaw_status recurrent_append(thaw_model *model, int gru, thaw_node input, const thaw_recurrent_options *options,
                             thaw_node *output)
{
    return (gru ? thaw_gru : thaw_lstm)(model, input, options, output);
}

thaw_model *recurrent_sequence(thaw_context *context)
{
    return layer_model(context, 2, (const int64_t[]){ STEPS, FEATURES });
}

thaw_model *recurrent_stack(thaw_context *context, int gru, const thaw_recurrent_options *options, bool loss)
{
    thaw_model *model = recurrent_sequence(context);
    thaw_optimizer *optimizer;
    thaw_node node = 0;
    assert_ok(context, recurrent_append(model, gru, node, options, &node));
    if (loss)
        assert_ok(context, thaw_mse(model, node, &(thaw_mse_options){ .reduction = THAW_REDUCE_SUM }, &node));
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.01,momentum=0.9", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    return model;
}

thaw_status recurrent_step(thaw_model *model, const thaw_step_options *options, thaw_step_result *result)
{
    float inputs[BATCH * STEPS * FEATURES], targets[BATCH * STEPS * 2 * UNITS];
    const int64_t *out = thaw_model_node_shape(model, thaw_model_output(model))->dims;
    support_fill(inputs, BATCH * STEPS * FEATURES, 100);
    support_fill(targets, BATCH * STEPS * 2 * UNITS, 400);
    const thaw_tensor x = thaw_view_f32(inputs, 3, (const int64_t[]){ BATCH, STEPS, FEATURES });
    const thaw_tensor y = thaw_view_f32(targets, 3, (const int64_t[]){ BATCH, out[0], out[1] });
    return thaw_step(model, &x, &y, options, result);
}
