/* ./run bench layers: each layer forward and backward against its roofline: the time of its arithmetic at the peak
   of the cores, or of its arrays through memory, whichever is longer. Each layer runs its own kernel, between a
   layer below that trains, so that its input needs a gradient, and a loss. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "core/threads.h"
#include "plan/plan.h"
#include "support/arguments.h"
#include "support/measurement.h"
#include "support/roofline.h"
#include "support/timing.h"

enum { MOST_REPETITIONS = 200 };

/* ---------------------------------------------------------------- layers */

static thaw_status dense_512(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dense(model, x, &(thaw_dense_options){ .name = "measured", .units = 512 }, y);
}

static thaw_status dense_128(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dense(model, x, &(thaw_dense_options){ .name = "measured", .units = 128 }, y);
}

static thaw_status conv_3x3(thaw_model *model, thaw_node x, thaw_node *y)
{
    const thaw_conv2d_options options = {
        .name = "measured",
        .filters = thaw_model_node_shape(model, x)->dims[2],
        .kernel = { 3, 3 },
        .padding = { 1, 1 },
    };
    return thaw_conv2d(model, x, &options, y);
}

static thaw_status depthwise_3x3(thaw_model *model, thaw_node x, thaw_node *y)
{
    const int64_t channels = thaw_model_node_shape(model, x)->dims[2];
    const thaw_conv2d_options options = {
        .name = "measured",
        .filters = channels,
        .kernel = { 3, 3 },
        .padding = { 1, 1 },
        .groups = channels,
    };
    return thaw_conv2d(model, x, &options, y);
}

static thaw_status batch_norm(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_batch_norm(model, x, &(thaw_batch_norm_options){ .name = "measured" }, y);
}

static thaw_status max_pool(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_max_pool2d(model, x, &(thaw_pool2d_options){ .name = "measured", .kernel = { 2, 2 } }, y);
}

static thaw_status global_average(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_global_average_pool2d(model, x, &(thaw_simple_options){ .name = "measured" }, y);
}

static thaw_status relu(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_relu(model, x, &(thaw_simple_options){ .name = "measured" }, y);
}

static thaw_status gelu(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_gelu(model, x, &(thaw_simple_options){ .name = "measured" }, y);
}

static thaw_status dropout(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_dropout(model, x, &(thaw_dropout_options){ .name = "measured", .rate = 0.5 }, y);
}

static thaw_status upsample(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_upsample2d(model, x, &(thaw_upsample2d_options){ .name = "measured", .scale = { 2, 2 } }, y);
}

static thaw_status lstm(thaw_model *model, thaw_node x, thaw_node *y)
{
    return thaw_lstm(model, x, &(thaw_recurrent_options){ .name = "measured", .units = 256 }, y);
}

typedef struct workload {
    const char *name;
    thaw_shape input; /* of a sample */
    int64_t batch;
    thaw_status (*append)(thaw_model *model, thaw_node x, thaw_node *y);
} workload;

#define VECTOR(n)                 \
    {                             \
        .rank = 1, .dims = {(n) } \
    }
#define SEQUENCE(steps, n)                 \
    {                                      \
        .rank = 2, .dims = {(steps), (n) } \
    }
#define IMAGE(side, channels)                            \
    {                                                    \
        .rank = 3, .dims = {(side), (side), (channels) } \
    }

static const workload workloads[] = {
    { "dense 784 to 512", VECTOR(784), 128, dense_512 },
    { "dense 4608 to 128", VECTOR(4608), 128, dense_128 },
    { "conv 3x3, 32, 26x26", IMAGE(26, 32), 128, conv_3x3 },
    { "conv 3x3, 64, 56x56", IMAGE(56, 64), 16, conv_3x3 },
    { "conv 3x3, 256, 14x14", IMAGE(14, 256), 16, conv_3x3 },
    { "depthwise 3x3, 96, 56x56", IMAGE(56, 96), 16, depthwise_3x3 },
    { "batch norm, 64, 56x56", IMAGE(56, 64), 16, batch_norm },
    { "max pool 2, 64, 56x56", IMAGE(56, 64), 16, max_pool },
    { "global pool, 512, 7x7", IMAGE(7, 512), 16, global_average },
    { "ReLU, 64, 56x56", IMAGE(56, 64), 16, relu },
    { "GELU, 64, 56x56", IMAGE(56, 64), 16, gelu },
    { "dropout, 64, 56x56", IMAGE(56, 64), 16, dropout },
    { "upsample 2, 64, 28x28", IMAGE(28, 64), 16, upsample },
    { "LSTM 64 to 256, 50 steps", SEQUENCE(50, 64), 32, lstm },
};

static void check(const thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "layers: %s: %s\n", thaw_status_name(status), context ? thaw_context_message(context) : "");
    exit(1);
}

/* ---------------------------------------------------------------- a network around the layer */

typedef struct bed {
    thaw_context *context;
    thaw_model *model;
    thaw_plan *plan;
    thaw_node node; /* the layer's */
    thaw_plan_entry entry;
    float *samples, *targets;
    size_t input_bytes, output_bytes, weight_bytes;
} bed;

/* A layer that trains, with as many values as its input. */
static thaw_status append_below(thaw_model *model, thaw_node x, thaw_node *y)
{
    const thaw_shape *shape = thaw_model_node_shape(model, x);
    const int64_t channels = shape->dims[shape->rank - 1];
    if (shape->rank == 3)
        return thaw_conv2d(model, x, &(thaw_conv2d_options){ .filters = channels, .kernel = { 1, 1 } }, y);
    return thaw_dense(model, x, &(thaw_dense_options){ .units = channels }, y);
}

static float *make_values(size_t count)
{
    float *values = malloc(count * sizeof *values);
    if (!values)
        check(NULL, THAW_OUT_OF_MEMORY);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 7919 % 1009) / 1009 - 0.5F;
    return values;
}

static thaw_tensor view(float *values, int64_t batch, const thaw_shape *sample)
{
    int64_t dims[THAW_MAX_RANK + 1] = { batch };
    for (int i = 0; i < sample->rank; i++)
        dims[i + 1] = sample->dims[i];
    return thaw_view_f32(values, sample->rank + 1, dims);
}

static void append_layers(bed *made, const workload *work)
{
    thaw_node x, y;
    thaw_model *model = made->model;
    check(made->context, thaw_input(model, &work->input, &x));
    check(made->context, append_below(model, x, &x));
    check(made->context, work->append(model, x, &y));
    made->node = y;
    made->input_bytes = (size_t)work->batch * thaw_shape_count(thaw_model_node_shape(model, x)) * sizeof(float);
    made->output_bytes = (size_t)work->batch * thaw_shape_count(thaw_model_node_shape(model, y)) * sizeof(float);
    check(made->context, thaw_mse(model, y, NULL, &x));
    const thaw_group *group = model->nodes[made->node].group;
    for (size_t i = 0; group && i < group->parameter_count; i++)
        made->weight_bytes += group->parameters[i]->count * sizeof(float);
}

static bed make_bed(const workload *work, int threads)
{
    bed made = { 0 };
    thaw_optimizer *optimizer = NULL;
    check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &made.context));
    check(made.context, thaw_model_create(made.context, &made.model));
    append_layers(&made, work);
    thaw_model_set_fusion(made.model, false);
    check(made.context, thaw_optimizer_create(made.context, "sgd:lr=1e-6", &optimizer));
    check(made.context, thaw_select_optimizer(made.model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    const thaw_shape *output = thaw_model_node_shape(made.model, made.node);
    made.samples = make_values((size_t)work->batch * thaw_shape_count(&work->input));
    made.targets = make_values((size_t)work->batch * thaw_shape_count(output));
    const thaw_tensor inputs = view(made.samples, work->batch, &work->input);
    const thaw_tensor targets = view(made.targets, work->batch, output);
    check(made.context, thaw_step(made.model, &inputs, &targets, NULL, NULL));
    check(made.context, thaw_plan_find(made.model, work->batch, true, &made.plan));
    check(made.context, thaw_plan_entry_at(made.plan, (size_t)made.node, &made.entry));
    return made;
}

static void release_bed(bed *made)
{
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
    free(made->samples);
    free(made->targets);
}

/* ---------------------------------------------------------------- measuring */

static double time_pass(bed *on, bool backward, int runs)
{
    thaw_program *program = &on->plan->program;
    size_t first = program->first[THAW_SECTION_PREFIX];
    while (program->instructions[first].node != on->node)
        first++;
    size_t past = first;
    while (past < program->count && program->instructions[past].node == on->node)
        past++;
    program->step.random = (thaw_stream){ .seed = 1, .step = 1 };
    thaw_layer_run *run = &on->plan->nodes[on->node].bound.run;
    const thaw_layer_module *module = on->model->nodes[on->node].module;
    const double begin = bench_now();
    for (int i = 0; i < runs; i++)
        check(on->context, backward ? module->backward(run) : thaw_program_run_range(on->plan, first, past));
    return (bench_now() - begin) / runs;
}

/* Each array once: forward reads the input and the weights and writes the output; backward reads the output's
   gradient, the input and the weights and writes the gradients of input and weights. */
static double bytes_of(const bed *on, bool backward)
{
    const double passes = backward ? 2 : 1;
    return passes * (double)(on->input_bytes + on->weight_bytes) + (double)on->output_bytes;
}

static void measure(bed *on, const workload *work, bool backward, double peak, const bench_arguments *settings)
{
    static double seconds[MOST_REPETITIONS];
    const double flops = backward ? on->entry.backward_flops : on->entry.forward_flops;
    const double arithmetic = flops / peak, traffic = bench_traffic_seconds(on->context, bytes_of(on, backward));
    const thaw_thread_scope scope = thaw_threads_enter(on->context);
    const double once = time_pass(on, backward, 2);
    const int runs = once < 1e-3 ? (int)(1e-3 / once) + 1 : 1;
    for (size_t i = 0; i < settings->repetitions; i++)
        seconds[i] = time_pass(on, backward, runs);
    thaw_threads_leave(scope);
    bench_measurement found = {
        .benchmark = "layers",
        .title = "Layers against their roofline",
        .setting = backward ? "backward" : "forward",
        .what = work->name,
        .threads = thaw_context_threads(on->context),
        .limit_seconds = arithmetic > traffic ? arithmetic : traffic,
        .limit = "arithmetic at the peak of the cores, or each array through memory once",
    };
    bench_measurement_take(&found, seconds, settings->repetitions);
    if (settings->json) {
        json_t *object = bench_measurement_json(&found);
        json_object_set_new(object, "flops", json_real(flops));
        json_object_set_new(object, "kernel", json_string(on->entry.kernel));
        bench_print_json(object);
        return;
    }
    printf("%-26s %-8s %8.3f %8.3f %8.3f %6.0f%% %8.1f  %-10s %s\n", work->name, found.setting, found.seconds * 1e3,
           found.low * 1e3, found.high * 1e3, 100 * found.limit_seconds / found.seconds, flops / found.seconds * 1e-9,
           arithmetic > traffic ? "arithmetic" : "memory", backward ? "" : on->entry.kernel);
    fflush(stdout);
}

int main(int count, char **values)
{
    const bench_arguments settings = bench_arguments_read("layers", count, values, 15, MOST_REPETITIONS);
    thaw_context *context = NULL;
    check(NULL, thaw_context_create(&(thaw_context_options){ .threads = settings.threads }, &context));
    const double peak = bench_peak_flops(context);
    const int threads = thaw_context_threads(context);
    thaw_context_destroy(context);
    if (!settings.json)
        printf("%d threads, peak %.0f GFLOP/s, medians of %zu\n%-26s %-8s %8s %8s %8s %7s %8s  %-10s %s\n", threads,
               peak * 1e-9, settings.repetitions, "layer", "pass", "ms", "quartile", "quartile", "limit", "GFLOP/s",
               "bound by", "kernel");
    for (size_t i = 0; i < THAW_COUNT(workloads); i++) {
        if (settings.only && !strstr(workloads[i].name, settings.only))
            continue;
        bed on = make_bed(&workloads[i], threads);
        measure(&on, &workloads[i], false, peak, &settings);
        measure(&on, &workloads[i], true, peak, &settings);
        release_bed(&on);
    }
    return 0;
}
