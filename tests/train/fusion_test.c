/* Networks whose layers become one kernel, beside the same networks where each layer runs its own. */
#include <math.h>
#include <string.h>

#include "support/network.h"

enum { SIDE = 6, CHANNELS = 5, MOST = 14, BATCH = 4, CLASSES = 3, NETWORKS = 120 };
enum { SAMPLE = SIDE * SIDE * CHANNELS };

/* Knuth's MMIX constants; a number in [0, below). */
static size_t pick(uint64_t *state, size_t below)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(*state >> 33) % below;
}

/* ---- random networks: all images have one shape, so that any two can be added ---- */

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
        const thaw_conv2d_options options = { .filters = CHANNELS,
                                              .kernel = { size, size },
                                              .padding = { size / 2, size / 2 },
                                              .groups = depthwise ? CHANNELS : 1,
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
static void fill_parameters(thaw_model *model)
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

static thaw_model *make_model(thaw_context *context, uint64_t seed, bool fusion)
{
    uint64_t random = seed;
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
    const size_t layers = 3 + pick(&random, 10);
    for (size_t i = 0; i < layers; i++)
        x = append_random(model, &random, x);
    assert_ok(context, thaw_global_average_pool2d(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.05");
    fill_parameters(model);
    freeze_some(model, &random);
    thaw_model_set_fusion(model, fusion);
    return model;
}

/* ---- comparing ---- */

/* Within 1e-5 of the largest, which sums over many values need. */
static void assert_alike(const float *found, const float *expected, size_t count, uint64_t seed, const char *what)
{
    float most = 0.05F; /* below, rounding is seen */
    for (size_t i = 0; i < count; i++)
        most = fmaxf(most, fabsf(expected[i]));
    for (size_t i = 0; i < count; i++)
        cr_assert_leq(fabsf(found[i] - expected[i]), 1e-5F * most, "network %lu, %s, element %zu: %g fused, %g not",
                      (unsigned long)seed, what, i, (double)found[i], (double)expected[i]);
}

static void compare_gradients(thaw_model *fused, thaw_model *unfused, uint64_t seed)
{
    for (size_t i = 0; i < thaw_model_parameter_count(fused); i++) {
        const thaw_parameter *one = thaw_model_parameter(fused, i), *other = thaw_model_parameter(unfused, i);
        const float *found = thaw_parameter_gradient(one), *expected = thaw_parameter_gradient(other);
        cr_assert_eq(found == NULL, expected == NULL, "network %lu, %s", (unsigned long)seed, thaw_parameter_name(one));
        if (found)
            assert_alike(found, expected, thaw_shape_count(thaw_parameter_shape(one)), seed, thaw_parameter_name(one));
    }
}

static void compare_outputs(thaw_model *fused, thaw_model *unfused, const thaw_tensor *inputs, uint64_t seed)
{
    float found[BATCH * CLASSES], expected[BATCH * CLASSES];
    const thaw_tensor one = thaw_view_f32(found, 2, (const int64_t[]){ BATCH, CLASSES });
    const thaw_tensor other = thaw_view_f32(expected, 2, (const int64_t[]){ BATCH, CLASSES });
    assert_ok(thaw_model_context(fused), thaw_predict(fused, inputs, &one));
    assert_ok(thaw_model_context(unfused), thaw_predict(unfused, inputs, &other));
    assert_alike(found, expected, BATCH * CLASSES, seed, "outputs");
}

/* A step's gradients, then the outputs after another step has changed weights and statistics. */
static void compare_networks(thaw_context *context, uint64_t seed)
{
    thaw_model *fused = make_model(context, seed, true), *unfused = make_model(context, seed, false);
    static float samples[BATCH * SAMPLE];
    int32_t labels[BATCH];
    support_fill(samples, BATCH * SAMPLE, (uint32_t)seed + 7);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % CLASSES;
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (const int64_t[]){ BATCH, SIDE, SIDE, CHANNELS });
    const thaw_tensor targets = { .dtype = THAW_I32, .shape = { 1, { BATCH } }, .data = labels };
    for (int round = 0; round < 2; round++) {
        const thaw_step_options options = { .gradients_only = round == 0 };
        thaw_step_result one, other;
        assert_ok(context, thaw_step(fused, &inputs, &targets, &options, &one));
        assert_ok(context, thaw_step(unfused, &inputs, &targets, &options, &other));
        cr_assert_float_eq(one.loss, other.loss, 1e-5 * fmax(1, other.loss), "network %lu: a loss of %g fused, %g not",
                           (unsigned long)seed, one.loss, other.loss);
        compare_gradients(fused, unfused, seed);
        compare_outputs(fused, unfused, &inputs, seed);
    }
    thaw_model_destroy(fused);
    thaw_model_destroy(unfused);
}

Test(fused, random_networks_compute_what_they_would_layer_by_layer)
{
    thaw_context *context = support_context(2);
    for (uint64_t seed = 0; seed < NETWORKS; seed++)
        compare_networks(context, seed);
    thaw_context_destroy(context);
}

/* ---- a residual block ---- */

static thaw_model *make_block(thaw_context *context)
{
    const thaw_conv2d_options convolution = {
        .filters = CHANNELS, .kernel = { 3, 3 }, .padding = { 1, 1 }, .no_bias = true
    };
    thaw_model *model;
    thaw_node x, block;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
    assert_ok(context, thaw_conv2d(model, x, &convolution, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &block));
    assert_ok(context, thaw_conv2d(model, block, &convolution, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_conv2d(model, x, &convolution, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_add(model, x, block, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_global_average_pool2d(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = CLASSES }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    fill_parameters(model);
    return model;
}

static void assert_kernels(thaw_model *model, size_t forward, size_t backward)
{
    const thaw_plan *plan;
    assert_ok(thaw_model_context(model), thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    cr_assert_eq(totals.forward_kernels, forward, "%zu forward kernels, wanted %zu", totals.forward_kernels, forward);
    cr_assert_eq(totals.backward_kernels, backward, "%zu with a backward pass, wanted %zu", totals.backward_kernels,
                 backward);
}

Test(fused, a_residual_block_is_one_kernel_for_each_convolution_and_normalisation_that_trains)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_block(context);
    assert_kernels(model, 9, 9); /* 3 convolutions and 3 normalisations, pool, dense, loss */
    assert_ok(context, thaw_model_freeze(model, "batch_norm*"));
    assert_kernels(model, 6, 9); /* and three ReLUs backward */
    assert_ok(context, thaw_model_freeze(model, "conv2d*"));
    assert_kernels(model, 6, 2); /* dense and loss */
    thaw_model_set_fusion(model, false);
    assert_kernels(model, 13, 2);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static double loss_of(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets)
{
    thaw_step_result result;
    assert_ok(thaw_model_context(model),
              thaw_step(model, inputs, targets, &(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

/* The weight of a convolution with a frozen normalisation in it: both of those whose input's gradient flows on and of the
   first. */
Test(fused, gradients_through_a_folded_normalisation_equal_finite_differences)
{
    static float samples[BATCH * SAMPLE], targets[BATCH * CLASSES];
    const float step = 1.0F / 64;
    thaw_context *context = support_context(2);
    thaw_model *model = make_block(context);
    support_fill(samples, BATCH * SAMPLE, 11);
    support_fill(targets, BATCH * CLASSES, 12);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (const int64_t[]){ BATCH, SIDE, SIDE, CHANNELS });
    const thaw_tensor wanted = thaw_view_f32(targets, 2, (const int64_t[]){ BATCH, CLASSES });
    assert_ok(context, thaw_model_freeze(model, "batch_norm*"));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        if (thaw_parameter_role(parameter) != THAW_WEIGHT)
            continue;
        for (size_t k = 0; k < thaw_shape_count(thaw_parameter_shape(parameter)); k += 23) {
            loss_of(model, &inputs, &wanted);
            const double gradient = (double)thaw_parameter_gradient(parameter)[k];
            const float value = thaw_parameter_data(parameter)[k];
            thaw_parameter_edit(parameter)[k] = value + step;
            const double above = loss_of(model, &inputs, &wanted);
            thaw_parameter_edit(parameter)[k] = value - step;
            const double below = loss_of(model, &inputs, &wanted);
            thaw_parameter_edit(parameter)[k] = value;
            const double expected = (above - below) / (2 * (double)step);
            cr_assert_float_eq(gradient, expected, 2e-3, "%s, element %zu: %g, wanted %g",
                               thaw_parameter_name(parameter), k, gradient, expected);
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
