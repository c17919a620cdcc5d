#include "support/plans.h"

static thaw_layer_module chooses, follows, refuses, infers;

static bool never(const void *options, const thaw_shape *inputs, size_t input_count)
{
    (void)options, (void)inputs, (void)input_count;
    return false;
}

#define CAPABILITIES .size = sizeof(thaw_layer_capabilities)

static const thaw_layer_capabilities chosen = { CAPABILITIES, .bfloat16 = THAW_BFLOAT16_CHOSEN },
                                     following = { CAPABILITIES, .bfloat16 = THAW_BFLOAT16_FOLLOWS },
                                     refused = { CAPABILITIES, .bfloat16 = THAW_BFLOAT16_CHOSEN,
                                                 .takes_bfloat16 = never },
                                     inferring = { CAPABILITIES, .bfloat16 = THAW_BFLOAT16_FROZEN };

/* Modules that differ in their use for bfloat16 alone. */
static void make_modules(void)
{
    chooses = refuses = infers = toy_scale;
    follows = toy_sum;
    chooses.capabilities = &chosen;
    follows.capabilities = &following;
    refuses.capabilities = &refused;
    infers.capabilities = &inferring;
}

static void assert_precisions(const thaw_plan *plan, const char *expected)
{
    char found[32] = "";
    for (size_t i = 0; i < plan->node_count; i++)
        found[i] = plan->nodes[i].precision == THAW_BF16 ? 'b' : 'f';
    cr_assert_str_eq(found, expected, "precisions %s, wanted %s", found, expected);
}

/* input 0, a 1, sum 2, scale 3, b 4, sum 5, sum of both precisions 6, refusing 7, loss 8. */
static thaw_model *chain(thaw_context *context)
{
    make_modules();
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &chooses, "a", 0, -1);
    toy_append(model, &follows, NULL, 1, 1);
    toy_append(model, &toy_scale, "never", 2, -1);
    toy_append(model, &chooses, "b", 3, -1);
    toy_append(model, &follows, NULL, 4, 2);
    toy_append(model, &follows, NULL, 5, 3);
    toy_append(model, &refuses, "refuses", 5, 6);
    toy_append(model, &toy_quadratic, "loss", 7, -1);
    return model;
}

static void check(const thaw_precision *precision, const char *frozen, const char *expected)
{
    thaw_context *context = support_context(1);
    thaw_model *model = chain(context);
    model->precision = *precision; /* whatever this CPU can */
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    thaw_plan *training = plan_until(model, "precision"), *evaluating = plan_inference_until(model, "precision");
    assert_precisions(training, expected);
    assert_precisions(evaluating, expected);
    thaw_plan_release(training);
    thaw_plan_release(evaluating);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(precision, is_floats_unless_asked_for)
{
    check(&(thaw_precision){ 0 }, "a", "fffffffff");
}

Test(precision, is_bfloat16_where_modules_can_and_the_input_follows_suit)
{
    check(&(thaw_precision){ .all = THAW_BF16 }, NULL, "fbbfbbfff");
    check(&(thaw_precision){ .all = THAW_BF16 }, "a|never", "fbbfbbfff");
}

Test(precision, of_the_frozen_prefix_alone)
{
    const thaw_precision frozen = { .frozen = THAW_BF16 };
    check(&frozen, NULL, "fffffffff");
    check(&frozen, "a", "fbbffffff");
    check(&frozen, "b", "fffffffff");
    check(&frozen, "a|never", "fbbffffff");
    check(&frozen, "a|never|b", "fbbfbbfff");
}

/* a 1, b 2, loss 3: both without gradients in bfloat16. */
static void check_inference(const thaw_precision *precision, const char *frozen, const char *expected)
{
    thaw_context *context = support_context(1);
    make_modules();
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &infers, "a", 0, -1);
    toy_append(model, &infers, "b", 1, -1);
    toy_append(model, &toy_quadratic, "loss", 2, -1);
    model->precision = *precision;
    assert_ok(context, thaw_model_freeze(model, frozen));
    thaw_plan *training = plan_until(model, "precision"), *evaluating = plan_inference_until(model, "precision");
    assert_precisions(training, expected);
    assert_precisions(evaluating, expected);
    thaw_plan_release(training);
    thaw_plan_release(evaluating);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(precision, of_layers_that_only_infer_so)
{
    check_inference(&(thaw_precision){ .all = THAW_BF16 }, "a", "fbff");
    check_inference(&(thaw_precision){ .frozen = THAW_BF16 }, "a", "fbff");
    check_inference(&(thaw_precision){ .all = THAW_BF16 }, "b", "ffff");
}

/* Layers that convolve, in a residual block behind one that is f32 by its adapter. */
static thaw_model *block(thaw_context *context)
{
    const thaw_conv2d_options convolution = { .filters = 4, .kernel = { 3, 3 }, .padding = { 1, 1 } };
    thaw_model *model;
    thaw_node x, y;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { 6, 6, 4 } }, &x));
    assert_ok(context, thaw_conv2d(model, x, &convolution, &x)); /* 1 */
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_conv2d(model, x, &convolution, &y)); /* 3 */
    assert_ok(context, thaw_add(model, x, y, NULL, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = 3 }, &x)); /* 6 */
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

static void set_bfloat16(thaw_model *model)
{
    const thaw_precision precision = { .all = THAW_BF16, .emulated = true };
    assert_ok(thaw_model_context(model), thaw_model_set_precision(model, &precision));
}

static thaw_plan_totals totals_of(thaw_model *model)
{
    const thaw_plan *plan;
    assert_ok(thaw_model_context(model), thaw_model_plan(model, &(thaw_plan_options){ .batch = 1024 }, &plan));
    return thaw_plan_totals_of(plan);
}

Test(precision, converts_the_input_and_what_the_loss_reads)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(1);
    thaw_model *model = block(context);
    set_bfloat16(model);
    thaw_plan *plan = plan_until(model, "buffers");
    assert_precisions(plan, "fbbbbbbf");
    for (size_t i = 0; i < plan->node_count; i++)
        cr_assert_eq(plan->nodes[i].places.copy >= 0, i == 0 || i == 6, "node %zu", i);
    cr_assert(plan->nodes[0].converts_fed);
    cr_assert_eq(plan->requests[plan->nodes[0].places.copy].bytes, 2 * 6 * 6 * 4 * sizeof(thaw_bfloat16));
    cr_assert_eq(plan->requests[plan->nodes[6].places.copy].bytes, 2 * 3 * sizeof(float));
    cr_assert_eq(plan->requests[plan->nodes[6].places.output].bytes, 2 * 3 * sizeof(thaw_bfloat16));
    cr_assert_geq(plan->nodes[7].places.spare[0], 0); /* the loss's gradient, in floats */
    cr_assert_not(plan->nodes[7].adds_gradient[0]);
    thaw_plan_release(plan);
    cr_assert_eq(totals_of(model).conversions, 3);
    cr_assert_eq(totals_of(model).bfloat16_kernels, totals_of(model).forward_kernels - 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(precision, halves_the_memory_of_activations)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(1);
    thaw_model *model = block(context);
    const size_t floats = totals_of(model).activation_bytes;
    set_bfloat16(model);
    const size_t bf16 = totals_of(model).activation_bytes;
    /* The input's copy comes on top. ReLU's bit mask and what the loss reads take as much as with floats. */
    const double input = 1024 * 6 * 6 * 4 * sizeof(thaw_bfloat16);
    cr_assert_lt((double)bf16 - input, 0.52 * (double)floats, "%zu of %zu bytes", bf16, floats);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(precision, leaves_layers_with_a_low_rank_change_to_floats)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 256);
    thaw_node x = 0;
    for (int i = 0; i < 3; i++)
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = 256 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    assert_ok(context, thaw_lora(model, "dense2.weight", 1, 1));
    set_bfloat16(model);
    thaw_plan *plan = plan_until(model, "buffers");
    cr_assert_eq(plan->nodes[2].low_rank.rank, 1);
    assert_precisions(plan, "fbfbf");
    for (size_t i = 0; i < plan->node_count; i++) /* before and behind it, and before the loss */
        cr_assert_eq(plan->nodes[i].places.copy >= 0, i < 4, "node %zu", i);
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- inputs that stay floats ---- */

static uint32_t keeps_second(const void *options, size_t input_count)
{
    (void)options, (void)input_count;
    return 1U << 1;
}

static const thaw_layer_capabilities mixing = { CAPABILITIES, .bfloat16 = THAW_BFLOAT16_FOLLOWS,
                                                .keeps_floats = keeps_second };

/* input 0, a 1, b 2, sum of a and the input 3, of a and b 4, of the input and a 5. */
Test(precision, follows_the_inputs_that_do_not_stay_floats)
{
    static thaw_layer_module mixes;
    thaw_context *context = support_context(1);
    make_modules();
    mixes = toy_sum;
    mixes.capabilities = &mixing;
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &chooses, "a", 0, -1);
    toy_append(model, &chooses, "b", 0, -1);
    toy_append(model, &mixes, NULL, 1, 0);
    toy_append(model, &mixes, NULL, 1, 2);
    toy_append(model, &mixes, NULL, 0, 1);
    toy_append(model, &follows, NULL, 3, 4);
    toy_append(model, &toy_sum, NULL, 5, 6);
    toy_append(model, &toy_quadratic, "loss", 7, -1);
    model->precision = (thaw_precision){ .all = THAW_BF16 };
    thaw_plan *plan = plan_until(model, "precision");
    assert_precisions(plan, "fbbbbfbff");
    cr_assert_eq(thaw_input_precision(&plan->nodes[3], 0), THAW_BF16);
    cr_assert_eq(thaw_input_precision(&plan->nodes[3], 1), THAW_F32);
    cr_assert_eq(thaw_input_precision(&plan->nodes[4], 1), THAW_F32);
    cr_assert_eq(thaw_input_precision(&plan->nodes[5], 1), THAW_F32);
    thaw_plan_release(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
