#include "support/network.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SAMPLES = 64 };

const char *const network_groups[NETWORK_GROUPS] = { "conv1", "conv2", "dense1", "dense2", "dense3" };

thaw_model *support_network(thaw_context *context, bool dropout)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x));
    assert_ok(context,
              thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv1", .filters = 3, .kernel = { 3, 3 } }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_conv2d(model, x,
                                   &(thaw_conv2d_options){
                                       .name = "conv2", .filters = 5, .kernel = { 3, 3 }, .padding = { 1, 1 } },
                                   &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, &x));
    if (dropout)
        assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25 }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense1", .units = 11 }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense2", .units = 6 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    if (dropout)
        assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.5 }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense3", .units = NETWORK_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

void support_optimize(thaw_model *model, const char *description)
{
    thaw_context *context = thaw_model_context(model);
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
}

void support_train_only(thaw_model *model, unsigned trainable)
{
    for (unsigned i = 0; i < NETWORK_GROUPS; i++)
        assert_ok(thaw_model_context(model), trainable >> i & 1 ? thaw_model_unfreeze(model, network_groups[i])
                                                                : thaw_model_freeze(model, network_groups[i]));
}

typedef struct samples {
    float *values;
    int32_t *labels;
} samples;

static void fill_labels(int32_t *labels, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++)
        labels[i] = (int32_t)((i * 7 + i / 3 + seed) % NETWORK_CLASSES);
}

static bool read_samples(void *user, const size_t *indices, size_t count, float *values, void *targets, char *message,
                         size_t capacity)
{
    (void)message;
    (void)capacity;
    const samples *held = user;
    for (size_t i = 0; i < count; i++) {
        memcpy(values + i * NETWORK_SAMPLE, held->values + indices[i] * NETWORK_SAMPLE, NETWORK_SAMPLE * sizeof(float));
        ((int32_t *)targets)[i] = held->labels[indices[i]];
    }
    return true;
}

static void release_samples(void *user)
{
    samples *held = user;
    free(held->values);
    free(held->labels);
    free(held);
}

thaw_dataset *support_samples(thaw_context *context, size_t count, uint32_t seed)
{
    samples *held = malloc(sizeof *held);
    held->values = malloc(count * NETWORK_SAMPLE * sizeof(float));
    held->labels = malloc(count * sizeof(int32_t));
    support_fill(held->values, count * NETWORK_SAMPLE, seed);
    fill_labels(held->labels, count, seed);
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_create(context,
                                           &(thaw_source){
                                               .count = count,
                                               .sample_shape = { .rank = 3, .dims = { 9, 7, 2 } },
                                               .target_dtype = THAW_I32,
                                               .classes = NETWORK_CLASSES,
                                               .read = read_samples,
                                               .release = release_samples,
                                               .user = held,
                                           },
                                           &dataset));
    return dataset;
}

thaw_status support_step(thaw_model *model, int64_t count, uint32_t seed, const thaw_step_options *options,
                         thaw_step_result *result)
{
    static float values[MOST_SAMPLES * NETWORK_SAMPLE];
    static int32_t labels[MOST_SAMPLES];
    cr_assert(count <= MOST_SAMPLES);
    support_fill(values, (size_t)count * NETWORK_SAMPLE, seed);
    fill_labels(labels, (size_t)count, seed);
    const thaw_tensor inputs = thaw_view_f32(values, 4, (const int64_t[]){ count, 9, 7, 2 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &count);
    return thaw_step(model, &inputs, &targets, options, result);
}

float *support_weights(thaw_model *model, size_t *count)
{
    *count = 0; /* also of what is bound, unlike the totals of the summary */
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        *count += thaw_shape_count(thaw_parameter_shape(thaw_model_parameter(model, i)));
    float *weights = malloc(*count * sizeof(float)), *next = weights;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t elements = thaw_shape_count(thaw_parameter_shape(parameter));
        memcpy(next, thaw_parameter_data(parameter), elements * sizeof(float));
        next += elements;
    }
    return weights;
}
