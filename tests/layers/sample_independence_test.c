/* A sample's result in inference depends on the sample and the weights alone: the same bits alone, in pairs, in a
   batch, and at another place of it. */
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { BATCH = 33 };

typedef thaw_status append(thaw_model *model, thaw_node input, thaw_node *output);

#define LAYER(name, call)                                                          \
    static thaw_status name(thaw_model *model, thaw_node input, thaw_node *output) \
    {                                                                              \
        return call;                                                               \
    }

/* Sizes are odd, and large enough for what kernels do with large ones. */
LAYER(small_dense, thaw_dense(model, input, &(thaw_dense_options){ .units = 5 }, output))
LAYER(wide_dense, thaw_dense(model, input, &(thaw_dense_options){ .units = 130 }, output))
LAYER(conv, thaw_conv2d(model, input, &(thaw_conv2d_options){ .filters = 7, .kernel = { 3, 3 } }, output))
LAYER(wide_conv,
      thaw_conv2d(model, input, &(thaw_conv2d_options){ .filters = 64, .kernel = { 3, 3 }, .same = true }, output))
LAYER(pointwise_conv, thaw_conv2d(model, input, &(thaw_conv2d_options){ .filters = 24, .kernel = { 1, 1 } }, output))
LAYER(strided_conv,
      thaw_conv2d(model, input,
                  &(thaw_conv2d_options){ .filters = 16, .kernel = { 5, 5 }, .stride = { 2, 2 }, .padding = { 2, 2 } },
                  output))
LAYER(depthwise_conv,
      thaw_conv2d(model, input,
                  &(thaw_conv2d_options){ .filters = 32, .kernel = { 3, 3 }, .padding = { 1, 1 }, .groups = 32 },
                  output))
LAYER(grouped_conv,
      thaw_conv2d(model, input, &(thaw_conv2d_options){ .filters = 16, .kernel = { 3, 3 }, .groups = 2 }, output))
LAYER(line_conv, thaw_conv1d(model, input, &(thaw_conv1d_options){ .filters = 9, .kernel = 3 }, output))
LAYER(transposed_conv,
      thaw_conv_transpose2d(model, input,
                            &(thaw_conv_transpose2d_options){ .filters = 6, .kernel = { 3, 3 }, .stride = { 2, 2 } },
                            output))
LAYER(max_pool, thaw_max_pool2d(model, input, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, output))
LAYER(average_pool, thaw_average_pool2d(model, input, &(thaw_pool2d_options){ .kernel = { 3, 3 } }, output))
LAYER(global_pool, thaw_global_average_pool2d(model, input, NULL, output))
LAYER(relu, thaw_relu(model, input, NULL, output))
LAYER(sigmoid, thaw_sigmoid(model, input, NULL, output))
LAYER(hyperbolic, thaw_tanh(model, input, NULL, output))
LAYER(gelu, thaw_gelu(model, input, NULL, output))
LAYER(gelu_tanh, thaw_gelu_tanh(model, input, NULL, output))
LAYER(silu, thaw_silu(model, input, NULL, output))
LAYER(leaky_relu, thaw_leaky_relu(model, input, NULL, output))
LAYER(softmax, thaw_softmax(model, input, NULL, output))
LAYER(log_softmax, thaw_log_softmax(model, input, NULL, output))
LAYER(upsample, thaw_upsample2d(model, input, &(thaw_upsample2d_options){ .scale = { 2, 2 } }, output))
LAYER(batch_norm, thaw_batch_norm(model, input, NULL, output))
LAYER(layer_norm, thaw_layer_norm(model, input, NULL, output))
LAYER(group_norm, thaw_group_norm(model, input, &(thaw_group_norm_options){ .groups = 2 }, output))
LAYER(lstm, thaw_lstm(model, input, &(thaw_recurrent_options){ .units = 20 }, output))
LAYER(gru, thaw_gru(model, input, &(thaw_recurrent_options){ .units = 37, .bidirectional = true }, output))
LAYER(sum, thaw_add(model, input, input, NULL, output))
LAYER(last_step, thaw_slice(model, input, &(thaw_slice_options){ .begin = -1, .squeeze = true }, output))
LAYER(prepend_tokens, thaw_prepend_tokens(model, input, NULL, output))
LAYER(positions, thaw_positions(model, input, NULL, output))
LAYER(rms_norm, thaw_rms_norm(model, input, NULL, output))
LAYER(l2_normalise, thaw_l2_normalise(model, input, NULL, output))
LAYER(rotary, thaw_rotary(model, input, &(thaw_rotary_options){ .heads = 2, .head_size = 14 }, output))
LAYER(sequence_mean, thaw_sequence_mean(model, input, NULL, output))
LAYER(layer_scale, thaw_layer_scale(model, input, NULL, output))

LAYER(last_lstm, thaw_lstm(model, input, &(thaw_recurrent_options){ .units = 40, .last_only = true }, output))

static thaw_status adapted_dense(thaw_model *model, thaw_node input, thaw_node *output)
{
    const thaw_status status = wide_dense(model, input, output);
    return status == THAW_OK ? thaw_lora(model, "*", 4, 8) : status;
}

static thaw_status adapted_conv(thaw_model *model, thaw_node input, thaw_node *output)
{
    const thaw_status status = wide_conv(model, input, output);
    return status == THAW_OK ? thaw_lora(model, "*", 4, 8) : status;
}

/* Self-attention of the input's own columns. */
static thaw_status attention(thaw_model *model, thaw_node input, thaw_node *output)
{
    return thaw_attention(model, &input, 1, &(thaw_attention_options){ .heads = 2 }, output);
}

static thaw_status causal_attention(thaw_model *model, thaw_node input, thaw_node *output)
{
    return thaw_attention(model, &input, 1, &(thaw_attention_options){ .heads = 1, .causal = true }, output);
}

/* A network in which layers become part of each other's kernels. */
static thaw_status network(thaw_model *model, thaw_node input, thaw_node *output)
{
    thaw_node node = input;
    thaw_status status = wide_conv(model, node, &node);
    if (status == THAW_OK)
        status = batch_norm(model, node, &node);
    if (status == THAW_OK)
        status = relu(model, node, &node);
    if (status == THAW_OK)
        status = thaw_flatten(model, node, NULL, &node);
    if (status == THAW_OK)
        status = wide_dense(model, node, &node);
    if (status == THAW_OK)
        status = gelu(model, node, &node);
    if (status == THAW_OK)
        status = wide_dense(model, node, &node);
    if (status == THAW_OK)
        status = relu(model, node, &node);
    return status == THAW_OK ? small_dense(model, node, output) : status;
}

static void predict(thaw_model *model, const thaw_shape *sample, const float *inputs, int64_t count, float *outputs)
{
    const thaw_shape *output = thaw_model_node_shape(model, thaw_model_output(model));
    int64_t in[THAW_MAX_RANK] = { count }, out[THAW_MAX_RANK] = { count };
    memcpy(in + 1, sample->dims, (size_t)sample->rank * sizeof *in);
    memcpy(out + 1, output->dims, (size_t)output->rank * sizeof *out);
    const thaw_tensor from = thaw_view_f32(inputs, sample->rank + 1, in);
    const thaw_tensor into = thaw_view_f32(outputs, output->rank + 1, out);
    assert_ok(thaw_model_context(model), thaw_predict(model, &from, &into));
}

/* In groups of `size` samples, in reversed order where `reversed` says so. */
static void check_groups(thaw_model *model, const thaw_shape *sample, const float *inputs, const float *expected,
                         size_t results, int64_t size, bool reversed, const char *what)
{
    const size_t values = thaw_shape_count(sample);
    float *group = malloc((size_t)size * values * sizeof *group), *out = malloc((size_t)size * results * sizeof *out);
    for (int64_t first = 0; first + size <= BATCH; first += size) {
        for (int64_t i = 0; i < size; i++) {
            const int64_t from = reversed ? BATCH - 1 - first - i : first + i;
            memcpy(group + (size_t)i * values, inputs + (size_t)from * values, values * sizeof *group);
        }
        predict(model, sample, group, size, out);
        for (int64_t i = 0; i < size; i++) {
            const int64_t from = reversed ? BATCH - 1 - first - i : first + i;
            cr_assert(memcmp(out + (size_t)i * results, expected + (size_t)from * results, results * sizeof *out) == 0,
                      "%s: sample %d differs in groups of %d%s", what, (int)from, (int)size,
                      reversed ? ", reversed" : "");
        }
    }
    free(group);
    free(out);
}

static void check(append *layer, thaw_shape sample, const char *what)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &sample, &node));
    assert_ok(context, layer(model, node, &node));
    const size_t values = thaw_shape_count(&sample);
    const size_t results = thaw_shape_count(thaw_model_node_shape(model, thaw_model_output(model)));
    float *inputs = malloc(BATCH * values * sizeof *inputs), *expected = malloc(BATCH * results * sizeof *expected);
    support_fill(inputs, BATCH * values, 3);
    predict(model, &sample, inputs, BATCH, expected);
    check_groups(model, &sample, inputs, expected, results, 1, false, what);
    check_groups(model, &sample, inputs, expected, results, 2, false, what);
    check_groups(model, &sample, inputs, expected, results, 13, false, what);
    check_groups(model, &sample, inputs, expected, results, BATCH, true, what);
    free(inputs);
    free(expected);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

#define CHECK(layer, ...) check(layer, (thaw_shape)__VA_ARGS__, #layer)

Test(sample_independence, of_dense_layers)
{
    CHECK(small_dense, { 1, { 784 } });
    CHECK(small_dense, { 1, { 33 } });
    CHECK(wide_dense, { 1, { 784 } });
    CHECK(wide_dense, { 1, { 1500 } });
    CHECK(wide_dense, { 2, { 7, 40 } });
}

Test(sample_independence, of_convolutions)
{
    CHECK(conv, { 3, { 9, 7, 3 } });
    CHECK(conv, { 3, { 12, 12, 16 } });
    CHECK(wide_conv, { 3, { 14, 14, 64 } });
    CHECK(pointwise_conv, { 3, { 7, 7, 40 } });
    CHECK(pointwise_conv, { 3, { 1, 1, 64 } });
    CHECK(strided_conv, { 3, { 15, 15, 3 } });
    CHECK(strided_conv, { 3, { 14, 14, 32 } });
    CHECK(depthwise_conv, { 3, { 9, 9, 32 } });
    CHECK(grouped_conv, { 3, { 9, 9, 8 } });
    CHECK(line_conv, { 2, { 11, 6 } });
    CHECK(transposed_conv, { 3, { 5, 6, 7 } });
}

Test(sample_independence, of_pooling_and_resizing)
{
    CHECK(max_pool, { 3, { 9, 7, 5 } });
    CHECK(average_pool, { 3, { 9, 7, 5 } });
    CHECK(global_pool, { 3, { 9, 7, 5 } });
    CHECK(upsample, { 3, { 4, 3, 5 } });
}

Test(sample_independence, of_activations)
{
    append *const layers[] = {
        relu, sigmoid, hyperbolic, gelu, gelu_tanh, silu, leaky_relu, softmax, log_softmax, sum
    };
    for (size_t i = 0; i < THAW_COUNT(layers); i++) {
        check(layers[i], (thaw_shape){ 1, { 37 } }, "an activation");
        check(layers[i], (thaw_shape){ 3, { 5, 3, 9 } }, "an activation of images");
    }
}

Test(sample_independence, of_normalisations)
{
    CHECK(batch_norm, { 3, { 5, 3, 6 } });
    CHECK(layer_norm, { 2, { 5, 30 } });
    CHECK(group_norm, { 3, { 5, 3, 6 } });
}

Test(sample_independence, of_recurrent_layers)
{
    CHECK(lstm, { 2, { 7, 11 } });
    CHECK(lstm, { 2, { 3, 64 } });
    CHECK(lstm, { 2, { 100, 33 } });
    CHECK(last_lstm, { 2, { 50, 300 } });
    CHECK(gru, { 2, { 7, 11 } });
    CHECK(gru, { 2, { 60, 130 } });
}

Test(sample_independence, of_layers_of_tokens)
{
    append *const layers[] = { last_step, prepend_tokens, positions, layer_scale,
                               rms_norm,  l2_normalise,   rotary,    sequence_mean };
    for (size_t i = 0; i < THAW_COUNT(layers); i++)
        check(layers[i], (thaw_shape){ 2, { 7, 33 } }, "a layer of tokens");
}

Test(sample_independence, of_attention)
{
    CHECK(attention, { 2, { 50, 48 } });
    CHECK(attention, { 2, { 7, 18 } });
    CHECK(causal_attention, { 2, { 30, 96 } });
}

Test(sample_independence, of_layers_with_low_rank_changes)
{
    CHECK(adapted_dense, { 1, { 784 } });
    CHECK(adapted_dense, { 2, { 7, 1500 } });
    CHECK(adapted_conv, { 3, { 14, 14, 64 } });
}

Test(sample_independence, of_a_network_with_fused_layers)
{
    CHECK(network, { 3, { 10, 10, 8 } });
}
