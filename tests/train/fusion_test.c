/* Networks whose layers become one kernel, beside the same networks where each layer runs its own. */
#include <math.h>

#include "onednn/kernel.h"
#include "support/random_network.h"

enum { BATCH = 4, NETWORKS = 120 };

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
    float found[BATCH * RANDOM_CLASSES], expected[BATCH * RANDOM_CLASSES];
    const thaw_tensor one = thaw_view_f32(found, 2, (const int64_t[]){ BATCH, RANDOM_CLASSES });
    const thaw_tensor other = thaw_view_f32(expected, 2, (const int64_t[]){ BATCH, RANDOM_CLASSES });
    assert_ok(thaw_model_context(fused), thaw_predict(fused, inputs, &one));
    assert_ok(thaw_model_context(unfused), thaw_predict(unfused, inputs, &other));
    assert_alike(found, expected, BATCH * RANDOM_CLASSES, seed, "outputs");
}

/* A step's gradients, then the outputs after another step has changed weights and statistics. */
static void compare_networks(thaw_context *context, uint64_t seed)
{
    thaw_model *fused = random_network(context, seed, true), *unfused = random_network(context, seed, false);
    static float samples[BATCH * RANDOM_SAMPLE];
    int32_t labels[BATCH];
    support_fill(samples, BATCH * RANDOM_SAMPLE, (uint32_t)seed + 7);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % RANDOM_CLASSES;
    const thaw_tensor inputs =
        thaw_view_f32(samples, 4, (const int64_t[]){ BATCH, RANDOM_SIDE, RANDOM_SIDE, RANDOM_CHANNELS });
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
        .filters = RANDOM_CHANNELS, .kernel = { 3, 3 }, .padding = { 1, 1 }, .no_bias = true
    };
    thaw_model *model;
    thaw_node x, block;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { RANDOM_SIDE, RANDOM_SIDE, RANDOM_CHANNELS } }, &x));
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
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = RANDOM_CLASSES }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    random_parameters(model);
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

/* A residual that backward keeps, so that it stays beside the sum; of a convolution, or with kernel 0 a dense layer. */
static thaw_model *make_sum(thaw_context *context, int64_t channels, int64_t groups, int64_t kernel, bool fusion)
{
    const thaw_conv2d_options first = { .filters = channels, .kernel = { 3, 3 }, .padding = { 1, 1 } };
    const thaw_conv2d_options second = {
        .filters = channels, .kernel = { kernel, kernel }, .padding = { kernel / 2, kernel / 2 }, .groups = groups
    };
    thaw_model *model;
    thaw_node x, y;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { RANDOM_SIDE, RANDOM_SIDE, RANDOM_CHANNELS } }, &x));
    assert_ok(context, thaw_conv2d(model, x, &first, &x));
    if (kernel > 0)
        assert_ok(context, thaw_conv2d(model, x, &second, &y));
    else
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = channels }, &y));
    assert_ok(context, thaw_add(model, y, x, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_global_average_pool2d(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "last", .units = RANDOM_CLASSES }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    thaw_model_set_fusion(model, fusion);
    return model;
}

static void compare_sums(thaw_context *context, int64_t channels, int64_t groups, int64_t kernel)
{
    static float samples[BATCH * RANDOM_SAMPLE], wanted[BATCH * RANDOM_CLASSES];
    thaw_model *fused = make_sum(context, channels, groups, kernel, true);
    thaw_model *unfused = make_sum(context, channels, groups, kernel, false);
    support_fill(samples, BATCH * RANDOM_SAMPLE, 21);
    support_fill(wanted, BATCH * RANDOM_CLASSES, 22);
    const thaw_tensor inputs =
        thaw_view_f32(samples, 4, (const int64_t[]){ BATCH, RANDOM_SIDE, RANDOM_SIDE, RANDOM_CHANNELS });
    const thaw_tensor targets = thaw_view_f32(wanted, 2, (const int64_t[]){ BATCH, RANDOM_CLASSES });
    const thaw_step_options options = { .gradients_only = true };
    const size_t alone = kernel > 0 && groups > 1 && !thaw_dnn_has_avx2(); /* the sum */
    assert_kernels(fused, 5 + 2 * alone, 6 + alone);
    assert_ok(context, thaw_step(fused, &inputs, &targets, &options, NULL));
    assert_ok(context, thaw_step(unfused, &inputs, &targets, &options, NULL));
    compare_gradients(fused, unfused, (uint64_t)(100 * channels + 10 * groups + kernel));
    thaw_model_destroy(fused);
    thaw_model_destroy(unfused);
}

Test(fused, residuals_beside_are_added_by_kernels_of_every_kind)
{
    for (int threads = 1; threads <= 2; threads++) {
        thaw_context *context = support_context(threads);
        for (int64_t channels = 4; channels <= 10; channels++)
            for (int64_t groups = 1; groups <= channels; groups++)
                for (int64_t kernel = 0; kernel <= 3 && channels % groups == 0; kernel += kernel ? 2 : 1)
                    compare_sums(context, channels, groups, kernel);
        thaw_context_destroy(context);
    }
}

static double loss_of(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets)
{
    thaw_step_result result;
    assert_ok(thaw_model_context(model),
              thaw_step(model, inputs, targets, &(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

/* The weight of a convolution with a frozen normalisation in it: both of those whose input's gradient flows on and of
   the first. */
Test(fused, gradients_through_a_folded_normalisation_equal_finite_differences)
{
    static float samples[BATCH * RANDOM_SAMPLE], targets[BATCH * RANDOM_CLASSES];
    const float step = 1.0F / 64;
    thaw_context *context = support_context(2);
    thaw_model *model = make_block(context);
    support_fill(samples, BATCH * RANDOM_SAMPLE, 11);
    support_fill(targets, BATCH * RANDOM_CLASSES, 12);
    const thaw_tensor inputs =
        thaw_view_f32(samples, 4, (const int64_t[]){ BATCH, RANDOM_SIDE, RANDOM_SIDE, RANDOM_CHANNELS });
    const thaw_tensor wanted = thaw_view_f32(targets, 2, (const int64_t[]){ BATCH, RANDOM_CLASSES });
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
