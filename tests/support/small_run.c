#include "support/small_run.h"

#include <stdio.h>
#include <string.h>

enum { SAMPLES = 8, WIDTH = 2, CLASSES = 3 };

static void note(void *user, thaw_log_level level, const char *message)
{
    small_run *run = user;
    if (run->message_count < SMALL_RUN_MESSAGES)
        snprintf(run->messages[run->message_count++], sizeof run->messages[0], "%s%s",
                 level == THAW_LOG_WARNING ? "warning: " : "", message);
}

static void build(small_run *run)
{
    static float values[SAMPLES * WIDTH];
    static int32_t labels[SAMPLES];
    const int64_t count = SAMPLES;
    thaw_node x;
    thaw_optimizer *momentum;
    support_fill(values, SAMPLES * WIDTH, 7);
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % CLASSES;
    const thaw_tensor inputs = thaw_view_f32(values, 2, (const int64_t[]){ SAMPLES, WIDTH });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &count);
    assert_ok(run->context, thaw_dataset_from_arrays(run->context, &inputs, &targets, CLASSES, &run->data));
    assert_ok(run->context, thaw_model_create(run->context, &run->model));
    assert_ok(run->context, thaw_input(run->model, &(thaw_shape){ 1, { WIDTH } }, &x));
    assert_ok(run->context, thaw_dense(run->model, x, &(thaw_dense_options){ .name = "d", .units = CLASSES }, &x));
    assert_ok(run->context, thaw_softmax_cross_entropy(run->model, x, NULL, &x));
    assert_ok(run->context, thaw_optimizer_create(run->context, "sgd:lr=0.1,momentum=0.9", &momentum));
    assert_ok(run->context, thaw_select_optimizer(run->model, "*", momentum));
    thaw_optimizer_destroy(momentum);
}

void small_run_open(small_run *run, const char *folder, bool resume)
{
    *run = (small_run){ 0 };
    cr_assert_eq(thaw_context_create(&(thaw_context_options){ .threads = 1, .seed = 1, .log = note, .log_user = run },
                                     &run->context),
                 THAW_OK);
    build(run);
    const thaw_fit_options options = {
        .epochs = 2,
        .batch = 4,
        .checkpoint = { .folder = folder, .every_steps = folder != NULL, .resume = resume },
    };
    run->status = thaw_trainer_create(run->model, run->data, &options, &run->trainer);
}

void small_run_close(small_run *run)
{
    thaw_trainer_destroy(run->trainer);
    thaw_dataset_destroy(run->data);
    thaw_model_destroy(run->model);
    thaw_context_destroy(run->context);
}

void small_run_step(small_run *run, size_t steps)
{
    assert_ok(run->context, run->status);
    for (size_t i = 0; i < steps && !thaw_trainer_done(run->trainer); i++)
        assert_ok(run->context, thaw_trainer_step(run->trainer, NULL));
}

void small_run_weights(const small_run *run, float values[SMALL_RUN_FLOATS])
{
    memcpy(values, thaw_parameter_data(thaw_model_find_parameter(run->model, "d.weight")),
           (size_t)WIDTH * CLASSES * sizeof *values);
    memcpy(values + (size_t)WIDTH * CLASSES, thaw_parameter_data(thaw_model_find_parameter(run->model, "d.bias")),
           CLASSES * sizeof *values);
}

bool small_run_said(const small_run *run, const char *text)
{
    for (size_t i = 0; i < run->message_count; i++)
        if (strstr(run->messages[i], text))
            return true;
    return false;
}
