/* ./run bench convolutions: a network's convolutions as bare oneDNN kernels, in the order of a step and each with
   memory of its own, against Thaw's step of the whole network. They take turns. Training is forward, backward data
   (except of the first) and backward weights; Thaw's step also includes normalisation, loss and update. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "core/context.h"
#include "core/threads.h"
#include "graph/model.h"
#include "kernels/choice.h"
#include "support/arguments.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { MOST_CONVOLUTIONS = 256, MOST_REPETITIONS = 1000 };

static void check(thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "convolutions: %s\n", context ? thaw_context_message(context) : "no context");
    exit(1);
}

static void *zeros(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory)
        exit(1);
    return memset(memory, 0, bytes);
}

/* ---------------------------------------------------------------- bare kernels */

/* One convolution: its kernels, and arrays that they read and write. NULL: not needed. */
typedef struct bare {
    const char *name;
    thaw_kernel *forward, *backward_data, *backward_weights;
    float *source, *destination, *source_gradient, *destination_gradient;
    float *weights, *data_weights, *weights_gradient, *bias;
    double flops; /* of each kernel */
    double seconds[3][MOST_REPETITIONS];
} bare;

static thaw_convolution problem_of(const thaw_model *model, size_t index, int64_t batch)
{
    const thaw_graph_node *node = &model->nodes[index];
    const thaw_conv2d_options *o = node->options;
    const thaw_shape *input = &model->nodes[node->inputs[0]].output;
    thaw_convolution problem = {
        .batch = batch,
        .groups = o->groups ? o->groups : 1,
        .input_channels = input->dims[2],
        .output_channels = o->filters,
        .bias = !o->no_bias,
    };
    for (int i = 0; i < 2; i++) {
        problem.input[i] = input->dims[i];
        problem.output[i] = node->output.dims[i];
        problem.kernel[i] = o->kernel[i];
        problem.stride[i] = o->stride[i] ? o->stride[i] : 1;
        problem.dilation[i] = o->dilation[i] ? o->dilation[i] : 1;
        const int64_t whole = (problem.output[i] - 1) * problem.stride[i] +
                              problem.dilation[i] * (problem.kernel[i] - 1) + 1 - problem.input[i];
        problem.padding_before[i] = o->same ? (whole > 0 ? whole / 2 : 0) : o->padding[i];
        problem.padding_after[i] = whole - problem.padding_before[i];
        if (problem.padding_after[i] < 0)
            problem.padding_after[i] = 0;
    }
    problem.direct = thaw_choose_direct_convolution(&problem);
    return problem;
}

static void open_bare(thaw_context *context, const thaw_convolution *problem, bool training, bool first, bare *b)
{
    thaw_kernel *relayout;
    thaw_convolution forward = *problem;
    forward.training = training;
    check(context, thaw_convolution_forward(context, &forward, &b->forward, &relayout));
    thaw_kernel_release(context, relayout);
    b->source = zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_SOURCE));
    b->destination = zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_DESTINATION));
    b->weights = zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_WEIGHTS));
    b->bias = zeros((size_t)problem->output_channels * sizeof(float));
    if (!training)
        return;
    check(context, thaw_convolution_backward_weights(context, problem, &b->backward_weights, &relayout));
    thaw_kernel_release(context, relayout);
    b->weights_gradient = zeros(thaw_kernel_bytes(b->backward_weights, THAW_ARGUMENT_WEIGHTS_GRADIENT));
    b->destination_gradient = zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_DESTINATION));
    if (first)
        return;
    check(context, thaw_convolution_backward_data(context, problem, &b->backward_data, &relayout));
    thaw_kernel_release(context, relayout);
    b->data_weights = zeros(thaw_kernel_bytes(b->backward_data, THAW_ARGUMENT_WEIGHTS));
    b->source_gradient = zeros(thaw_kernel_bytes(b->forward, THAW_ARGUMENT_SOURCE));
}

static void close_bare(thaw_context *context, bare *b)
{
    float *const arrays[] = { b->source,  b->destination,  b->source_gradient,  b->destination_gradient,
                              b->weights, b->data_weights, b->weights_gradient, b->bias };
    thaw_kernel_release(context, b->forward);
    thaw_kernel_release(context, b->backward_data);
    thaw_kernel_release(context, b->backward_weights);
    for (size_t i = 0; i < THAW_COUNT(arrays); i++)
        free(arrays[i]);
}

/* Each kernel gets all the arguments that any of them has. */
static double time_kernel(thaw_context *context, thaw_kernel *kernel, const bare *b, void *scratch)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, b->source },
        { THAW_ARGUMENT_WEIGHTS, kernel == b->backward_data ? b->data_weights : b->weights },
        { THAW_ARGUMENT_BIAS, b->bias },
        { THAW_ARGUMENT_DESTINATION, b->destination },
        { THAW_ARGUMENT_SOURCE_GRADIENT, b->source_gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, b->weights_gradient },
        { THAW_ARGUMENT_BIAS_GRADIENT, b->bias },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, b->destination_gradient },
    };
    if (!kernel)
        return 0;
    const double begin = bench_now();
    check(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
    return bench_now() - begin;
}

typedef struct workload {
    thaw_context *context;
    thaw_model *model;
    int64_t batch;
    bool training;
    float *samples, *outputs;
    int32_t *labels;
    bare *convolutions;
    size_t count;
    void *scratch;
    double bare[MOST_REPETITIONS], step[MOST_REPETITIONS];
} workload;

/* Runs all kernels once; each one's seconds go to place `at` of its times. */
static double time_bare(workload *w, size_t at)
{
    double sum = 0;
    for (size_t i = 0; i < w->count; i++) {
        bare *b = &w->convolutions[i];
        sum += b->seconds[0][at] = time_kernel(w->context, b->forward, b, w->scratch);
    }
    for (size_t i = w->count; i-- > 0;) {
        bare *b = &w->convolutions[i];
        sum += b->seconds[1][at] = time_kernel(w->context, b->backward_data, b, w->scratch);
        sum += b->seconds[2][at] = time_kernel(w->context, b->backward_weights, b, w->scratch);
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
        check(w->context, thaw_step(w->model, &inputs, &labels, NULL, NULL));
    } else {
        const thaw_tensor outputs = thaw_view_f32(w->outputs, 2, (int64_t[]){ w->batch, output->dims[0] });
        check(w->context, thaw_predict(w->model, &inputs, &outputs));
    }
    return bench_now() - begin;
}

/* ---------------------------------------------------------------- workloads */

static void open_convolutions(workload *w)
{
    size_t scratch = 64;
    w->convolutions = zeros(MOST_CONVOLUTIONS * sizeof *w->convolutions);
    for (size_t i = 0; i < w->model->node_count && w->count < MOST_CONVOLUTIONS; i++) {
        const thaw_graph_node *node = &w->model->nodes[i];
        if (!node->module || strcmp(node->module->name, "conv2d") != 0)
            continue;
        bare *b = &w->convolutions[w->count];
        const thaw_convolution problem = problem_of(w->model, i, w->batch);
        open_bare(w->context, &problem, w->training, w->count == 0, b);
        b->name = node->name;
        b->flops = node->flops * (double)w->batch;
        w->count++;
        const thaw_kernel *const kernels[] = { b->forward, b->backward_data, b->backward_weights };
        for (size_t k = 0; k < THAW_COUNT(kernels); k++)
            if (thaw_kernel_scratch_bytes(kernels[k]) > scratch)
                scratch = thaw_kernel_scratch_bytes(kernels[k]);
    }
    w->scratch = zeros(scratch);
}

static void fill(workload *w)
{
    const size_t elements = (size_t)w->batch * thaw_shape_count(thaw_model_node_shape(w->model, 0));
    const size_t classes = thaw_shape_count(thaw_model_node_shape(w->model, thaw_model_output(w->model)));
    w->samples = zeros(elements * sizeof(float));
    w->outputs = zeros((size_t)w->batch * classes * sizeof(float));
    w->labels = zeros((size_t)w->batch * sizeof *w->labels);
    for (size_t i = 0; i < elements; i++)
        w->samples[i] = (float)(i * 7919 % 1009) / 1009 - 0.5F;
    for (size_t i = 0; i < (size_t)w->batch; i++)
        w->labels[i] = (int32_t)(i * 31 % classes);
}

static workload *open_workload(const char *network, int threads, int64_t batch, bool training)
{
    workload *w = zeros(sizeof *w);
    w->batch = batch;
    w->training = training;
    check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &w->context));
    check(w->context, thaw_model_create(w->context, &w->model));
    check(w->context, thaw_zoo_build(w->model, network, 0));
    thaw_optimizer *optimizer;
    check(w->context, thaw_optimizer_create(w->context, "sgd:lr=1e-4,momentum=0.9", &optimizer));
    check(w->context, thaw_select_optimizer(w->model, "*", optimizer));
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
        close_bare(w->context, &w->convolutions[i]);
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
        bare *b = &w->convolutions[i];
        thaw_kernel *const kernels[] = { b->forward, b->backward_data, b->backward_weights };
        for (size_t k = 0; k < THAW_COUNT(kernels); k++) {
            if (!kernels[k])
                continue;
            const double seconds = bench_median(b->seconds[k], repetitions);
            printf("    %-32s %-8s %-28s %9.3f ms %8.1f GFLOP/s\n", b->name, passes[k], thaw_kernel_name(kernels[k]),
                   seconds * 1e3, b->flops / seconds / 1e9);
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
