/* Packed copies of frozen weights, which plans for different lengths share. */
#include <string.h>

#include "graph/model.h"
#include "plan/kept_plans.h"
#include "plan/store.h"
#include "support/network.h"

enum { LONGEST = 100, WIDTH = 64, HIDDEN = 300, OUTPUTS = 3, SAMPLES = 2, LOW = 2 /* the node */ };

/* The weight of "low" is large enough to leave memory when it is packed, that of "middle" is not. */
static thaw_model *build(thaw_context *context)
{
    thaw_model *model = NULL;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    const thaw_input_options rows = { .name = "rows", .shape = { 2, { LONGEST, WIDTH } }, .sequence = true };
    assert_ok(context, thaw_named_input(model, &rows, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "low", .units = HIDDEN }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "middle", .units = 8 }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = OUTPUTS }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    assert_ok(context, thaw_model_freeze_before(model, "head"));
    return model;
}

static thaw_tensor batch_of(float *values, int64_t length)
{
    support_fill(values, (size_t)(SAMPLES * length * WIDTH), (uint32_t)length);
    return thaw_view_f32(values, 3, (int64_t[]){ SAMPLES, length, WIDTH });
}

typedef float answers[SAMPLES * LONGEST * OUTPUTS];

static void predict(thaw_model *model, int64_t length, answers into)
{
    static _Thread_local float values[SAMPLES * LONGEST * WIDTH];
    const thaw_tensor inputs = batch_of(values, length);
    const thaw_tensor outputs = thaw_view_f32(into, 3, (int64_t[]){ SAMPLES, LONGEST, OUTPUTS });
    assert_ok(thaw_model_context(model), thaw_predict(model, &inputs, &outputs));
}

static float train(thaw_model *model, int64_t length)
{
    static _Thread_local float values[SAMPLES * LONGEST * WIDTH], wanted[SAMPLES * LONGEST * OUTPUTS];
    const thaw_tensor inputs = batch_of(values, length);
    const thaw_tensor targets = thaw_view_f32(wanted, 3, (int64_t[]){ SAMPLES, LONGEST, OUTPUTS });
    thaw_step_result result;
    assert_ok(thaw_model_context(model), thaw_step(model, &inputs, &targets, NULL, &result));
    return (float)result.loss;
}

static bool is_new(thaw_plan *const *plans, size_t count, size_t node)
{
    for (size_t i = 0; i < count; i++)
        if (plans[i]->nodes[node].packed == plans[count]->nodes[node].packed)
            return false;
    return plans[count]->nodes[node].packed;
}

/* Those of blocks that none of the plans before has. */
static size_t new_bytes(thaw_plan *const *plans, size_t count)
{
    size_t bytes = 0;
    for (size_t node = 0; node < plans[count]->node_count; node++)
        bytes += is_new(plans, count, node) ? thaw_align(plans[count]->nodes[node].needs.packed_bytes) : 0;
    return bytes;
}

/* All plans of "low" and "middle" multiply by our own kernel, whose layout does not depend on the number of rows. */
Test(shared_packed, takes_no_more_memory_with_more_lengths)
{
    static const int64_t lengths[] = { 0, 3, 8, 17, 29, 48, 64, 99 };
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    thaw_plan *plans[2 * THAW_COUNT(lengths)];
    for (size_t i = 0; i < THAW_COUNT(plans); i++) {
        const int64_t length = lengths[i / 2];
        const thaw_shard_range whole = { .shards = 1, .past = 1 };
        assert_ok(context, i % 2 ? thaw_plan_find_length(model, SAMPLES, length, &plans[i])
                                 : thaw_plan_find_shard(model, SAMPLES, length, whole, &plans[i]));
        const size_t bytes = new_bytes(plans, i);
        if (i == 0)
            cr_assert_geq(bytes, HIDDEN * WIDTH * sizeof(float), "nothing is packed");
        else
            cr_assert_lt(bytes, HIDDEN * WIDTH * sizeof(float), "plan %zu has its own copy", i);
        if (i > 1)
            cr_assert_eq(bytes, 0, "plan %zu takes %zu bytes more", i, bytes);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A fresh model has one plan, which shares with none. */
static void assert_answers_as_alone(thaw_model *model, int64_t length, const float *low)
{
    static _Thread_local answers found, wanted;
    thaw_context *context = thaw_model_context(model);
    thaw_model *alone = build(context);
    if (low)
        memcpy(thaw_parameter_edit(thaw_model_find_parameter(alone, "low.weight")), low,
               HIDDEN * WIDTH * sizeof(float));
    for (size_t i = 4; i < 6; i++) { /* the head's, which train */
        const thaw_parameter *trained = thaw_model_parameter(model, i);
        memcpy(thaw_parameter_edit(thaw_model_parameter(alone, i)), thaw_parameter_data(trained),
               thaw_shape_count(thaw_parameter_shape(trained)) * sizeof(float));
    }
    predict(alone, length, wanted);
    predict(model, length, found);
    cr_assert_arr_eq(found, wanted, sizeof found, "length %lld", (long long)length);
    thaw_model_destroy(alone);
}

Test(shared_packed, gives_the_same_bits)
{
    static float low[HIDDEN * WIDTH];
    thaw_context *context = support_context(2);
    thaw_model *model = build(context), *untouched = build(context);
    for (int64_t length = 1; length <= LONGEST; length += 9) {
        train(model, LONGEST + 1 - length);
        assert_answers_as_alone(model, length, NULL);
    }
    const thaw_parameter *weight = thaw_model_find_parameter(model, "low.weight");
    cr_assert(weight->absent, "it stays beside its copy");
    cr_assert_arr_eq(thaw_parameter_data(weight),
                     thaw_parameter_data(thaw_model_find_parameter(untouched, "low.weight")), sizeof low);
    /* Each plan must read the new values. */
    support_fill(low, THAW_COUNT(low), 77);
    memcpy(thaw_parameter_edit(thaw_model_find_parameter(model, "low.weight")), low, sizeof low);
    for (int64_t length = 1; length <= LONGEST; length += 9)
        assert_answers_as_alone(model, length, low);
    thaw_model_destroy(untouched);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The first plan has packed the weights, and is the first to be released. */
Test(shared_packed, outlives_the_plan_that_packed)
{
    static answers found;
    thaw_context *context = support_context(1);
    thaw_model *model = build(context), *untouched = build(context);
    thaw_plan *first, *again;
    assert_ok(context, thaw_plan_find_length(model, SAMPLES, 1, &first));
    const thaw_packed_block *block = first->nodes[LOW].packed;
    cr_assert_not_null(block);
    for (int64_t length = 1; length <= THAW_MOST_SHORTER_PLANS + 1; length++)
        predict(model, length, found);
    cr_assert_eq(block->plans, THAW_MOST_SHORTER_PLANS);
    const thaw_parameter *weight = thaw_model_find_parameter(model, "low.weight");
    cr_assert(weight->absent, "releasing the plan has restored it");
    assert_ok(context, thaw_plan_find_length(model, SAMPLES, 1, &again)); /* in place of that for length 2 */
    cr_assert_eq(again->nodes[LOW].packed, block);
    assert_answers_as_alone(model, 1, NULL);
    cr_assert_arr_eq(thaw_parameter_data(weight),
                     thaw_parameter_data(thaw_model_find_parameter(untouched, "low.weight")),
                     HIDDEN * WIDTH * sizeof(float));
    thaw_model_destroy(untouched);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
