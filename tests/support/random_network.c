#include "support/random_network.h"

#include <string.h>

/* Knuth's MMIX constants; a number in [0, below). */
static size_t pick(uint64_t *state, size_t below)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(*state >> 33) % below;
}

typedef thaw_status simple_layer(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                 thaw_node *output);

static thaw_node append_random(thaw_model *model, uint64_t *random, thaw_node newest)
{
    static simple_layer *const activations[] = { thaw_relu, thaw_relu, thaw_relu6, thaw_silu, thaw_tanh, thaw_sigmoid };
    thaw_context *context = thaw_model_context(model);
    const thaw_node input = pick(random, 4) ? newest : (thaw_node)pick(random, (size_t)newest + 1);
    const thaw_node other = (thaw_node)pick(random, (size_t)newest + 1);
    thaw_node output = -1;
    switch (pick(random, 8)) {
    case 0:
    case 1:
    case 2: {
        const bool depthwise = pick(random, 3) == 0;
        const int64_t size = pick(random, 2) ? 3 : 1;
        const thaw_conv2d_options options = { .filters = RANDOM_CHANNELS,
                                              .kernel = { size, size },
                                              .padding = { size / 2, size / 2 },
                                              .groups = depthwise ? RANDOM_CHANNELS : 1,
                                              .no_bias = pick(random, 2) };
        assert_ok(context, thaw_conv2d(model, input, &options, &output));
        break;
    }
    case 3:
    case 4:
        assert_ok(context, thaw_batch_norm(model, input,
                                           &(thaw_batch_norm_options){ .no_affine = pick(random, 4) == 0 }, &output));
        break;
    case 5:
        assert_ok(context, thaw_add(model, pick(random, 2) ? input : other, input, NULL, &output));
        break;
    default:
        assert_ok(context, activations[pick(random, THAW_COUNT(activations))](model, input, NULL, &output));
    }
    return output;
}

/* Statistics and scales as training might have left them. */
void random_parameters(thaw_model *model)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        const thaw_role role = thaw_parameter_role(parameter);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        if (role == THAW_WEIGHT)
            continue;
        float *values = thaw_parameter_edit(parameter);
        support_fill(values, count, (uint32_t)i + 1);
        const size_t length = strlen(thaw_parameter_name(parameter));
        const bool variance = strcmp(thaw_parameter_name(parameter) + length - 3, "var") == 0;
        for (size_t k = 0; k < count; k++)
            values[k] = variance ? values[k] * values[k] + 0.25F : values[k];
    }
}

static void freeze_some(thaw_model *model, uint64_t *random)
{
    for (size_t i = 0; i < thaw_model_group_count(model); i++) {
        const char *name = thaw_group_name(thaw_model_group(model, i));
        const bool frozen = strcmp(name, "last") != 0 && pick(random, 2);
        assert_ok(thaw_model_context(model),
                  frozen ? thaw_model_freeze(model, name) : thaw_model_unfreeze(model, name));
    }
}

thaw_model *random_network(thaw_context *context, uint64_t seed, bool fusion)
{
    uint64_t random = seed;
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { RANDOM_SIDE, RANDOM_SIDE, RANDOM_CHANNELS } }, &x));
    const size_t layers = 3 + pick(&random, 10);
    for (size_t i = 0; i < layers; i++)
        x = append_random(model, &random, x);
    assert_ok(context, thaw_global_average_pool2d(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = RANDOM_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.05");
    random_parameters(model);
    freeze_some(model, &random);
    thaw_model_set_fusion(model, fusion);
    return model;
}
