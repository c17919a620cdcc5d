/* Running statistics of batch normalisation beside PyTorch's, trained and frozen: tests/golden/normalisation.py made
   the numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/network.h"
#include "train/normalised_network.h"

enum { STEPS = 20, BATCHES = 10 };

static void check_statistics(FILE *file, thaw_model *model, const char *name, const char *layer, size_t channels)
{
    float expected[12];
    char path[32];
    golden_read(file, name, expected, 2 * channels);
    snprintf(path, sizeof path, "%s.running_mean", layer);
    assert_close(thaw_parameter_data(thaw_model_find_parameter(model, path)), expected, channels, 1e-4, path);
    snprintf(path, sizeof path, "%s.running_var", layer);
    assert_close(thaw_parameter_data(thaw_model_find_parameter(model, path)), expected + channels, channels, 1e-4,
                 path);
}

Test(running_statistics, equal_pytorch_s_trained_and_frozen)
{
    static const struct {
        const char *name, *frozen[2];
        bool tracked;
    } runs[] = { { "all trainable", { NULL }, false },
                 { "first frozen", { "conv1", "norm1" }, false },
                 { "first frozen but tracked", { "conv1", "norm1" }, true },
                 { "second frozen", { "norm2", NULL }, false } };
    FILE *file = golden_open("running_statistics.txt");
    for (size_t r = 0; r < THAW_COUNT(runs); r++) {
        thaw_context *context = support_context(2);
        thaw_model *model = normalised_network(context, runs[r].tracked);
        float expected[STEPS];
        support_optimize(model, "adam:lr=1e-2");
        for (size_t i = 0; i < 2 && runs[r].frozen[i]; i++)
            assert_ok(context, thaw_model_freeze(model, runs[r].frozen[i]));
        golden_case(file, runs[r].name);
        golden_read(file, "losses", expected, STEPS);
        for (uint32_t step = 0; step < STEPS; step++) {
            const double loss = normalised_step(context, model, step % BATCHES), wanted = (double)expected[step];
            cr_assert(fabs(loss - wanted) <= 1e-4 * wanted, "%s, step %u: loss %.9g, PyTorch's %.9g", runs[r].name,
                      step + 1, loss, wanted);
        }
        check_statistics(file, model, "first", "norm1", 4);
        check_statistics(file, model, "second", "norm2", 6);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
    fclose(file);
}

Test(running_statistics, of_a_frozen_layer_keep_their_bytes)
{
    static const char *const optimizers[] = { "sgd:lr=0.05,momentum=0.9,weight_decay=1e-2",
                                              "adam:lr=1e-2,weight_decay=1e-2" };
    for (size_t k = 0; k < THAW_COUNT(optimizers); k++) {
        thaw_context *context = support_context(2);
        thaw_model *model = normalised_network(context, false);
        support_optimize(model, optimizers[k]);
        normalised_step(context, model, 0);
        assert_ok(context, thaw_model_freeze(model, "norm2"));
        const char *const names[] = { "norm2.weight", "norm2.bias", "norm2.running_mean", "norm2.running_var" };
        float before[4][6];
        for (size_t i = 0; i < 4; i++)
            memcpy(before[i], thaw_parameter_data(thaw_model_find_parameter(model, names[i])), sizeof before[i]);
        for (uint32_t step = 0; step < 10; step++)
            normalised_step(context, model, step);
        for (size_t i = 0; i < 4; i++)
            cr_assert_eq(memcmp(before[i], thaw_parameter_data(thaw_model_find_parameter(model, names[i])),
                                sizeof before[i]),
                         0, "%s moved", names[i]);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

static thaw_region region_of(thaw_model *model, const char *name)
{
    const thaw_plan *plan;
    assert_ok(thaw_model_context(model),
              thaw_model_plan(model, &(thaw_plan_options){ .batch = NORMALISED_BATCH }, &plan));
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        thaw_plan_entry entry;
        assert_ok(thaw_model_context(model), thaw_plan_entry_at(plan, i, &entry));
        if (strcmp(entry.name, name) == 0)
            return entry.region;
    }
    cr_assert_fail("the plan has no %s", name);
    return THAW_REGION_LIVE;
}

Test(running_statistics, that_follow_the_batches_keep_a_layer_out_of_the_prefix)
{
    thaw_context *context = support_context(1);
    for (int tracked = 0; tracked < 2; tracked++) {
        thaw_model *model = normalised_network(context, tracked);
        support_optimize(model, "sgd:lr=0.1");
        assert_ok(context, thaw_model_freeze(model, "*1"));
        cr_assert_eq(region_of(model, "conv1"), THAW_REGION_PREFIX);
        cr_assert_eq(region_of(model, "norm1"), tracked ? THAW_REGION_LIVE : THAW_REGION_PREFIX);
        assert_ok(context, thaw_model_freeze(model, "*"));
        const thaw_plan *plan;
        assert_fails(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = NORMALISED_BATCH }, &plan),
                     THAW_NOTHING_TRAINABLE, "unfreeze");
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(running_statistics, without_weight_and_bias_follow_the_group_s_flag)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 8, 8, 1 } }, &x));
    assert_ok(context, thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "norm", .no_affine = true }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense", .units = NORMALISED_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    const float *mean = thaw_parameter_data(thaw_model_find_parameter(model, "norm.running_mean"));
    float pixels[NORMALISED_BATCH * NORMALISED_PIXELS];
    double expected = 0;
    support_fill(pixels, NORMALISED_BATCH * NORMALISED_PIXELS, 100);
    for (size_t i = 0; i < NORMALISED_BATCH * NORMALISED_PIXELS; i++)
        expected += (double)pixels[i] / (NORMALISED_BATCH * NORMALISED_PIXELS);
    normalised_step(context, model, 0);
    cr_assert_float_eq(*mean, 0.1 * expected, 1e-7);
    const float kept = *mean;
    assert_ok(context, thaw_model_freeze(model, "norm"));
    normalised_step(context, model, 1);
    cr_assert_eq(*mean, kept);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(running_statistics, a_batch_without_variance_is_refused_and_changes_nothing)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { 3 } }, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    const thaw_tensor inputs = thaw_view_f32((float[]){ 1, 2, 3 }, 2, (int64_t[]){ 1, 3 });
    const thaw_tensor targets = thaw_view_i32((int32_t[]){ 1 }, 1, (int64_t[]){ 1 });
    thaw_step_result result;
    assert_fails(context, thaw_step(model, &inputs, &targets, NULL, &result), THAW_INVALID_ARGUMENT, "no variance");
    const float *mean = thaw_parameter_data(thaw_model_find_parameter(model, "batch_norm1.running_mean"));
    for (size_t c = 0; c < 3; c++)
        cr_assert_eq(mean[c], 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Two models train on the same batches, and one of them also gets what must leave no trace. */
typedef struct twins {
    thaw_context *context;
    thaw_model *plain, *disturbed;
} twins;

static twins make_twins(const char *optimizer)
{
    twins made = { .context = support_context(2) };
    made.plain = normalised_network(made.context, false);
    made.disturbed = normalised_network(made.context, false);
    support_optimize(made.plain, optimizer);
    support_optimize(made.disturbed, optimizer);
    for (uint32_t batch = 0; batch < 3; batch++) {
        normalised_step(made.context, made.plain, batch);
        normalised_step(made.context, made.disturbed, batch);
    }
    return made;
}

static void assert_alike(const twins *compared, const char *what)
{
    for (size_t i = 0; i < thaw_model_parameter_count(compared->plain); i++) {
        const thaw_parameter *plain = thaw_model_parameter(compared->plain, i);
        const thaw_parameter *disturbed = thaw_model_parameter(compared->disturbed, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(plain));
        cr_assert_eq(memcmp(thaw_parameter_data(plain), thaw_parameter_data(disturbed), count * sizeof(float)), 0,
                     "%s: %s moved", what, thaw_parameter_name(plain));
        cr_assert_eq(thaw_parameter_steps(plain), thaw_parameter_steps(disturbed), "%s: %s", what,
                     thaw_parameter_name(plain));
    }
}

static void end_twins(const twins *made)
{
    thaw_model_destroy(made->plain);
    thaw_model_destroy(made->disturbed);
    thaw_context_destroy(made->context);
}

/* Nothing moves at once, and later steps and evaluation find nothing that it left. */
static void assert_no_trace(const twins *made, const char *what)
{
    assert_alike(made, what);
    for (uint32_t batch = 3; batch < 6; batch++)
        cr_assert_eq(normalised_step(made->context, made->plain, batch),
                     normalised_step(made->context, made->disturbed, batch));
    assert_alike(made, what);
}

Test(running_statistics, keep_their_bytes_where_only_gradients_are_computed)
{
    const twins made = make_twins("sgd:lr=0.05,momentum=0.9");
    thaw_step_result first, again;
    const thaw_step_options gradients_only = { .gradients_only = true };
    assert_ok(made.context, normalised_try_step(made.disturbed, 3, 0, &gradients_only, &first));
    assert_ok(made.context, normalised_try_step(made.disturbed, 3, 0, &gradients_only, &again));
    cr_assert(first.loss == again.loss && !first.skipped);
    assert_no_trace(&made, "gradients only");
    end_twins(&made);
}

Test(running_statistics, keep_their_bytes_when_a_step_fails)
{
    const twins made = make_twins("adam:lr=1e-2");
    const float pixels[] = { NAN, INFINITY };
    for (size_t i = 0; i < THAW_COUNT(pixels); i++)
        assert_fails(made.context, normalised_try_step(made.disturbed, 3, pixels[i], NULL, NULL), THAW_NOT_FINITE,
                     "loss");
    assert_no_trace(&made, "a loss that is not finite");
    end_twins(&made);
}

/* The variance of a channel that holds 1e25 is infinite as a float, and what it normalises is finite: so is the
   loss. */
Test(running_statistics, keep_their_bytes_when_a_step_is_skipped)
{
    const twins made = make_twins("adam:lr=1e-2");
    const double clips[] = { 0, 1 };
    for (size_t i = 0; i < THAW_COUNT(clips); i++) {
        thaw_step_result result;
        const thaw_step_options options = { .clip_norm = clips[i] };
        assert_ok(made.context, normalised_try_step(made.disturbed, 3, 1e25F, &options, &result));
        cr_assert(isfinite(result.loss) && result.skipped, "loss %g, clipping to %g", result.loss, clips[i]);
    }
    assert_no_trace(&made, "a skipped step");
    end_twins(&made);
}
