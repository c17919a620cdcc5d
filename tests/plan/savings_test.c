/* What the plan says that each pass saves, beside sums that are made by hand from the shapes of the layers. */
#include <string.h>

#include "plan/plan.h"
#include "support/network.h"

enum { SIDE = 12, CHANNELS = 3, FILTERS = 8, CLASSES = 3, BATCH = 4 };

/* Bytes of an image of FILTERS channels for the batch, of a pooled one, and of scores. */
enum { IMAGE = BATCH * SIDE * SIDE * FILTERS * 4, POOLED = IMAGE / 4, SCORES = BATCH * CLASSES * 4 };

static thaw_node convolution(thaw_model *model, thaw_node input, const char *name, int64_t filters)
{
    thaw_node node = -1;
    const thaw_conv2d_options options = { .name = name, .filters = filters, .kernel = { 3, 3 }, .same = true };
    assert_ok(thaw_model_context(model), thaw_conv2d(model, input, &options, &node));
    return node;
}

static thaw_model *begin(thaw_context *context, int64_t side, int64_t channels, thaw_node *node)
{
    thaw_model *model;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { side, side, channels } }, node));
    return model;
}

static void end(thaw_model *model, thaw_node node)
{
    thaw_context *context = thaw_model_context(model);
    assert_ok(context, thaw_flatten(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &node));
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    support_optimize(model, "sgd:lr=0.1");
}

/* Frozen: a convolution with its normalisation and activation. Training: another with its activation, and a pool. */
static thaw_model *build(thaw_context *context)
{
    thaw_node x;
    thaw_model *model = begin(context, SIDE, CHANNELS, &x);
    x = convolution(model, x, "conv1", FILTERS);
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "norm" }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    x = convolution(model, x, "conv2", FILTERS);
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, &x));
    end(model, x);
    assert_ok(context, thaw_model_freeze_before(model, "conv2"));
    return model;
}

static const thaw_plan *plan_of(thaw_model *model, int64_t batch)
{
    const thaw_plan *plan;
    assert_ok(thaw_model_context(model), thaw_model_plan(model, &(thaw_plan_options){ .batch = batch }, &plan));
    return plan;
}

static thaw_plan_saving saved_by(const thaw_plan *plan, const char *pass)
{
    thaw_plan_saving entry = { 0 };
    size_t i = 0;
    while (i < thaw_plan_saving_count(plan) && (entry.pass == NULL || strcmp(entry.pass, pass) != 0))
        cr_assert_eq(thaw_plan_saving_at(plan, i++, &entry), THAW_OK);
    cr_assert_str_eq(entry.pass, pass);
    return entry;
}

static void assert_saved(const thaw_plan *plan, const char *pass, size_t bytes)
{
    const size_t found = saved_by(plan, pass).bytes;
    cr_assert_eq(found, bytes, "%s: %zu bytes, wanted %zu", pass, found, bytes);
}

/* What kernels want besides the values. */
static size_t working_bytes(const thaw_plan *plan)
{
    size_t bytes = plan->scratch_bytes;
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        thaw_plan_entry entry;
        cr_assert_eq(thaw_plan_entry_at(plan, i, &entry), THAW_OK);
        bytes += entry.workspace_bytes;
    }
    return bytes;
}

static void assert_sum(const thaw_plan *plan)
{
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    const size_t sum = saved_by(plan, "fusion").bytes + saved_by(plan, "precision").bytes +
                       saved_by(plan, "tiles").bytes + saved_by(plan, "sharing").bytes;
    cr_assert_eq(sum + totals.activation_bytes, totals.separate_bytes, "%zu + %zu, wanted %zu", sum,
                 totals.activation_bytes, totals.separate_bytes);
}

Test(savings, are_those_of_each_pass)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    const thaw_plan *plan = plan_of(model, BATCH);
    /* conv1, norm, relu: values. conv2, relu, pool, flatten, head: values and gradients. The loss is a number. */
    const size_t separate = 3 * IMAGE + 2 * (2 * IMAGE + 2 * POOLED + SCORES) + 4;
    cr_assert_eq(thaw_plan_totals_of(plan).separate_bytes, separate + working_bytes(plan));
    assert_saved(plan, "fusion", 3 * IMAGE); /* norm, and two activations: the second one's gradient is there */
    assert_saved(plan, "precision", 0);
    assert_saved(plan, "tiles", 0);
    assert_saved(plan, "masks", IMAGE - IMAGE / 32);
    assert_saved(plan, "recomputation", 0);
    assert_saved(plan, "weights", 0); /* small ones stay */
    assert_sum(plan);
    const double sample = SIDE * SIDE * FILTERS; /* a product and a sum an element; two for the map; one for ReLU */
    cr_assert_eq(saved_by(plan, "cache").flops, BATCH * sample * (2 * 9 * CHANNELS + 2 + 1));
    assert_fails(context, thaw_plan_saving_at(plan, thaw_plan_saving_count(plan), &(thaw_plan_saving){ 0 }),
                 THAW_INVALID_ARGUMENT, "saving");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(savings, of_an_unfused_plan_are_in_sharing_alone)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    thaw_model_set_fusion(model, false);
    const thaw_plan *plan = plan_of(model, BATCH);
    assert_saved(plan, "fusion", 0);
    cr_assert_gt(saved_by(plan, "sharing").bytes, 0);
    assert_sum(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(savings, of_precision_are_half_of_what_is_not_fused)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    assert_ok(context, thaw_model_set_precision(model, &(thaw_precision){
                                                           .all = THAW_BF16, .frozen = THAW_BF16, .emulated = true }));
    const thaw_plan *plan = plan_of(model, BATCH);
    /* conv1; conv2 and the gradients of it and its activation; pool and flatten, values and gradients; the head, whose
       scores and their gradient the loss reads as floats, in copies. */
    assert_saved(plan, "precision", (4 * IMAGE + 4 * POOLED + 2 * SCORES) / 2);
    assert_saved(plan, "masks", IMAGE / 2 - IMAGE / 32);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Images of a mebibyte: two threads take two of them at a time. */
Test(savings, of_tiles_are_the_samples_that_are_not_there)
{
    enum { WIDE = 128, DEEP = 16, MANY = 8, MEBIBYTE = WIDE * WIDE * DEEP * 4 };
    thaw_context *context = support_context(2);
    thaw_node x;
    thaw_model *model = begin(context, WIDE, DEEP, &x);
    x = convolution(model, x, "conv1", DEEP);
    x = convolution(model, x, "conv2", DEEP);
    assert_ok(context, thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .kernel = { 64, 64 } }, &x));
    end(model, x);
    assert_ok(context, thaw_model_freeze_before(model, "head"));
    const thaw_plan *plan = plan_of(model, MANY);
    cr_assert_eq(plan->tile, 2, "%d samples", (int)plan->tile);
    assert_saved(plan, "tiles", (size_t)2 * (MANY - 2) * MEBIBYTE); /* the pool's output is small, and whole */
    assert_sum(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(savings, of_recomputation_are_what_is_not_kept)
{
    thaw_context *context = support_context(2);
    thaw_node x;
    thaw_model *model = begin(context, SIDE, CHANNELS, &x);
    x = convolution(model, x, "conv1", FILTERS);
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    end(model, convolution(model, x, "conv2", FILTERS));
    thaw_model_set_recompute(model, true);
    const thaw_plan *plan = plan_of(model, BATCH);
    assert_saved(plan, "recomputation", IMAGE);
    assert_sum(plan);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
