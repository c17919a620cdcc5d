#include "train/scripted_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

enum { BATCH = 4 };

char scripted_directory[SUPPORT_PATH_BYTES], scripted_file[SUPPORT_PATH_BYTES], scripted_saved[SUPPORT_PATH_BYTES];

const int script_correct[SCRIPTED_EPOCHS] = { 3, 5, 5, 4, 5, 7, 6, 7, 2 };
const int script_best[SCRIPTED_EPOCHS] = { 1, 2, 2, 2, 2, 6, 6, 6, 6 };

void scripted_begin(void)
{
    support_make_directory(scripted_directory);
    support_path(scripted_file, scripted_directory, "best.safetensors");
    support_path(scripted_saved, scripted_directory, "run.safetensors");
}

void scripted_end(void)
{
    support_remove_directory(scripted_directory);
}

static void note(void *user, thaw_log_level level, const char *message)
{
    scripted_run *now = user;
    if (level == THAW_LOG_WARNING)
        snprintf(now->warning, sizeof now->warning, "%s", message);
}

/* Sample i is the unit vector of class i % CLASSES, which the network recognises; the first ones have that label. */
static bool read_script(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    const scripted_run *now = user;
    (void)message, (void)capacity;
    const int correct = now->correct ? now->correct[thaw_trainer_position_of(now->trainer).epoch - 1] : SCRIPTED_TESTED;
    for (size_t i = 0; i < count; i++) {
        const int shown = (int)(indices[i] % SCRIPTED_CLASSES);
        for (int k = 0; k < SCRIPTED_CLASSES; k++)
            samples[i * SCRIPTED_CLASSES + (size_t)k] = correct == SCRIPTED_BROKEN ? NAN : k == shown;
        ((int32_t *)targets)[i] = (int)indices[i] < correct ? shown : (shown + 1) % SCRIPTED_CLASSES;
    }
    return true;
}

static bool on_epoch(void *user, const thaw_epoch_result *result)
{
    scripted_run *now = user;
    size_t count;
    now->ended = result->epoch;
    now->told[result->epoch] = result->best;
    now->losses[result->epoch] = result->loss;
    now->test_losses[result->epoch] = result->test_loss;
    if (result->best.epoch == result->epoch) {
        free(now->kept);
        now->kept = support_weights(now->model, &count);
    }
    return true;
}

static void build(scripted_run *now)
{
    static const float identity[SCRIPTED_CLASSES * SCRIPTED_CLASSES] = { 9, 0, 0, 0, 9, 0, 0, 0, 9 };
    thaw_node x;
    assert_ok(now->context, thaw_model_create(now->context, &now->model));
    assert_ok(now->context, thaw_input(now->model, &(thaw_shape){ 1, { SCRIPTED_CLASSES } }, &x));
    assert_ok(now->context,
              thaw_dense(now->model, x, &(thaw_dense_options){ .name = "d", .units = SCRIPTED_CLASSES }, &x));
    assert_ok(now->context, thaw_softmax_cross_entropy(now->model, x, NULL, &x));
    memcpy(thaw_parameter_edit(thaw_model_find_parameter(now->model, "d.weight")), identity, sizeof identity);
    support_optimize(now->model, "sgd:lr=0.001,momentum=0.9");
}

thaw_status scripted_open(scripted_run *now, const int *correct, const thaw_fit_options *options)
{
    const int64_t count = SCRIPTED_SAMPLES;
    *now = (scripted_run){ .correct = correct, .options = *options };
    cr_assert_eq(thaw_context_create(&(thaw_context_options){ .threads = 1, .seed = 1, .log = note, .log_user = now },
                                     &now->context),
                 THAW_OK);
    build(now);
    support_fill(now->values, SCRIPTED_SAMPLES * SCRIPTED_CLASSES, 7);
    for (int i = 0; i < SCRIPTED_SAMPLES; i++)
        now->labels[i] = i % SCRIPTED_CLASSES;
    const thaw_tensor inputs = thaw_view_f32(now->values, 2, (const int64_t[]){ SCRIPTED_SAMPLES, SCRIPTED_CLASSES });
    const thaw_tensor targets = thaw_view_i32(now->labels, 1, &count);
    assert_ok(now->context, thaw_dataset_from_arrays(now->context, &inputs, &targets, SCRIPTED_CLASSES, &now->data));
    const thaw_source source = {
        .count = SCRIPTED_TESTED,
        .sample_shape = { 1, { SCRIPTED_CLASSES } },
        .target_dtype = THAW_I32,
        .classes = SCRIPTED_CLASSES,
        .identity = { 1, 2 },
        .read = read_script,
        .user = now,
    };
    assert_ok(now->context, thaw_dataset_create(now->context, &source, &now->test));
    now->options.epochs = now->options.epochs ? now->options.epochs : SCRIPTED_EPOCHS;
    now->options.batch = BATCH;
    now->options.test = correct ? now->test : NULL;
    now->options.on_epoch = on_epoch;
    now->options.user = now;
    return thaw_trainer_create(now->model, now->data, &now->options, &now->trainer);
}

void scripted_close(scripted_run *now)
{
    thaw_trainer_destroy(now->trainer);
    thaw_dataset_destroy(now->data);
    thaw_dataset_destroy(now->test);
    thaw_model_destroy(now->model);
    thaw_context_destroy(now->context);
    free(now->kept);
}

void scripted_finish(scripted_run *now)
{
    while (!thaw_trainer_done(now->trainer))
        assert_ok(now->context, thaw_trainer_epoch(now->trainer, NULL));
}

void scripted_continue(scripted_run *now, int cut, const thaw_fit_options *options)
{
    scripted_run first;
    assert_ok(first.context, scripted_open(&first, script_correct, options));
    for (int i = 0; i < cut; i++)
        assert_ok(first.context, thaw_trainer_step(first.trainer, NULL));
    assert_ok(first.context, thaw_trainer_save(first.trainer, scripted_saved));
    scripted_close(&first);
    assert_ok(now->context, scripted_open(now, script_correct, options));
    assert_ok(now->context, thaw_trainer_load(now->trainer, scripted_saved));
}

bool scripted_file_holds(const scripted_run *now, const float *weights)
{
    scripted_run other = { .context = now->context };
    size_t count;
    build(&other);
    assert_ok(now->context, thaw_weights_load(other.model, scripted_file, NULL, NULL));
    float *there = support_weights(other.model, &count);
    const bool same = memcmp(there, weights, count * sizeof *there) == 0;
    free(there);
    thaw_model_destroy(other.model);
    return same;
}
