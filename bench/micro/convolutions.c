/* ./run bench convolutions: a network's convolutions as bare oneDNN kernels, in the order of a step and each with
   memory of its own, against Thaw's step of the whole network. They take turns. Training is forward, backward data
   (except of the first) and backward weights; Thaw's step also includes normalisation, loss and update. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "core/threads.h"
#include "support/arguments.h"
#include "support/arrays.h"
#include "support/bare_convolution.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { MOST_CONVOLUTIONS = 256, MOST_REPETITIONS = 1000 };

/* A convolution and the times of its kernels: forward, backward data, backward weights. */
typedef struct convolution {
    const char *name;
    double flops; /* of each kernel */
    bench_bare_convolution bare;
    double seconds[3][MOST_REPETITIONS];
} convolution;

typedef struct workload {
    thaw_context *context;
    thaw_model *model;
    int64_t batch;
    bool training;
    float *samples, *outputs;
    int32_t *labels;
    convolution *convolutions;
    size_t count;
    void *scratch;
    double bare[MOST_REPETITIONS], step[MOST_REPETITIONS];
} workload;

/* Runs all kernels once; each one's seconds go to place `at` of its times. */
static double time_bare(workload *w, size_t at)
{
    double sum = 0;
    for (size_t i = 0; i < w->count; i++) {
        convolution *c = &w->convolutions[i];
        sum += c->seconds[0][at] = bench_bare_time(w->context, c->bare.forward, &c->bare, w->scratch);
    }
    for (size_t i = w->count; i-- > 0;) {
        convolution *c = &w->convolutions[i];
        sum += c->seconds[1][at] = bench_bare_time(w->context, c->bare.backward_data, &c->bare, w->scratch);
        sum += c->seconds[2][at] = bench_bare_time(w->context, c->bare.backward_weights, &c->bare, w->scratch);
    }
    return sum;
}

static double time_step(workload *w)
{
    const thaw_shape *sample = thaw_model_node_shape(w->model, 0);
    const thaw_shape *output = thaw_model_node_shape(w->model, thaw_model_output(w->model));
    const thaw_tensor inputs =
        thaw_view_f32(w->samples, 4, (int64_t[]){ w->batch, sample->dims[0], sample->dims[1], sample->dims[2] });
    const double begin = bench_now();
    if (w->training) {
        const thaw_tensor labels = thaw_view_i32(w->labels, 1, &w->batch);
        bench_check(w->context, thaw_step(w->model, &inputs, &labels, NULL, NULL));
    } else {
        const thaw_tensor outputs = thaw_view_f32(w->outputs, 2, (int64_t[]){ w->batch, output->dims[0] });
        bench_check(w->context, thaw_predict(w->model, &inputs, &outputs));
    }
    return bench_now() - begin;
}

/* ---------------------------------------------------------------- workloads */

static void open_convolutions(workload *w)
{
    size_t scratch = 64;
    w->convolutions = bench_zeros(MOST_CONVOLUTIONS * sizeof *w->convolutions);
    for (size_t i = 0; i < w->model->node_count && w->count < MOST_CONVOLUTIONS; i++) {
        const thaw_graph_node *node = &w->model->nodes[i];
        if (!node->module || strcmp(node->module->name, "conv2d") != 0)
            continue;
        convolution *c = &w->convolutions[w->count];
        const thaw_convolution problem = bench_convolution_of(w->model, i, w->batch);
        bench_bare_open(w->context, &problem, w->training, w->count == 0, &c->bare);
        c->name = node->name;
        c->flops = node->flops * (double)w->batch;
        w->count++;
        const thaw_kernel *const kernels[] = { c->bare.forward, c->bare.backward_data, c->bare.backward_weights };
        for (size_t k = 0; k < THAW_COUNT(kernels); k++)
            if (thaw_kernel_scratch_bytes(kernels[k]) > scratch)
                scratch = thaw_kernel_scratch_bytes(kernels[k]);
    }
    w->scratch = bench_zeros(scratch);
}

static void fill(workload *w)
{
    const size_t elements = (size_t)w->batch * thaw_shape_count(thaw_model_node_shape(w->model, 0));
    const size_t classes = thaw_shape_count(thaw_model_node_shape(w->model, thaw_model_output(w->model)));
    w->samples = bench_values(elements);
    w->outputs = bench_zeros((size_t)w->batch * classes * sizeof(float));
    w->labels = bench_zeros((size_t)w->batch * sizeof *w->labels);
    for (size_t i = 0; i < (size_t)w->batch; i++)
        w->labels[i] = (int32_t)(i * 31 % classes);
}

static workload *open_workload(const char *network, int threads, int64_t batch, bool training)
{
    workload *w = bench_zeros(sizeof *w);
    w->batch = batch;
    w->training = training;
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &w->context));
    bench_check(w->context, thaw_model_create(w->context, &w->model));
    bench_check(w->context, thaw_zoo_build(w->model, network, 0));
    thaw_optimizer *optimizer;
    bench_check(w->context, thaw_optimizer_create(w->context, "sgd:lr=1e-4,momentum=0.9", &optimizer));
    bench_check(w->context, thaw_select_optimizer(w->model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    const thaw_thread_scope scope = thaw_threads_enter(w->context);
    open_convolutions(w);
    thaw_threads_leave(scope);
    fill(w);
    return w;
}

static void close_workload(workload *w)
{
    for (size_t i = 0; i < w->count; i++)
        bench_bare_close(w->context, &w->convolutions[i].bare);
    thaw_model_destroy(w->model);
    thaw_context_destroy(w->context);
    free(w->convolutions);
    free(w->scratch);
    free(w->samples);
    free(w->outputs);
    free(w->labels);
    free(w);
}

static void print_kernels(workload *w, size_t repetitions)
{
    static const char *const passes[] = { "forward", "data", "weights" };
    for (size_t i = 0; i < w->count; i++) {
        convolution *c = &w->convolutions[i];
        thaw_kernel *const kernels[] = { c->bare.forward, c->bare.backward_data, c->bare.backward_weights };
        for (size_t k = 0; k < THAW_COUNT(kernels); k++) {
            if (!kernels[k])
                continue;
            const double seconds = bench_median(c->seconds[k], repetitions);
            printf("    %-32s %-8s %-28s %9.3f ms %8.1f GFLOP/s\n", c->name, passes[k], thaw_kernel_name(kernels[k]),
                   seconds * 1e3, c->flops / seconds / 1e9);
        }
    }
}

/* Sorts the times. */
static void print_json(workload *w, const char *network, const char *what, size_t repetitions)
{
    char setting[96];
    snprintf(setting, sizeof setting, "%s, batch %lld: %s", network, (long long)w->batch, what);
    bench_measurement found = {
        .benchmark = "convolutions",
        .title = "Whole networks against their convolutions",
        .setting = setting,
        .what = "Thaw",
        .threads = thaw_context_threads(w->context),
        .limit_seconds = bench_median(w->bare, repetitions),
        .limit = "only the network's convolutions, as bare oneDNN kernels",
    };
    bench_measurement_take(&found, w->step, repetitions);
    json_t *object = bench_measurement_json(&found);
    json_object_set_new(object, "convolutions", json_integer((json_int_t)w->count));
    bench_print_json(object);
}

static void print_row(workload *w, const char *network, size_t repetitions, bool json)
{
    static double ratios[MOST_REPETITIONS];
    for (size_t i = 0; i < repetitions; i++)
        ratios[i] = w->step[i] / w->bare[i];
    const double ratio = bench_median(ratios, repetitions), spread = bench_spread(ratios, repetitions);
    const double bare_ms = bench_median(w->bare, repetitions) * 1e3, step_ms = bench_median(w->step, repetitions) * 1e3;
    const char *what = w->training ? "training" : "inference";
    const int threads = thaw_context_threads(w->context);
    if (json)
        print_json(w, network, what, repetitions);
    else
        printf("%-20s %-10s %6lld %8d %14zu %9.2f %9.2f %7.3f %6.1f%%\n", network, what, (long long)w->batch, threads,
               w->count, bare_ms, step_ms, ratio, spread * 100);
    fflush(stdout);
}

typedef struct settings {
    int threads, repetitions, batch;
    bool json, kernels;
} settings;

static void run(const char *network, const settings *s, bool training)
{
    workload *w = open_workload(network, s->threads, s->batch, training);
    const size_t repetitions = (size_t)s->repetitions;
    time_step(w);
    for (size_t i = 0; i < repetitions; i++) {
        const thaw_thread_scope scope = thaw_threads_enter(w->context);
        w->bare[i] = time_bare(w, i);
        thaw_threads_leave(scope);
        w->step[i] = time_step(w);
    }
    print_row(w, network, repetitions, s->json);
    if (s->kernels && !s->json)
        print_kernels(w, repetitions);
    close_workload(w);
}

/* ---------------------------------------------------------------- the command line */

int main(int count, char **values)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },          { "batch", required_argument, NULL, 'b' },
        { "json", no_argument, NULL, 'j' },          { "kernels", no_argument, NULL, 'k' },
        { "network", required_argument, NULL, 'n' }, { "repetitions", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' }, { NULL, 0, NULL, 0 },
    };
    static const char *const networks[] = { "resnet18", "mobilenet-v2", "efficientnet-lite0" };
    settings s = { .repetitions = 9, .batch = 16 };
    const char *network = NULL;
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        if (option == 'j') {
            s.json = true;
        } else if (option == 'k') {
            s.kernels = true;
        } else if (option == 'n') {
            network = optarg;
        } else if (option == 'b') {
            s.batch = bench_positive("convolutions", optarg, 4096);
        } else if (option == 'r') {
            s.repetitions = bench_positive("convolutions", optarg, MOST_REPETITIONS);
        } else if (option == 't') {
            s.threads = bench_positive("convolutions", optarg, 1024);
        } else {
            fprintf(option == 'h' ? stdout : stderr,
                    "usage: convolutions [--network NAME] [--batch N] [--kernels] [--json] [--repetitions N] "
                    "[--threads N]\n");
            return option == 'h' ? 0 : 2;
        }
    }
    if (!s.json)
        printf("%-20s %-10s %6s %8s %14s %9s %9s %7s %7s\n", "network", "pass", "batch", "threads", "convolutions",
               "bare ms", "thaw ms", "ratio", "spread");
    for (size_t i = 0; i < (network ? 1 : THAW_COUNT(networks)); i++)
        for (int training = 0; training < 2; training++)
            run(network ? network : networks[i], &s, training);
    return 0;
}
