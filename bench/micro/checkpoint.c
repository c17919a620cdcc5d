/* ./run bench checkpoint: what checkpoints cost a run. Two runs of ResNet-18, all trainable with momentum, take turns
   of a few steps each. One of them takes a snapshot in the first step of each turn, and writes it during the others. */
#include <stdio.h>
#include <stdlib.h>
#include <thaw/thaw.h>
#include <unistd.h>

#include "support/arguments.h"
#include "support/arrays.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { MOST_REPETITIONS = 100, SIDE = 224, BATCH = 4, SAMPLES = 4 * BATCH, CLASSES = 1000, TURN = 8 /* steps */ };

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *dataset;
    thaw_trainer *trainer;
} run;

static void make_model(run *made, int threads)
{
    thaw_optimizer *optimizer = NULL;
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &made->context));
    bench_check(made->context, thaw_model_create(made->context, &made->model));
    bench_check(made->context, thaw_zoo_build(made->model, "resnet18", CLASSES));
    bench_check(made->context, thaw_optimizer_create(made->context, "sgd:momentum=0.9", &optimizer));
    bench_check(made->context, thaw_select_optimizer(made->model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
}

/* `folder`: NULL for a run without checkpoints. The arrays outlive it. */
static run start_run(float *images, int32_t *labels, int threads, const char *folder)
{
    run made = { 0 };
    const thaw_tensor inputs = thaw_view_f32(images, 4, (const int64_t[]){ SAMPLES, SIDE, SIDE, 3 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ SAMPLES });
    make_model(&made, threads);
    bench_check(made.context, thaw_dataset_from_arrays(made.context, &inputs, &targets, CLASSES, &made.dataset));
    const thaw_fit_options options = { .epochs = 1000000,
                                       .batch = BATCH,
                                       .checkpoint = { .folder = folder, .every_steps = TURN, .keep = 1 } };
    bench_check(made.context, thaw_trainer_create(made.model, made.dataset, &options, &made.trainer));
    for (int i = 0; i < TURN - 1; i++) /* the first step of each turn is then one with a checkpoint */
        bench_check(made.context, thaw_trainer_step(made.trainer, NULL));
    return made;
}

static void end_run(run *made)
{
    thaw_trainer_destroy(made->trainer);
    thaw_dataset_destroy(made->dataset);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

static double time_turn(const run *of)
{
    const double begin = bench_now();
    for (int i = 0; i < TURN; i++)
        bench_check(of->context, thaw_trainer_step(of->trainer, NULL));
    return bench_now() - begin;
}

static void report(const bench_arguments *settings, const char *what, double *seconds)
{
    bench_measurement found = { .benchmark = "checkpoint",
                                .title = "Steps of ResNet-18 while a checkpoint is written",
                                .setting = "8 steps of ResNet-18 at 224, batch 4",
                                .what = what,
                                .threads = settings->threads };
    bench_measurement_take(&found, seconds, settings->repetitions);
    if (settings->json)
        bench_print_json(bench_measurement_json(&found));
    else
        printf("%-22s %9.1f ms  (%.1f to %.1f)\n", what, found.seconds * 1e3, found.low * 1e3, found.high * 1e3);
}

static void measure(const bench_arguments *settings, const run *plain, const run *saving)
{
    static double without[MOST_REPETITIONS], with[MOST_REPETITIONS], cost[MOST_REPETITIONS];
    for (size_t i = 0; i < settings->repetitions; i++) {
        if (i % 2)
            without[i] = time_turn(plain);
        with[i] = time_turn(saving);
        if (i % 2 == 0)
            without[i] = time_turn(plain);
        cost[i] = with[i] - without[i];
    }
    report(settings, "without", without);
    report(settings, "with one checkpoint", with);
    const double seconds = bench_median(cost, settings->repetitions);
    if (!settings->json)
        printf("a checkpoint costs %.1f ms (median of the differences): at one a minute, %.2f %% of the time\n",
               seconds * 1e3, seconds / 60 * 100);
}

int main(int count, char **values)
{
    const bench_arguments settings = bench_arguments_read("checkpoint", count, values, 15, MOST_REPETITIONS);
    char folder[] = "/var/tmp/thaw-checkpoints-XXXXXX"; /* on a disk, where there is one */
    float *images = bench_values((size_t)SAMPLES * 3 * SIDE * SIDE);
    static int32_t labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % CLASSES;
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    run plain = start_run(images, labels, settings.threads, NULL);
    run saving = start_run(images, labels, settings.threads, folder);
    if (!settings.json)
        printf("%d threads, medians of %zu turns of %d steps, quartiles\n", settings.threads, settings.repetitions,
               TURN);
    measure(&settings, &plain, &saving);
    const char *last = thaw_trainer_checkpoint_path(saving.trainer);
    if (last)
        unlink(last);
    end_run(&saving);
    end_run(&plain);
    free(images);
    return rmdir(folder) == 0 ? 0 : 1;
}
