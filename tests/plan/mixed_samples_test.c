/* A frozen prefix does not run in tiles if a layer in it mixes the samples of a batch. */
#include <stdlib.h>

#include "plan/plan.h"
#include "support/support.h"

enum { SIDE = 40, CHANNELS = 8, SAMPLE = SIDE * SIDE * CHANNELS, CLASSES = 3, BATCH = 25 };

static thaw_status spread_build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_output(builder, thaw_builder_input(builder, 0));
}

static thaw_status spread_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    int64_t *batch_size = thaw_allocate(demand->context, sizeof *batch_size);
    if (!batch_size)
        return THAW_OUT_OF_MEMORY;
    *batch_size = demand->batch;
    needs->state = batch_size;
    needs->mixes_samples = true;
    needs->kernel = "spread";
    return THAW_OK;
}

/* Each sample becomes the batch's first. */
static thaw_status spread_forward(const thaw_layer_run *run)
{
    const float *input = run->inputs[0];
    float *output = run->output;
    for (int64_t i = 0; i < *(const int64_t *)run->state; i++)
        for (size_t k = 0; k < SAMPLE; k++)
            output[(size_t)i * SAMPLE + k] = input[k];
    return THAW_OK;
}

static void spread_release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}

static const thaw_layer_module spread = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "spread",
    .build = spread_build,
    .prepare = spread_prepare,
    .forward = spread_forward,
    .release = spread_release,
};

Test(mixed_samples, keep_a_batch_whole)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { SIDE, SIDE, CHANNELS } }, &node));
    assert_ok(context, thaw_relu(model, node, NULL, &node));
    assert_ok(context, thaw_model_append(model, &spread, NULL, &node, 1, NULL, &node));
    assert_ok(context, thaw_global_average_pool2d(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &node));
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH, .inference = true }, &plan));
    cr_assert_eq(thaw_plan_totals_of(plan).tile, BATCH);
    float *samples = malloc(sizeof(float) * BATCH * SAMPLE), outputs[BATCH * CLASSES];
    cr_assert_not_null(samples);
    support_fill(samples, (size_t)BATCH * SAMPLE, 5);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (const int64_t[]){ BATCH, SIDE, SIDE, CHANNELS });
    const thaw_tensor results = thaw_view_f32(outputs, 2, (const int64_t[]){ BATCH, CLASSES });
    assert_ok(context, thaw_predict(model, &inputs, &results));
    for (int i = 1; i < BATCH; i++)
        assert_close(outputs + i * CLASSES, outputs, CLASSES, 1e-6, "a sample like the first");
    free(samples);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
