/* A frozen prefix that runs on a part of the batch at a time gives what single samples give. */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "support/support.h"

enum { SIDE = 40, CHANNELS = 8, SAMPLE = SIDE * SIDE * CHANNELS, CLASSES = 3, MOST = 25 };

static thaw_model *create(thaw_context *context)
{
    thaw_model *model;
    thaw_node input;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { SIDE, SIDE, CHANNELS } }, &input));
    return model;
}

/* What depends on no sample: a constant, and its hyperbolic tangent. */
static thaw_node append_constant(thaw_context *context, thaw_model *model)
{
    static float values[SIDE * SIDE * 16];
    const thaw_constant_options constant = { .shape = { 3, { SIDE, SIDE, 16 } }, .values = values };
    thaw_node node;
    support_fill(values, THAW_COUNT(values), 8);
    assert_ok(context, thaw_constant(model, &constant, &node));
    assert_ok(context, thaw_tanh(model, node, NULL, &node));
    return node;
}

/* Two results of the prefix, each read by a dense layer; one of them through the identities that dropout and flatten
   become. The convolutions' sum has readers of its own kind: a residual connection. With `constant`, what depends
   on no sample is added to it, and would be overwritten if it were allowed to. */
static thaw_model *branching(thaw_context *context, bool constant)
{
    thaw_model *model = create(context);
    const thaw_conv2d_options first = { .name = "conv1", .filters = 16, .kernel = { 3, 3 }, .same = true };
    const thaw_conv2d_options second = { .name = "conv2", .filters = 16, .kernel = { 3, 3 }, .same = true };
    const thaw_pool2d_options pool = { .kernel = { 8, 8 } };
    const thaw_dropout_options dropout = { .rate = 0.5 };
    thaw_node wide, node, pooled, mean;
    assert_ok(context, thaw_conv2d(model, 0, &first, &wide));
    assert_ok(context, thaw_relu(model, wide, NULL, &wide));
    assert_ok(context, thaw_conv2d(model, wide, &second, &node));
    assert_ok(context, thaw_add(model, wide, node, NULL, &node));
    if (constant)
        assert_ok(context, thaw_add(model, append_constant(context, model), node, NULL, &node));
    assert_ok(context, thaw_max_pool2d(model, node, &pool, &pooled));
    assert_ok(context, thaw_dropout(model, pooled, &dropout, &pooled));
    assert_ok(context, thaw_flatten(model, pooled, NULL, &pooled));
    assert_ok(context, thaw_global_average_pool2d(model, node, NULL, &mean));
    assert_ok(context, thaw_dense(model, pooled, &(thaw_dense_options){ .name = "head1", .units = CLASSES }, &pooled));
    assert_ok(context, thaw_dense(model, mean, &(thaw_dense_options){ .name = "head2", .units = CLASSES }, &mean));
    assert_ok(context, thaw_add(model, pooled, mean, NULL, &node));
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    return model;
}

typedef struct batch {
    float *inputs;
    int32_t labels[MOST];
} batch;

static batch make_batch(void)
{
    batch made = { .inputs = malloc(MOST * SAMPLE * sizeof(float)) };
    cr_assert_not_null(made.inputs);
    support_fill(made.inputs, (size_t)MOST * SAMPLE, 5);
    for (int i = 0; i < MOST; i++)
        made.labels[i] = i % CLASSES;
    return made;
}

static thaw_tensor view_inputs(const batch *from, int64_t first, int64_t count)
{
    return thaw_view_f32(from->inputs + first * SAMPLE, 4, (const int64_t[]){ count, SIDE, SIDE, CHANNELS });
}

static void predict(thaw_model *model, thaw_context *context, const batch *from, int64_t first, int64_t count,
                    float *outputs)
{
    const thaw_tensor inputs = view_inputs(from, first, count);
    const thaw_tensor results = thaw_view_f32(outputs, 2, (const int64_t[]){ count, CLASSES });
    assert_ok(context, thaw_predict(model, &inputs, &results));
}

/* Gradients alone, so that the parameters stay. */
static void step(thaw_model *model, thaw_context *context, batch *from, int64_t first, int64_t count)
{
    const thaw_tensor inputs = view_inputs(from, first, count);
    const thaw_tensor targets = thaw_view_i32(from->labels + first, 1, (const int64_t[]){ count });
    const thaw_step_options options = { .gradients_only = true };
    assert_ok(context, thaw_step(model, &inputs, &targets, &options, NULL));
}

static int64_t tile_of(thaw_model *model, thaw_context *context, int64_t count, bool inference)
{
    const thaw_plan_options options = { .batch = count, .inference = inference };
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &options, &plan));
    return thaw_plan_totals_of(plan).tile;
}

static void predicts_as_single_samples(int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model = branching(context, true);
    batch data = make_batch();
    float alone[MOST * CLASSES], together[MOST * CLASSES];
    for (int i = 0; i < MOST; i++)
        predict(model, context, &data, i, 1, alone + i * CLASSES);
    for (int64_t count = 16; count <= MOST; count++) {
        cr_assert_lt(tile_of(model, context, count, true), count);
        predict(model, context, &data, 0, count, together);
        assert_close(together, alone, (size_t)count * CLASSES, 1e-5, "outputs");
    }
    free(data.inputs);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(tiles, predict_as_single_samples)
{
    predicts_as_single_samples(1);
    predicts_as_single_samples(2);
}

/* The mean of the gradients of single samples, which are never tiled. */
static void sum_gradients(thaw_model *model, thaw_context *context, batch *data, const char *name, int count,
                          float *mean)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    const size_t elements = thaw_shape_count(thaw_parameter_shape(parameter));
    for (int i = 0; i < count; i++) {
        step(model, context, data, i, 1);
        const float *gradient = thaw_parameter_gradient(parameter);
        for (size_t k = 0; k < elements; k++)
            mean[k] = (i ? mean[k] : 0) + gradient[k] / (float)count;
    }
}

Test(tiles, train_what_is_above_as_single_samples)
{
    thaw_context *context = support_context(2);
    thaw_model *model = branching(context, true);
    batch data = make_batch();
    static const char *const names[] = { "head1.weight", "head2.weight" };
    for (size_t n = 0; n < 2; n++) {
        float expected[16 * 25 * CLASSES];
        const thaw_parameter *parameter = thaw_model_find_parameter(model, names[n]);
        sum_gradients(model, context, &data, names[n], MOST, expected);
        cr_assert_lt(tile_of(model, context, MOST, false), MOST);
        step(model, context, &data, 0, MOST);
        assert_close(thaw_parameter_gradient(parameter), expected, thaw_shape_count(thaw_parameter_shape(parameter)),
                     1e-5, names[n]);
    }
    free(data.inputs);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(tiles, take_less_memory_than_the_widest_layer_of_a_batch)
{
    thaw_context *context = support_context(1);
    thaw_model *model = branching(context, false);
    const thaw_plan_options options = { .batch = 100 };
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &options, &plan));
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    cr_assert_lt(totals.activation_bytes, 100 * SIDE * SIDE * 16 * sizeof(float));
    cr_assert_gt(totals.tiled_kernels, 0);
    thaw_plan_entry entry;
    assert_ok(context, thaw_plan_entry_at(plan, 1, &entry));
    cr_assert_eq(entry.samples, totals.tile);
    assert_ok(context, thaw_plan_entry_at(plan, thaw_plan_entry_count(plan) - 1, &entry));
    cr_assert_eq(entry.samples, 100);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(tiles, leave_small_and_trainable_networks_alone)
{
    thaw_context *context = support_context(1);
    thaw_model *model = branching(context, false);
    cr_assert_eq(tile_of(model, context, 2, false), 2);
    assert_ok(context, thaw_model_unfreeze(model, "*"));
    cr_assert_eq(tile_of(model, context, 100, false), 100);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A square convolution of 64 channels below a head. */
static thaw_model *broad(thaw_context *context, int64_t kernel)
{
    const thaw_conv2d_options options = { .name = "conv", .filters = 64, .kernel = { kernel, kernel }, .same = true };
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { 64, 64, 64 } }, &node));
    assert_ok(context, thaw_conv2d(model, node, &options, &node));
    assert_ok(context, thaw_global_average_pool2d(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &node));
    assert_ok(context, thaw_model_freeze(model, "conv"));
    return model;
}

/* The input and output of a sample are 2 MiB, what two threads' caches hold. */
Test(tiles, are_smaller_than_the_team_where_a_sample_is_work_enough_for_all)
{
    for (int threads = 1; threads <= 8; threads *= 2) {
        thaw_context *context = support_context(threads);
        thaw_model *heavy = broad(context, 3), *light = broad(context, 1);
        cr_assert_eq(tile_of(light, context, 32, true), threads, "%d threads", threads);
        cr_assert_eq(tile_of(heavy, context, 32, true), threads > 1 ? threads / 2 : 1, "%d threads", threads);
        thaw_model_destroy(heavy);
        thaw_model_destroy(light);
        thaw_context_destroy(context);
    }
}

static int64_t samples_of(thaw_context *context, const thaw_plan *plan, const char *name)
{
    int64_t samples = 0;
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        thaw_plan_entry entry;
        assert_ok(context, thaw_plan_entry_at(plan, i, &entry));
        samples = strcmp(entry.name, name) == 0 ? entry.samples : samples;
    }
    cr_assert_gt(samples, 0, "there is no %s", name);
    return samples;
}

/* Behind conv2 two values would be there for the whole batch, behind the pool one is. */
Test(tiles, end_where_least_is_there_for_the_whole_batch)
{
    thaw_context *context = support_context(1);
    thaw_model *model = create(context);
    const thaw_conv2d_options first = { .name = "conv1", .filters = 16, .kernel = { 3, 3 }, .same = true };
    const thaw_conv2d_options second = {
        .name = "conv2", .filters = 32, .kernel = { 3, 3 }, .stride = { 2, 2 }, .padding = { 1, 1 }
    };
    const thaw_dense_options heavy = { .name = "dense", .units = 200 }, light = { .name = "head", .units = 200 };
    const thaw_plan *plan;
    thaw_node pooled, node, mean;
    assert_ok(context, thaw_conv2d(model, 0, &first, &node));
    assert_ok(context,
              thaw_max_pool2d(model, node, &(thaw_pool2d_options){ .name = "pool", .kernel = { 2, 2 } }, &pooled));
    assert_ok(context, thaw_conv2d(model, pooled, &second, &node));
    assert_ok(context, thaw_flatten(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &heavy, &node));
    assert_ok(context, thaw_global_average_pool2d(model, pooled, NULL, &mean));
    assert_ok(context, thaw_dense(model, mean, &light, &mean));
    assert_ok(context, thaw_add(model, node, mean, NULL, &node));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 40, .inference = true }, &plan));
    cr_assert_lt(samples_of(context, plan, "conv1"), 40);
    cr_assert_lt(samples_of(context, plan, "pool"), 40);
    cr_assert_eq(samples_of(context, plan, "conv2"), 40);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
