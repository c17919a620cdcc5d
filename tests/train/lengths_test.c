/* Batches of sequences that are shorter than the longest. */
#include <math.h>
#include <string.h>

#include "graph/model.h"
#include "plan/plan.h"
#include "plan/store.h"
#include "support/network.h"
#include "support/ranks.h"
#include "train/length_network.h"

enum { SAMPLES = 6 };

static void predict(thaw_model *model, const thaw_tensor *inputs, int64_t count, float *outputs)
{
    const thaw_tensor into = thaw_view_f32(outputs, 2, (int64_t[]){ count, LENGTH_CLASSES });
    assert_ok(thaw_model_context(model), thaw_predict(model, inputs, &into));
}

/* A network that always runs at the longest length says what is right. */
Test(lengths, do_not_change_predictions)
{
    thaw_context *context = support_context(2);
    thaw_model *cut = length_network(context, true, "sgd:lr=0.1"),
               *whole = length_network(context, false, "sgd:lr=0.1");
    for (int longest = 1; longest <= LENGTH_LONGEST; longest++) {
        length_batch batch;
        float expected[SAMPLES * LENGTH_CLASSES], found[SAMPLES * LENGTH_CLASSES];
        int32_t ids[SAMPLES * LENGTH_LONGEST];
        length_batch_fill(&batch, SAMPLES, longest, (uint32_t)longest);
        predict(whole, batch.inputs, SAMPLES, expected);
        predict(cut, batch.inputs, SAMPLES, found);
        cr_assert_arr_eq(found, expected, sizeof found, "longest %d", longest);
        for (int i = 0; i < SAMPLES; i++)
            memcpy(ids + i * longest, batch.ids + i * LENGTH_LONGEST, (size_t)longest * sizeof *ids);
        const thaw_tensor shorter[] = { thaw_view_i32(ids, 2, (int64_t[]){ SAMPLES, longest }), batch.inputs[1] };
        predict(cut, shorter, SAMPLES, found);
        cr_assert_arr_eq(found, expected, sizeof found, "tensors of %d", longest);
        for (int i = 0; i < SAMPLES; i++) {
            const thaw_tensor alone[] = {
                thaw_view_i32(ids + i * longest, 2, (int64_t[]){ 1, longest }),
                thaw_view_i32(batch.lengths + i, 1, (int64_t[]){ 1 }),
            };
            predict(cut, alone, 1, found);
            cr_assert_arr_eq(found, expected + i * LENGTH_CLASSES, LENGTH_CLASSES * sizeof(float), "sample %d", i);
        }
    }
    thaw_model_destroy(cut);
    thaw_model_destroy(whole);
    thaw_context_destroy(context);
}

Test(lengths, train_as_the_longest_does)
{
    thaw_context *context = support_context(2);
    thaw_model *cut = length_network(context, true, "sgd:lr=0.1,momentum=0.9");
    thaw_model *whole = length_network(context, false, "sgd:lr=0.1,momentum=0.9");
    for (uint32_t step = 0; step < 40; step++) {
        length_batch batch;
        thaw_step_result one, other;
        const thaw_step_options options = { .shards = 1 + step % 3 };
        length_batch_fill(&batch, SAMPLES, 1 + (int)step, step);
        assert_ok(context, thaw_step(cut, batch.inputs, &batch.targets, &options, &one));
        assert_ok(context, thaw_step(whole, batch.inputs, &batch.targets, &options, &other));
        cr_assert(fabs(one.loss - other.loss) <= 1e-5 * other.loss, "step %u: loss %.9g, at the longest length %.9g",
                  step, one.loss, other.loss);
    }
    thaw_model_destroy(cut);
    thaw_model_destroy(whole);
    thaw_context_destroy(context);
}

/* ---- how long a batch is ---- */

Test(lengths, are_rounded_to_few)
{
    static const struct {
        int64_t longest, length, rounded; /* 0: the whole length */
    } cases[] = {
        { 128, 0, 1 },   { 128, 1, 1 },     { 128, 16, 16 }, { 128, 17, 18 }, { 128, 33, 36 }, { 128, 65, 72 },
        { 128, 72, 72 }, { 128, 113, 120 }, { 128, 121, 0 }, { 128, 128, 0 }, { 512, 1, 4 },   { 512, 63, 64 },
        { 512, 65, 72 }, { 512, 257, 288 }, { 512, 481, 0 }, { 40, 5, 5 },    { 40, 33, 36 },  { 40, 37, 0 },
        { 5, 1, 1 },     { 5, 5, 0 },       { 100, 14, 14 }, { 100, 97, 0 },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const thaw_model model = { .longest = cases[i].longest };
        const int64_t found = thaw_model_round_length(&model, cases[i].length);
        cr_assert_eq(found, cases[i].rounded, "%lld of %lld: %lld", (long long)cases[i].length,
                     (long long)cases[i].longest, (long long)found);
    }
}

/* The bounds that thaw/model.h states. */
Test(lengths, are_rounded_by_little)
{
    for (int64_t longest = 1; longest <= 5000; longest += longest < 300 ? 1 : 97) {
        const thaw_model model = { .longest = longest };
        int64_t last = 0, count = 0;
        for (int64_t length = 1; length <= longest; length++) {
            const int64_t found = thaw_model_round_length(&model, length), rounded = found ? found : longest;
            const double most = fmax(fmax((double)length / 8, (double)longest / 64), 1);
            cr_assert(rounded >= length && rounded <= longest && rounded >= last, "%lld of %lld: %lld",
                      (long long)length, (long long)longest, (long long)rounded);
            cr_assert_lt((double)(rounded - length), most, "%lld of %lld: %lld", (long long)length, (long long)longest,
                         (long long)rounded);
            count += rounded > last;
            last = rounded;
        }
        cr_assert_leq(count, 40, "%lld lengths up to %lld", (long long)count, (long long)longest);
    }
}

Test(lengths, are_those_of_the_longest_sample)
{
    thaw_context *context = support_context(1);
    thaw_model *model = length_network(context, true, "sgd:lr=0.1");
    float samples[3 * (LENGTH_LONGEST + 1)] = { 0 };
    float *const lengths[] = { samples + LENGTH_LONGEST, samples + 2 * LENGTH_LONGEST + 1,
                               samples + 3 * LENGTH_LONGEST + 2 };
    *lengths[0] = 3, *lengths[1] = 17, *lengths[2] = 8;
    cr_assert_eq(thaw_model_batch_length(model, samples, 3, LENGTH_LONGEST), 18);
    cr_assert_eq(thaw_model_batch_length(model, samples, 1, LENGTH_LONGEST), 3);
    *lengths[1] = NAN;
    cr_assert_eq(thaw_model_batch_length(model, samples, 3, LENGTH_LONGEST), 0);
    *lengths[1] = 21;
    cr_assert_eq(thaw_model_batch_length(model, samples, 3, 20), 20);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- plans ---- */

Test(lengths, have_few_plans_that_are_kept)
{
    thaw_context *context = support_context(1);
    thaw_model *model = length_network(context, true, "sgd:lr=0.1");
    thaw_plan *plans[LENGTH_LONGEST + 1], *again;
    for (int64_t length = 1; length <= LENGTH_LONGEST; length++)
        assert_ok(context,
                  thaw_plan_find_length(model, SAMPLES, thaw_model_round_length(model, length), &plans[length]));
    for (int64_t length = 1; length <= LENGTH_LONGEST; length++) {
        const int64_t rounded = thaw_model_round_length(model, length);
        assert_ok(context, thaw_plan_find_length(model, SAMPLES, rounded, &again));
        cr_assert_eq(again, plans[length]);
        cr_assert_eq(again->length, rounded);
        const thaw_shape wanted = { 2, { rounded ? rounded : LENGTH_LONGEST, 6 } };
        cr_assert(thaw_shape_equal(thaw_plan_shape(again, 3), &wanted));
    }
    cr_assert_lt(plans[1]->arena_bytes, plans[LENGTH_LONGEST]->arena_bytes);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- layers that need the whole length ---- */

static thaw_model *begin(thaw_context *context, const thaw_shape *shape, thaw_node *x)
{
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context,
              thaw_named_input(model, &(thaw_input_options){ .name = "x", .shape = *shape, .sequence = true }, x));
    return model;
}

Test(lengths, are_refused_by_layers_that_cannot_take_them)
{
    thaw_context *context = support_context(1);
    thaw_node x;
    const float values[24] = { 0 };
    float outputs[24];
    thaw_model *model = begin(context, &(thaw_shape){ 1, { 24 } }, &x);
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "fc", .units = 2 }, &x));
    const thaw_tensor whole = thaw_view_f32(values, 2, (int64_t[]){ 1, 24 });
    const thaw_tensor shorter = thaw_view_f32(values, 2, (int64_t[]){ 1, 9 });
    const thaw_tensor into = thaw_view_f32(outputs, 2, (int64_t[]){ 1, 2 });
    assert_ok(context, thaw_predict(model, &whole, &into));
    assert_fails(
        context, thaw_predict(model, &shorter, &into), THAW_SHAPE_MISMATCH,
        "fc: sequences must have their whole length here: \"weight\" would have shape [2, 9], but has [2, 24]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(lengths, are_checked)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    const thaw_input_options ids = { .name = "ids", .dtype = THAW_I32, .shape = { 1, { 8 } }, .sequence = true };
    const thaw_input_options types = { .name = "types", .dtype = THAW_I32, .shape = { 1, { 9 } }, .sequence = true };
    const thaw_input_options length = { .name = "length", .dtype = THAW_I32, .lengths = true };
    assert_fails(context, thaw_named_input(model, &(thaw_input_options){ .name = "n", .lengths = true }, &x),
                 THAW_INVALID_ARGUMENT, "n: lengths must be one i32 number");
    assert_ok(context, thaw_named_input(model, &ids, &x));
    assert_fails(context, thaw_named_input(model, &types, &x), THAW_INVALID_ARGUMENT,
                 "types: the sequence has 9 steps, another 8");
    assert_ok(context, thaw_named_input(model, &length, &x));
    assert_fails(context,
                 thaw_named_input(model, &(thaw_input_options){ .name = "n", .dtype = THAW_I32, .lengths = true }, &x),
                 THAW_DUPLICATE, "n: \"length\" already has the lengths");
    thaw_model_destroy(model);
    model = length_network(context, true, "sgd:lr=0.1");
    length_batch batch;
    length_batch_fill(&batch, SAMPLES, LENGTH_LONGEST, 1);
    batch.inputs[0].shape.dims[1] = LENGTH_LONGEST + 1;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_SHAPE_MISMATCH,
                 "ids have shape [6, 41], must be a batch of samples of shape [40]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- steps with targets ---- */

/* Without lengths a batch runs at that of its tensors. */
Test(lengths, cut_targets_and_outputs)
{
    enum { LONGEST = 24, LENGTH = 9, COUNT = 3 };
    thaw_context *context = support_context(1);
    thaw_node x;
    thaw_model *model = begin(context, &(thaw_shape){ 2, { LONGEST, 2 } }, &x);
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "fc", .units = 1 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    const float weight[3] = { 0.5F, -2, 0.25F };
    memcpy(thaw_parameter_edit(thaw_model_parameter(model, 0)), weight, 2 * sizeof *weight);
    memcpy(thaw_parameter_edit(thaw_model_parameter(model, 1)), weight + 2, sizeof *weight);
    float values[COUNT * LENGTH * 2], wanted[COUNT * LONGEST], outputs[COUNT * LONGEST];
    support_fill(values, THAW_COUNT(values), 1);
    support_fill(wanted, THAW_COUNT(wanted), 2);
    const thaw_tensor inputs = thaw_view_f32(values, 3, (int64_t[]){ COUNT, LENGTH, 2 });
    const thaw_tensor targets = thaw_view_f32(wanted, 3, (int64_t[]){ COUNT, LONGEST, 1 });
    const thaw_tensor into = thaw_view_f32(outputs, 3, (int64_t[]){ COUNT, LONGEST, 1 });
    assert_ok(context, thaw_predict(model, &inputs, &into));
    double loss = 0;
    for (int n = 0; n < COUNT; n++)
        for (int t = 0; t < LONGEST; t++) {
            const float *v = values + (n * LENGTH + (t < LENGTH ? t : 0)) * 2;
            const double y = t < LENGTH ? 0.5 * (double)v[0] - 2 * (double)v[1] + 0.25 : 0;
            const double distance = y - (double)wanted[n * LONGEST + t];
            cr_assert_float_eq((double)outputs[n * LONGEST + t], y, 1e-6);
            loss += t < LENGTH ? distance * distance / (COUNT * LENGTH) : 0;
        }
    thaw_step_result result;
    assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
    cr_assert_float_eq(result.loss, loss, 1e-6 * loss, "%.9g, wanted %.9g", result.loss, loss);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
