/* Activations that leave a bit an element for backward, and pools that leave a byte. */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "support/network.h"

enum { SIDE = 12, CHANNELS = 3, SAMPLE = SIDE * SIDE * CHANNELS, BATCH = 4, CLASSES = 3, FILTERS = 8 };

static thaw_node convolution(thaw_model *model, thaw_node input, const char *name)
{
    thaw_node node = -1;
    const thaw_conv2d_options options = { .name = name, .filters = FILTERS, .kernel = { 3, 3 }, .same = true };
    assert_ok(thaw_model_context(model), thaw_conv2d(model, input, &options, &node));
    return node;
}

static thaw_node relu(thaw_model *model, thaw_node input, const char *name)
{
    thaw_node node = -1;
    assert_ok(thaw_model_context(model), thaw_relu(model, input, &(thaw_simple_options){ .name = name }, &node));
    return node;
}

/* Three activations: before a pool, before a convolution, and before the mean over all positions. */
static thaw_model *build(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
    x = relu(model, convolution(model, x, "conv1"), "pooled");
    assert_ok(context, thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .name = "pool", .kernel = { 2, 2 } }, &x));
    x = relu(model, convolution(model, x, "conv2"), "convolved");
    x = relu(model, convolution(model, x, "conv3"), "averaged");
    assert_ok(context, thaw_global_average_pool2d(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.05,momentum=0.9");
    return model;
}

static thaw_node find(const thaw_model *model, const char *name)
{
    size_t i = 0;
    while (i < model->node_count && strcmp(model->nodes[i].name, name) != 0)
        i++;
    cr_assert_lt(i, model->node_count, "no node is called %s", name);
    return (thaw_node)i;
}

static const thaw_plan *plan_of(thaw_model *model)
{
    const thaw_plan *plan;
    assert_ok(model->context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    return plan;
}

static void assert_mask(thaw_model *model, const char *name, size_t elements)
{
    const thaw_plan *plan = plan_of(model);
    const thaw_node node = find(model, name);
    cr_assert_eq(plan->nodes[node].masks, elements > 0, "%s", name);
    cr_assert_eq(thaw_plan_mask_bytes(plan, node), (elements + 31) / 32 * 4, "%s", name);
}

Test(masks, are_left_where_nobody_else_reads_the_output)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    for (int fusion = 1; fusion >= 0; fusion--) {
        thaw_model_set_fusion(model, fusion);
        assert_mask(model, "pooled", BATCH * SIDE * SIDE * FILTERS);
        assert_mask(model, "convolved", 0); /* conv3 reads it for its weight's gradient */
        assert_mask(model, "averaged", BATCH * SIDE / 2 * SIDE / 2 * FILTERS);
    }
    assert_ok(context, thaw_model_freeze(model, "conv3"));
    assert_mask(model, "convolved", BATCH * SIDE / 2 * SIDE / 2 * FILTERS);
    assert_ok(context, thaw_model_freeze(model, "conv1|conv2"));
    assert_mask(model, "pooled", 0); /* in the frozen prefix nothing is left for backward */
    assert_mask(model, "averaged", 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The memory that the output of the first activation had is free for what comes after the pool. */
Test(masks, free_the_memory_of_outputs)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    const thaw_plan *plan = plan_of(model);
    const thaw_plan_node *pooled = &plan->nodes[find(model, "pooled")];
    const thaw_memory_request *output = &plan->requests[plan->nodes[pooled->root].places.output],
                              *mask = &plan->requests[pooled->places.mask];
    const size_t pool = plan->position[find(model, "pool")], first = plan->position[find(model, "pooled")];
    cr_assert_eq(output->bytes, BATCH * SIDE * SIDE * FILTERS * sizeof(float));
    cr_assert_eq(output->last, pool, "the output is needed until %zu, wanted %zu", output->last, pool);
    cr_assert_eq(mask->first, first);
    cr_assert_eq(mask->last, 2 * plan->order_count - 1 - first);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The same layer, of which the plan does not know that it is ReLU. */
static void hide_relu(thaw_model *model)
{
    static thaw_layer_capabilities unknown;
    for (size_t i = 1; i < model->node_count; i++)
        if (strcmp(model->nodes[i].module->name, "relu") == 0) {
            unknown = *model->nodes[i].capabilities;
            unknown.activation = THAW_ACTIVATION_NONE;
            model->nodes[i].capabilities = &unknown;
        }
}

static void train(thaw_model *model, const char *frozen, float losses[4])
{
    static float images[BATCH * SAMPLE];
    const int32_t labels[BATCH] = { 0, 1, 2, 1 };
    const thaw_tensor inputs = thaw_view_f32(images, 4, (int64_t[]){ BATCH, SIDE, SIDE, CHANNELS }),
                      targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    assert_ok(model->context, thaw_model_unfreeze(model, "*"));
    if (frozen)
        assert_ok(model->context, thaw_model_freeze(model, frozen));
    for (uint32_t step = 0; step < 4; step++) {
        thaw_step_result result;
        support_fill(images, BATCH * SAMPLE, step);
        assert_ok(model->context, thaw_step(model, &inputs, &targets, NULL, &result));
        losses[step] = (float)result.loss;
    }
}

Test(masks, give_the_bits_of_reading_the_output)
{
    static const char *const frozen[] = { NULL, "conv3", "conv2|head", "conv2|conv3" };
    for (size_t f = 0; f < THAW_COUNT(frozen); f++) {
        thaw_context *context = support_context(2);
        thaw_model *models[2] = { build(context), build(context) };
        float losses[2][4], *weights[2];
        size_t count;
        hide_relu(models[1]);
        for (int i = 0; i < 2; i++) {
            thaw_model_set_fusion(models[i], false);
            train(models[i], frozen[f], losses[i]);
            weights[i] = support_weights(models[i], &count);
        }
        cr_assert(plan_of(models[0])->nodes[find(models[0], "pooled")].masks);
        cr_assert_not(plan_of(models[1])->nodes[find(models[1], "pooled")].masks);
        cr_assert(memcmp(losses[0], losses[1], sizeof losses[0]) == 0);
        for (size_t i = 0; i < count; i++)
            cr_assert(weights[0][i] == weights[1][i], "weight %zu: %.9g, wanted %.9g", i, (double)weights[0][i],
                      (double)weights[1][i]);
        for (int i = 0; i < 2; i++) {
            free(weights[i]);
            thaw_model_destroy(models[i]);
        }
        thaw_context_destroy(context);
    }
}

Test(masks, of_pools_are_a_byte_for_each_output)
{
    thaw_context *context = support_context(2);
    for (int64_t kernel = 2; kernel <= 7; kernel++) {
        thaw_model *model;
        thaw_node x;
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
        x = convolution(model, x, "conv");
        assert_ok(context, thaw_max_pool2d(model, x,
                                           &(thaw_pool2d_options){ .name = "pool", .kernel = { kernel, kernel } }, &x));
        const thaw_shape *output = thaw_model_node_shape(model, x);
        const size_t elements = BATCH * thaw_shape_count(output);
        assert_ok(context, thaw_global_average_pool2d(model, x, NULL, &x));
        assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
        const thaw_plan *plan = plan_of(model);
        thaw_plan_entry entry;
        assert_ok(context, thaw_plan_entry_at(plan, (size_t)find(model, "pool"), &entry));
        cr_assert_eq(entry.workspace_bytes, elements, "kernel %d: %zu bytes for %zu values", (int)kernel,
                     entry.workspace_bytes, elements);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}
