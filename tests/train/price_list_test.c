/* Prices of freezing: what they say of memory and of what trains is what a model has that was really frozen, and asking
   changes nothing. Times are checked by their arithmetic alone. */
#include <string.h>

#include <thaw/price.h>

#include "support/support.h"

enum { SIDE = 12, BATCH = 8, CLASSES = 3, STEPS = 3 };

static thaw_node convolve(thaw_model *model, thaw_node x, const char *name)
{
    thaw_context *context = thaw_model_context(model);
    assert_ok(context,
              thaw_conv2d(model, x,
                          &(thaw_conv2d_options){ .name = name, .filters = 8, .kernel = { 3, 3 }, .same = true }, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    return x;
}

static thaw_model *build(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, 3 } }, &x));
    x = convolve(model, x, "low");
    x = convolve(model, x, "middle");
    x = convolve(model, x, "high");
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    assert_ok(context, thaw_optimizer_create(context, "adam:lr=1e-4", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    return model;
}

/* A batch of random samples. */
typedef struct batch {
    float samples[BATCH * SIDE * SIDE * 3];
    int32_t labels[BATCH];
    thaw_tensor inputs, targets;
} batch;

static batch *fill(void)
{
    static batch made;
    support_fill(made.samples, THAW_COUNT(made.samples), 1);
    for (int i = 0; i < BATCH; i++)
        made.labels[i] = i % CLASSES;
    made.inputs = thaw_view_f32(made.samples, 4, (int64_t[]){ BATCH, SIDE, SIDE, 3 });
    made.targets = thaw_view_i32(made.labels, 1, (int64_t[]){ BATCH });
    return &made;
}

static thaw_price_list *measure(thaw_model *model)
{
    const batch *given = fill();
    thaw_price_list *list;
    assert_ok(thaw_model_context(model), thaw_price_list_measure(model, &given->inputs, &given->targets, STEPS, &list));
    return list;
}

/* The totals of a model of which this was frozen before anything ran. */
static thaw_plan_totals freeze_really(thaw_context *context, const char *pattern)
{
    thaw_model *model = build(context);
    const thaw_plan *plan;
    if (pattern)
        assert_ok(context, thaw_model_freeze(model, pattern));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    thaw_model_destroy(model);
    return totals;
}

static size_t memory_of(const thaw_plan_totals *totals)
{
    return totals->parameter_bytes + totals->gradient_bytes + totals->optimizer_state_bytes + totals->activation_bytes +
           totals->packed_bytes + totals->combination_bytes;
}

static void check_what_is_frozen(const char *part, const char *pattern)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    thaw_price_list *list = measure(model);
    thaw_price price;
    assert_ok(context, thaw_plan_price(list, NULL, &part, part != NULL, &price));
    const thaw_plan_totals real = freeze_really(context, pattern);
    cr_assert_eq(price.trainable_parameters, real.trainable_parameters);
    cr_assert_eq(price.cache_sample_bytes, real.cached_bytes_per_sample);
    cr_assert_eq(price.memory_bytes, memory_of(&real), "%s: %zu, really %zu", part ? part : "nothing",
                 price.memory_bytes, memory_of(&real));
    cr_assert_gt(price.step_seconds, 0);
    cr_assert_leq(price.cached_step_seconds, price.step_seconds);
    thaw_price_list_destroy(list);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(price_list, tells_what_really_freezing_would_give)
{
    check_what_is_frozen(NULL, NULL);
    check_what_is_frozen("low", "low");
    check_what_is_frozen("low|batch_norm1|middle", "low|batch_norm1|middle");
    check_what_is_frozen("middle", "middle");
    check_what_is_frozen("*.bias", "*.bias");
    check_what_is_frozen("@body", "*low*|*middle*|*high*|batch_norm*");
    check_what_is_frozen("@bottom:2", "low|middle|batch_norm1|batch_norm2");
}

/* Two parts are frozen together, and the model has what it had. */
Test(price_list, changes_nothing)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context), *other = build(context);
    const batch *given = fill();
    thaw_price_list *list = measure(model), *unasked = measure(other);
    thaw_price price;
    assert_ok(context, thaw_plan_price(list, NULL, (const char *[]){ "low", "middle" }, 2, &price));
    assert_ok(context, thaw_step(model, &given->inputs, &given->targets, NULL, NULL));
    assert_ok(context, thaw_step(other, &given->inputs, &given->targets, NULL, NULL));
    const size_t count = thaw_model_parameter_count(model);
    for (size_t i = 0; i < count; i++) {
        thaw_parameter *one = thaw_model_parameter(model, i), *two = thaw_model_parameter(other, i);
        cr_assert(thaw_parameter_trainable(one) || thaw_parameter_role(one) == THAW_STATISTIC);
        cr_assert_arr_eq(thaw_parameter_data(one), thaw_parameter_data(two),
                         thaw_shape_count(thaw_parameter_shape(one)) * sizeof(float), "%s", thaw_parameter_name(one));
    }
    thaw_price_list_destroy(unasked);
    thaw_price_list_destroy(list);
    thaw_model_destroy(other);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Freezing all below the head leaves the forward pass of inference, and the head's work; nothing of the rest's. */
Test(price_list, follows_freezing_and_thawing)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    thaw_price_list *list = measure(model);
    thaw_price before, body, frozen, after;
    assert_ok(context, thaw_plan_price(list, NULL, NULL, 0, &before));
    assert_ok(context, thaw_plan_price(list, NULL, (const char *[]){ "@body" }, 1, &body));
    assert_ok(context, thaw_model_freeze(model, "low|middle|high|batch_norm*"));
    assert_ok(context, thaw_plan_price(list, NULL, NULL, 0, &frozen));
    assert_ok(context, thaw_model_unfreeze(model, "*"));
    assert_ok(context, thaw_plan_price(list, NULL, NULL, 0, &after));
    cr_assert_eq(memcmp(&frozen, &body, sizeof body), 0);
    cr_assert_eq(memcmp(&after, &before, sizeof before), 0);
    cr_assert_lt(body.cached_step_seconds, before.step_seconds, "the cached step has the head's work alone");
    cr_assert_float_eq(thaw_price_seconds(&body, true, 10, 3), 10 * (body.step_seconds + 2 * body.cached_step_seconds),
                       1e-9);
    cr_assert_float_eq(thaw_price_seconds(&body, false, 10, 3), 30 * body.step_seconds, 1e-9);
    thaw_price_list_destroy(list);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(price_list, refuses_what_it_cannot_price)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    const char *const unknown = "loww", *const all = "*", *const word = "@bdy", *const none = NULL;
    assert_ok(context, thaw_model_freeze(model, "low|batch_norm1"));
    thaw_price_list *list = measure(model);
    thaw_price price;
    assert_fails(context, thaw_plan_price(list, NULL, &unknown, 1, &price), THAW_NOT_FOUND, "did you mean \"low\"");
    assert_fails(context, thaw_plan_price(list, NULL, &word, 1, &price), THAW_INVALID_ARGUMENT, "@body");
    assert_fails(context, thaw_plan_price(list, NULL, &none, 1, &price), THAW_INVALID_ARGUMENT, "missing");
    assert_fails(context, thaw_plan_price(list, NULL, &all, 1, &price), THAW_NOTHING_TRAINABLE, "frozen");
    assert_ok(context, thaw_model_unfreeze(model, "low"));
    assert_fails(context, thaw_plan_price(list, NULL, NULL, 0, &price), THAW_INVALID_ARGUMENT,
                 "low trains, but was frozen when the prices were measured");
    thaw_price_list_destroy(list);
    thaw_price_list_destroy(NULL);
    const thaw_tensor short_batch = thaw_view_f32(fill()->samples, 2, (int64_t[]){ BATCH, 3 });
    assert_fails(context, thaw_price_list_measure(model, &short_batch, &fill()->targets, 1, &list), THAW_SHAPE_MISMATCH,
                 "");
    cr_assert_null(list);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
