/* ./run bench plan: the time to compile a plan, and to return to one that is kept, for networks of the zoo. */
#include <stdio.h>
#include <string.h>
#include <thaw/thaw.h>

#include "support/arguments.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { MOST_REPETITIONS = 100 };

typedef struct workload {
    const char *network;
    int64_t batch;
} workload;

static const workload workloads[] = {
    { "mlp-512", 128 }, { "transfer-cnn", 128 }, { "resnet18", 16 }, { "resnet50", 8 }, { "mobilenet-v2", 8 },
};

/* ---------------------------------------------------------------- a network */

typedef struct network {
    thaw_context *context;
    thaw_model *model;
} network;

static network make_network(const workload *work, int threads)
{
    network made = { 0 };
    thaw_optimizer *optimizer = NULL;
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &made.context));
    bench_check(made.context, thaw_model_create(made.context, &made.model));
    bench_check(made.context, thaw_zoo_build(made.model, work->network, 0));
    bench_check(made.context, thaw_optimizer_create(made.context, "sgd", &optimizer));
    bench_check(made.context, thaw_select_optimizer(made.model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    return made;
}

static void release_network(network *made)
{
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

static const char *head_of(const network *of)
{
    return thaw_parameter_name(thaw_model_parameter(of->model, thaw_model_parameter_count(of->model) - 1));
}

/* ---------------------------------------------------------------- measuring */

typedef enum state { ALL_TRAINS, HEAD_TRAINS, EVALUATION, STATES } state;

static const char *const state_names[STATES] = { "everything trains", "the head trains", "evaluation" };

static double time_compile(const workload *work, int threads, state wanted)
{
    network on = make_network(work, threads);
    const thaw_plan *plan;
    if (wanted == HEAD_TRAINS) {
        bench_check(on.context, thaw_model_freeze(on.model, "*"));
        bench_check(on.context, thaw_model_unfreeze(on.model, head_of(&on)));
    }
    const thaw_plan_options options = { .batch = work->batch, .inference = wanted == EVALUATION };
    const double begin = bench_now();
    bench_check(on.context, thaw_model_plan(on.model, &options, &plan));
    const double seconds = bench_now() - begin;
    release_network(&on);
    return seconds;
}

static void measure(const workload *work, state wanted, int threads, const bench_arguments *settings)
{
    static double seconds[MOST_REPETITIONS];
    char setting[64];
    snprintf(setting, sizeof setting, "%s, batch %lld", work->network, (long long)work->batch);
    for (size_t i = 0; i < settings->repetitions; i++)
        seconds[i] = time_compile(work, threads, wanted);
    bench_measurement found = {
        .benchmark = "plan",
        .title = "Compiling a plan",
        .setting = setting,
        .what = state_names[wanted],
        .threads = threads,
    };
    bench_measurement_take(&found, seconds, settings->repetitions);
    if (settings->json) {
        bench_print_json(bench_measurement_json(&found));
        return;
    }
    printf("%-14s %6lld  %-18s %9.2f %9.2f %9.2f\n", work->network, (long long)work->batch, found.what,
           found.seconds * 1e3, found.low * 1e3, found.high * 1e3);
    fflush(stdout);
}

int main(int count, char **values)
{
    const bench_arguments settings = bench_arguments_read("plan", count, values, 7, MOST_REPETITIONS);
    if (!settings.json)
        printf("%d threads, medians of %zu; the first kernels of a process included in the first row\n%-14s %6s  %-18s "
               "%9s %9s %9s\n",
               settings.threads, settings.repetitions, "network", "batch", "plan", "ms", "quartile", "quartile");
    for (size_t i = 0; i < THAW_COUNT(workloads); i++)
        for (state wanted = ALL_TRAINS; wanted < STATES; wanted++)
            if (!settings.only || strstr(workloads[i].network, settings.only))
                measure(&workloads[i], wanted, settings.threads, &settings);
    return 0;
}
