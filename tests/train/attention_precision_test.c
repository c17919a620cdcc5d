/* Attention in bfloat16, where its lengths and its bias stay floats. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/store.h"
#include "support/gradients.h"
#include "support/network.h"

/* Passes its input on, in bfloat16 where the plan asks for that: attention follows it on any CPU. */
static thaw_status build_pass(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_output(builder, thaw_builder_input(builder, 0));
}

static thaw_status prepare_pass(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    size_t *bytes = thaw_allocate(demand->context, sizeof *bytes);
    if (!bytes)
        return THAW_OUT_OF_MEMORY;
    *bytes =
        (size_t)demand->batch * thaw_shape_count(&demand->output) * thaw_dtype_bytes(demand->capabilities->precision);
    needs->state = bytes;
    return THAW_OK;
}

static thaw_status forward_pass(const thaw_layer_run *run)
{
    memcpy(run->output, run->inputs[0], *(const size_t *)run->state);
    return THAW_OK;
}

static thaw_status backward_pass(const thaw_layer_run *run)
{
    memcpy(run->input_gradients[0], run->output_gradient, *(const size_t *)run->state);
    return THAW_OK;
}

static const thaw_layer_capabilities pass_capabilities = { .size = sizeof pass_capabilities,
                                                           .bfloat16 = THAW_BFLOAT16_CHOSEN };

static const thaw_layer_module pass_on = {
    THAW_LAYER_MODULE_HEAD,  .name = "pass_on",       .capabilities = &pass_capabilities, .build = build_pass,
    .prepare = prepare_pass, .forward = forward_pass, .backward = backward_pass,          .release = thaw_release,
};

enum { KEYS = 300, HEAD = 8, WIDE = 3 * HEAD, WHOLE = KEYS * WIDE };

/* Rows with learned positions, and a learned bias: both below attention, one in bfloat16 and one in floats. */
static thaw_model *build_mixed(thaw_context *context, bool bfloat16)
{
    static float zeros[KEYS];
    thaw_model *model;
    thaw_node x, lengths, bias;
    assert_ok(context, thaw_model_create(context, &model));
    const thaw_input_options rows = { .name = "rows", .shape = { 2, { KEYS, WIDE } } };
    assert_ok(context, thaw_named_input(model, &rows, &x));
    assert_ok(context,
              thaw_named_input(model, &(thaw_input_options){ .name = "lengths", .dtype = THAW_I32 }, &lengths));
    const thaw_constant_options row = { .shape = { 2, { 1, KEYS } }, .values = zeros };
    const thaw_prepend_tokens_options others = { .name = "bias", .tokens = KEYS - 1 };
    assert_ok(context, thaw_constant(model, &row, &bias));
    assert_ok(context, thaw_prepend_tokens(model, bias, &others, &bias));
    assert_ok(context, thaw_reshape(model, bias, &(thaw_reshape_options){ .shape = { 3, { 1, KEYS, KEYS } } }, &bias));
    assert_ok(context, thaw_model_append(model, &pass_on, NULL, &x, 1, NULL, &x));
    assert_ok(context, thaw_positions(model, x, &(thaw_positions_options){ .name = "positions" }, &x));
    const thaw_attention_options options = { .name = "attention", .heads = 1, .lengths = &lengths, .bias = &bias };
    assert_ok(context, thaw_attention(model, &x, 1, &options, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    if (bfloat16)
        model->precision = (thaw_precision){ .all = THAW_BF16 }; /* whatever this CPU can */
    return model;
}

typedef struct mixed {
    float outputs[2 * KEYS * HEAD];
    float *gradients;
    size_t count;
    char precisions[32]; /* of the nodes */
} mixed;

static void run_mixed(bool bfloat16, mixed *found)
{
    static float rows[2 * WHOLE], targets[2 * KEYS * HEAD];
    static const int32_t lengths[] = { 257, 3 }; /* 257 is 256 in bfloat16 */
    thaw_context *context = support_context(2);
    thaw_model *model = build_mixed(context, bfloat16);
    support_fill(rows, THAW_COUNT(rows), 1);
    support_fill(targets, THAW_COUNT(targets), 2);
    for (size_t c = 0; c < HEAD; c++)
        rows[256 * WIDE + 2 * HEAD + c] = 200; /* the last value that counts */
    const thaw_tensor inputs[] = { thaw_view_f32(rows, 3, (int64_t[]){ 2, KEYS, WIDE }),
                                   thaw_view_i32(lengths, 1, (int64_t[]){ 2 }) };
    const thaw_tensor into = thaw_view_f32(found->outputs, 3, (int64_t[]){ 2, KEYS, HEAD });
    const thaw_tensor wanted = thaw_view_f32(targets, 3, (int64_t[]){ 2, KEYS, HEAD });
    thaw_plan *plan;
    assert_ok(context, thaw_predict(model, inputs, &into));
    assert_ok(context, thaw_step(model, inputs, &wanted, &(thaw_step_options){ .gradients_only = true }, NULL));
    found->gradients = support_gradients(model, &found->count);
    assert_ok(context, thaw_plan_find(model, 2, true, &plan));
    for (size_t i = 0; i < plan->node_count; i++)
        found->precisions[i] = plan->nodes[i].precision == THAW_BF16 ? 'b' : 'f';
    found->precisions[plan->node_count] = '\0';
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(attention_precision, compute_in_bfloat16_with_lengths_and_biases_of_floats)
{
    static mixed floats, halves;
    run_mixed(false, &floats);
    run_mixed(true, &halves);
    cr_assert_eq(strchr(floats.precisions, 'b'), NULL);
    cr_assert_eq(halves.precisions[strlen(halves.precisions) - 2], 'b', "precisions %s", halves.precisions);
    for (size_t i = 0; i < THAW_COUNT(floats.outputs); i++)
        cr_assert_float_eq((double)halves.outputs[i], (double)floats.outputs[i],
                           0.02 * (1 + fabs((double)floats.outputs[i])), "output %zu: %g, not %g", i,
                           (double)halves.outputs[i], (double)floats.outputs[i]);
    const double apart = support_distance(halves.gradients, floats.gradients, floats.count);
    cr_assert_leq(apart, 0.03, "%g apart", apart);
    free(floats.gradients);
    free(halves.gradients);
}
