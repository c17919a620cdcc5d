/* ./run bench policies: what it costs to switch from one state of freezing to another, the first time and later, and what
   it costs to watch a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "support/arguments.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { MOST_ROUNDS = 200, MOST_SWITCHES = 256, BATCH = 16, SIDE = 64, CLASSES = 10, SAMPLES = BATCH * 1000 };

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_policy *policy;
    thaw_trainer *trainer;
    double switches[MOST_SWITCHES];
    size_t switch_count;
    size_t step; /* of the last switch that was timed */
} run;

static bool read_samples(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)user, (void)message, (void)capacity;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < (size_t)SIDE * SIDE * 3; k++)
            samples[i * SIDE * SIDE * 3 + k] = (float)(((indices[i] + k) * 2654435761U) % 1000) / 1000;
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % CLASSES);
    }
    return true;
}

/* The last action of a decision is told when all have been carried out: finding the plan is the switch. */
static void on_action(void *user, const thaw_policy_effect *effect)
{
    run *now = user;
    const thaw_plan *plan;
    if (now->step == effect->step || now->switch_count == MOST_SWITCHES)
        return;
    now->step = effect->step;
    const double begin = bench_now();
    bench_check(now->context, thaw_model_plan(now->model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    now->switches[now->switch_count++] = bench_now() - begin;
}

static void open_run(run *made, const char *policy, int threads)
{
    char network[64];
    thaw_optimizer *optimizer = NULL;
    *made = (run){ 0 };
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &made->context));
    bench_check(made->context, thaw_model_create(made->context, &made->model));
    snprintf(network, sizeof network, "resnet18:size=%d", SIDE);
    bench_check(made->context, thaw_zoo_build(made->model, network, CLASSES));
    bench_check(made->context, thaw_optimizer_create(made->context, "adam:lr=1e-5", &optimizer));
    bench_check(made->context, thaw_select_optimizer(made->model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    const thaw_source source = { .count = SAMPLES,
                                 .sample_shape = { 3, { SIDE, SIDE, 3 } },
                                 .target_dtype = THAW_I32,
                                 .classes = CLASSES,
                                 .identity = { 1, 2 },
                                 .read = read_samples };
    bench_check(made->context, thaw_dataset_create(made->context, &source, &made->data));
    if (policy)
        bench_check(made->context, thaw_policy_create(made->context, policy, &made->policy));
    const thaw_fit_options options = { .epochs = 3,
                                       .batch = BATCH,
                                       .policy = made->policy,
                                       .on_action = policy && strncmp(policy, "auto", 4) ? on_action : NULL,
                                       .user = made };
    bench_check(made->context, thaw_trainer_create(made->model, made->data, &options, &made->trainer));
}

static void close_run(run *made)
{
    thaw_trainer_destroy(made->trainer);
    thaw_policy_destroy(made->policy);
    thaw_dataset_destroy(made->data);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

static double time_step(run *on)
{
    const double begin = bench_now();
    bench_check(on->context, thaw_trainer_step(on->trainer, NULL));
    return bench_now() - begin;
}

static void print(const bench_arguments *settings, const char *setting, const char *what, double *seconds, size_t count)
{
    bench_measurement found = { .benchmark = "policies",
                                .title = "What policies cost",
                                .setting = setting,
                                .what = what,
                                .threads = settings->threads };
    bench_measurement_take(&found, seconds, count);
    if (settings->json)
        bench_print_json(bench_measurement_json(&found));
    else
        printf("%-34s %-26s %10.3f ms (%.3f to %.3f), %zu times\n", setting, what, found.seconds * 1e3, found.low * 1e3,
               found.high * 1e3, count);
    fflush(stdout);
}

/* One cycle of ResNet-18's blocks for the first time, and then some again. */
static void measure_switches(const bench_arguments *settings, const char *policy)
{
    run on;
    size_t first = 0;
    open_run(&on, policy, settings->threads);
    for (size_t i = 0; i < settings->repetitions; i++) {
        time_step(&on);
        if (i == 8) /* nine blocks take turns */
            first = on.switch_count;
    }
    print(settings, policy, "switch, the first time", on.switches, first);
    print(settings, policy, "switch, later", on.switches + first, on.switch_count - first);
    close_run(&on);
}

/* Steps of runs with and without watching take turns. */
static void measure_watching(const bench_arguments *settings)
{
    static double plain[MOST_ROUNDS], watched[MOST_ROUNDS], ratios[MOST_ROUNDS / 8];
    run without, with;
    size_t rounds = 0;
    open_run(&without, NULL, settings->threads);
    open_run(&with, "auto:exchange=0", settings->threads);
    for (size_t i = 0; i < 8; i++) { /* warm */
        time_step(&without);
        time_step(&with);
    }
    for (size_t i = 0; i < settings->repetitions; i++) {
        plain[i] = time_step(&without);
        watched[i] = time_step(&with);
    }
    for (size_t i = 0; i + 8 <= settings->repetitions; i += 8) { /* one of eight steps is watched */
        double sums[2] = { 0 };
        for (size_t k = i; k < i + 8; k++) {
            sums[0] += plain[k];
            sums[1] += watched[k];
        }
        ratios[rounds++] = sums[1] / sums[0];
    }
    print(settings, "resnet18, all trains", "step", plain, settings->repetitions);
    print(settings, "resnet18, all trains", "step, watched", watched, settings->repetitions);
    if (!settings->json && rounds)
        printf("watched / not watched, of eight steps together: %.4f\n", bench_median(ratios, rounds));
    close_run(&with);
    close_run(&without);
}

int main(int count, char **values)
{
    const bench_arguments settings = bench_arguments_read("policies", count, values, 40, MOST_ROUNDS);
    if (!settings.json)
        printf("%d threads, medians and quartiles\n", settings.threads);
    if (!settings.only || strcmp(settings.only, "switches") == 0) {
        measure_switches(&settings, "badam:every=1,order=1,keep_state=1");
        measure_switches(&settings, "badam:every=1,order=1");
    }
    if (!settings.only || strcmp(settings.only, "watching") == 0)
        measure_watching(&settings);
    return 0;
}
