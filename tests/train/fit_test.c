#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/network.h"

/* What the callbacks saw. */
typedef struct record {
    thaw_epoch_result epochs[8];
    size_t epoch_count, steps, stop_after_steps, stop_after_epochs;
    thaw_progress last;
} record;

static bool log_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    record *seen = user;
    seen->epochs[seen->epoch_count++] = *epoch_result;
    return seen->epoch_count != seen->stop_after_epochs;
}

static bool log_step(void *user, const thaw_progress *progress)
{
    record *seen = user;
    seen->last = *progress;
    return ++seen->steps != seen->stop_after_steps;
}

static thaw_fit_options options_for(record *seen)
{
    return (thaw_fit_options){ .epochs = 3, .batch = 16, .on_epoch = log_epoch, .on_step = log_step, .user = seen };
}

typedef struct fixture {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
} fixture;

static fixture open_fixture(void)
{
    fixture made = { .context = support_context(2) };
    made.model = support_network(made.context, false);
    made.data = support_samples(made.context, 40, 2);
    support_optimize(made.model, "adam:lr=0.01");
    return made;
}

static void close_fixture(fixture *made)
{
    thaw_dataset_destroy(made->data);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

Test(fit, learns_its_samples_and_reports_each_epoch)
{
    fixture f = open_fixture();
    record seen = { 0 };
    thaw_fit_options options = options_for(&seen);
    options.epochs = 8;
    options.test = f.data;
    thaw_epoch_result epoch_result;
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, &epoch_result));
    cr_assert_eq(seen.epoch_count, 8);
    cr_assert_eq(seen.steps, 8 * 3);
    cr_assert(seen.last.step == 3 && seen.last.steps == 3 && seen.last.epoch == 8 && seen.last.epochs == 8);
    cr_assert_lt(seen.epochs[7].loss, seen.epochs[0].loss);
    cr_assert_eq(memcmp(&epoch_result, &seen.epochs[7], sizeof epoch_result), 0);
    cr_assert(epoch_result.accuracy > 0.25 && epoch_result.test_accuracy > 0.25);
    cr_assert(epoch_result.seconds > 0 && epoch_result.samples_per_second > 0);
    /* Adam keeps two floats for each of the parameters, all of which train. */
    const size_t parameters = thaw_model_summary_totals(f.model).total_parameters;
    cr_assert_eq(epoch_result.trainable_parameters, parameters);
    cr_assert_eq(epoch_result.gradient_bytes, 4 * parameters);
    cr_assert_eq(epoch_result.optimizer_state_bytes, 8 * parameters);
    close_fixture(&f);
}

Test(fit, times_phases_when_asked)
{
    fixture f = open_fixture();
    record seen = { 0 };
    thaw_fit_options options = options_for(&seen);
    thaw_epoch_result epoch_result;
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, &epoch_result));
    const thaw_phase_seconds none = epoch_result.phases;
    cr_assert(none.data == 0 && none.forward == 0 && none.backward == 0 && none.update == 0);
    options.time_phases = true;
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, &epoch_result));
    const thaw_phase_seconds some = epoch_result.phases;
    cr_assert(some.data > 0 && some.forward > 0 && some.backward > 0 && some.update > 0);
    const double sum = some.data + some.forward + some.backward + some.update;
    cr_assert(sum <= epoch_result.seconds, "%g of %g s", sum, epoch_result.seconds);
    close_fixture(&f);
}

/* An epoch's loss is the mean over its samples, not over its batches, of which the last is smaller. */
Test(fit, loss_is_the_mean_over_samples)
{
    fixture f = open_fixture();
    record seen = { 0 };
    thaw_fit_options options = options_for(&seen);
    options.epochs = 1;
    support_optimize(f.model, "sgd:lr=0"); /* nothing moves, so the loss before is the loss during */
    thaw_evaluation before;
    thaw_epoch_result epoch_result;
    assert_ok(f.context, thaw_evaluate(f.model, f.data, 7, &before));
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, &epoch_result));
    cr_assert_float_eq(epoch_result.loss, before.loss, 1e-5, "%.9g, evaluated %.9g", epoch_result.loss, before.loss);
    cr_assert_float_eq(epoch_result.accuracy, before.accuracy, 1e-12);
    cr_assert_eq(before.samples, 40);
    close_fixture(&f);
}

Test(fit, drops_the_last_batch_when_asked)
{
    fixture f = open_fixture();
    record seen = { 0 };
    thaw_fit_options options = options_for(&seen);
    options.drop_last = true;
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, NULL));
    cr_assert_eq(seen.steps, 3 * 2);
    close_fixture(&f);
}

Test(fit, thaws_and_freezes_by_epoch)
{
    fixture f = open_fixture();
    record seen = { 0 };
    const thaw_strategy_rule rules[] = {
        { .epoch = 1, .pattern = "{conv,dense}[12]", .action = THAW_ACTION_FREEZE },
        { .epoch = 2, .pattern = "dense2", .action = THAW_ACTION_UNFREEZE },
        { .epoch = 3, .pattern = "conv2.bias", .action = THAW_ACTION_UNFREEZE },
    };
    thaw_fit_options options = options_for(&seen);
    options.strategy = &(thaw_strategy){ .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, NULL));
    const size_t head = 6 * 4 + 4, dense2 = 11 * 6 + 6, bias = 5;
    cr_assert_eq(seen.epochs[0].trainable_parameters, head);
    cr_assert_eq(seen.epochs[1].trainable_parameters, head + dense2);
    cr_assert_eq(seen.epochs[2].trainable_parameters, head + dense2 + bias);
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(f.model, "dense2.weight")), 6);
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(f.model, "conv2.bias")), 3);
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(f.model, "conv2.weight")), 0);
    close_fixture(&f);
}

Test(fit, follows_its_schedule)
{
    fixture f = open_fixture();
    record seen = { 0 };
    thaw_fit_options options = options_for(&seen);
    options.schedule = (thaw_schedule){ .kind = THAW_SCHEDULE_STEP, .gamma = 0.5 };
    assert_ok(f.context, thaw_fit(f.model, f.data, &options, NULL));
    cr_assert_eq(seen.epochs[0].rate_factor, 1);
    cr_assert_eq(seen.epochs[1].rate_factor, 0.5);
    cr_assert_eq(seen.epochs[2].rate_factor, 0.25);
    close_fixture(&f);
}

Test(fit, stops_when_a_callback_says_so_and_keeps_what_it_learned)
{
    fixture f = open_fixture();
    record seen = { .stop_after_steps = 4 };
    thaw_fit_options options = options_for(&seen);
    assert_fails(f.context, thaw_fit(f.model, f.data, &options, NULL), THAW_STOPPED, "epoch 2, after step 1");
    cr_assert_eq(thaw_parameter_steps(thaw_model_parameter(f.model, 0)), 4);
    seen = (record){ .stop_after_epochs = 1 };
    assert_fails(f.context, thaw_fit(f.model, f.data, &options, NULL), THAW_STOPPED, "after epoch 1");
    cr_assert_eq(thaw_parameter_steps(thaw_model_parameter(f.model, 0)), 7);
    close_fixture(&f);
}

Test(fit, refuses_before_the_first_step)
{
    fixture f = open_fixture();
    const thaw_strategy_rule rules[] = { { .epoch = 3, .pattern = "conv9", .action = THAW_ACTION_UNFREEZE } };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = 1 };
    const struct {
        thaw_fit_options options;
        thaw_status status;
        const char *message;
    } cases[] = {
        { { .epochs = -1 }, THAW_INVALID_ARGUMENT, "epochs" },
        { { .batch = -5 }, THAW_INVALID_ARGUMENT, "-5" },
        { { .clip_norm = NAN }, THAW_INVALID_ARGUMENT, "clip norm" },
        { { .clip_norm = -1 }, THAW_INVALID_ARGUMENT, "clip norm" },
        { { .strategy = &strategy }, THAW_NOT_FOUND, "conv9" },
        { { .batch = 64, .drop_last = true }, THAW_INVALID_ARGUMENT, "" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        record seen = { 0 };
        thaw_fit_options options = cases[i].options;
        options.on_step = log_step;
        options.user = &seen;
        assert_fails(f.context, thaw_fit(f.model, f.data, &options, NULL), cases[i].status, cases[i].message);
        cr_assert_eq(seen.steps, 0);
    }
    close_fixture(&f);
}

Test(fit, refuses_data_of_another_shape_or_with_more_classes)
{
    fixture f = open_fixture();
    static float values[6 * NETWORK_SAMPLE];
    const int32_t labels[] = { 0, 1, 2, 3, 4, 0 };
    const int64_t count = 6;
    const thaw_tensor flat = thaw_view_f32(values, 2, (const int64_t[]){ 6, NETWORK_SAMPLE });
    const thaw_tensor images = thaw_view_f32(values, 4, (const int64_t[]){ 6, 9, 7, 2 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &count);
    const thaw_tensor floats = thaw_view_f32(values, 1, &count);
    thaw_dataset *data;
    assert_ok(f.context, thaw_dataset_from_arrays(f.context, &flat, &targets, 5, &data));
    assert_fails(f.context, thaw_fit(f.model, data, NULL, NULL), THAW_SHAPE_MISMATCH, "[9, 7, 2]");
    thaw_dataset_destroy(data);
    assert_ok(f.context, thaw_dataset_from_arrays(f.context, &images, &targets, 5, &data));
    assert_fails(f.context, thaw_fit(f.model, data, NULL, NULL), THAW_SHAPE_MISMATCH, "5 classes");
    thaw_evaluation evaluation;
    assert_fails(f.context, thaw_evaluate(f.model, data, 0, &evaluation), THAW_SHAPE_MISMATCH, "5 classes");
    thaw_dataset_destroy(data);
    assert_ok(f.context, thaw_dataset_from_arrays(f.context, &images, &floats, 0, &data));
    assert_fails(f.context, thaw_fit(f.model, data, NULL, NULL), THAW_SHAPE_MISMATCH, "targets");
    thaw_dataset_destroy(data);
    close_fixture(&f);
}

/* Labels that are in no class are found where the data set cannot know: the source lies. */
static bool lie(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                size_t capacity)
{
    (void)user;
    (void)indices;
    (void)message;
    (void)capacity;
    memset(samples, 0, count * NETWORK_SAMPLE * sizeof(float));
    for (size_t i = 0; i < count; i++)
        ((int32_t *)targets)[i] = 77;
    return true;
}

static bool fail_late(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                      size_t capacity)
{
    (void)user;
    memset(samples, 0, count * NETWORK_SAMPLE * sizeof(float));
    memset(targets, 0, count * sizeof(int32_t));
    for (size_t i = 0; i < count; i++)
        if (indices[i] == 33) {
            snprintf(message, capacity, "the disk is on fire");
            return false;
        }
    return true;
}

Test(fit, reports_sources_that_lie_or_fail)
{
    fixture f = open_fixture();
    thaw_source source = {
        .count = 40,
        .sample_shape = { .rank = 3, .dims = { 9, 7, 2 } },
        .target_dtype = THAW_I32,
        .classes = NETWORK_CLASSES,
        .read = lie,
    };
    thaw_dataset *data;
    assert_ok(f.context, thaw_dataset_create(f.context, &source, &data));
    cr_assert_neq(thaw_fit(f.model, data, NULL, NULL), THAW_OK);
    cr_assert(strstr(thaw_context_message(f.context), "77") != NULL, "%s", thaw_context_message(f.context));
    thaw_dataset_destroy(data);
    source.read = fail_late;
    assert_ok(f.context, thaw_dataset_create(f.context, &source, &data));
    assert_fails(f.context, thaw_fit(f.model, data, &(thaw_fit_options){ .batch = 16 }, NULL), THAW_IO_ERROR,
                 "on fire");
    thaw_dataset_destroy(data);
    close_fixture(&f);
}
