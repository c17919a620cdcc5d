/* ./run bench layers: each layer forward and backward against its roofline: the time of its arithmetic at the peak
   of the cores, or of its arrays through memory, whichever is longer. Each layer runs its own kernel, between a
   layer below that trains, so that its input needs a gradient, and a loss. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "core/threads.h"
#include "plan/plan.h"
#include "plan/store.h"
#include "support/arguments.h"
#include "support/arrays.h"
#include "support/check.h"
#include "support/layers.h"
#include "support/measurement.h"
#include "support/roofline.h"
#include "support/timing.h"

enum { MOST_REPETITIONS = 200 };

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

static thaw_tensor view(float *values, int64_t batch, const thaw_shape *sample)
{
    int64_t dims[THAW_MAX_RANK + 1] = { batch };
    for (int i = 0; i < sample->rank; i++)
        dims[i + 1] = sample->dims[i];
    return thaw_view_f32(values, sample->rank + 1, dims);
}

static void append_layers(bed *made, const bench_layer *layer)
{
    thaw_node x, y;
    thaw_model *model = made->model;
    bench_check(made->context, thaw_input(model, &layer->input, &x));
    bench_check(made->context, append_below(model, x, &x));
    bench_check(made->context, layer->append(model, x, &y));
    made->node = y;
    made->input_bytes = (size_t)layer->batch * thaw_shape_count(thaw_model_node_shape(model, x)) * sizeof(float);
    made->output_bytes = (size_t)layer->batch * thaw_shape_count(thaw_model_node_shape(model, y)) * sizeof(float);
    bench_check(made->context, thaw_mse(model, y, NULL, &x));
    const thaw_group *group = model->nodes[made->node].group;
    for (size_t i = 0; group && i < group->parameter_count; i++)
        made->weight_bytes += group->parameters[i]->count * sizeof(float);
}

static bed make_bed(const bench_layer *layer, int threads)
{
    bed made = { 0 };
    thaw_optimizer *optimizer = NULL;
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &made.context));
    bench_check(made.context, thaw_model_create(made.context, &made.model));
    append_layers(&made, layer);
    thaw_model_set_fusion(made.model, false);
    bench_check(made.context, thaw_optimizer_create(made.context, "sgd:lr=1e-6", &optimizer));
    bench_check(made.context, thaw_select_optimizer(made.model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    const thaw_shape *output = thaw_model_node_shape(made.model, made.node);
    made.samples = bench_values((size_t)layer->batch * thaw_shape_count(&layer->input));
    made.targets = bench_values((size_t)layer->batch * thaw_shape_count(output));
    const thaw_tensor inputs = view(made.samples, layer->batch, &layer->input);
    const thaw_tensor targets = view(made.targets, layer->batch, output);
    bench_check(made.context, thaw_step(made.model, &inputs, &targets, NULL, NULL));
    bench_check(made.context, thaw_plan_find(made.model, layer->batch, true, &made.plan));
    bench_check(made.context, thaw_plan_entry_at(made.plan, (size_t)made.node, &made.entry));
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
        bench_check(on->context, backward ? module->backward(run) : thaw_program_run_range(on->plan, first, past));
    return (bench_now() - begin) / runs;
}

/* Each array once: forward reads the input and the weights and writes the output; backward reads the output's
   gradient, the input and the weights and writes the gradients of input and weights. */
static double bytes_of(const bed *on, bool backward)
{
    const double passes = backward ? 2 : 1;
    return passes * (double)(on->input_bytes + on->weight_bytes) + (double)on->output_bytes;
}

/* A plan counts forward's operations for each gradient. Attention's backward computes the scores again, and four more
   products where forward has two. */
static double backward_flops(const bed *on)
{
    const bool attends = strcmp(on->model->nodes[on->node].module->name, "attention") == 0;
    return attends ? 2.5 * on->entry.forward_flops : on->entry.backward_flops;
}

static void measure(bed *on, const bench_layer *layer, bool backward, double peak, const bench_arguments *settings)
{
    static double seconds[MOST_REPETITIONS];
    const double flops = backward ? backward_flops(on) : on->entry.forward_flops;
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
        .what = layer->name,
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
    printf("%-26s %-8s %8.3f %8.3f %8.3f %6.0f%% %8.1f  %-10s %s\n", layer->name, found.setting, found.seconds * 1e3,
           found.low * 1e3, found.high * 1e3, 100 * found.limit_seconds / found.seconds, flops / found.seconds * 1e-9,
           arithmetic > traffic ? "arithmetic" : "memory", backward ? "" : on->entry.kernel);
    fflush(stdout);
}

int main(int count, char **values)
{
    const bench_arguments settings = bench_arguments_read("layers", count, values, 15, MOST_REPETITIONS);
    thaw_context *context = NULL;
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = settings.threads }, &context));
    const double peak = bench_peak_flops(context);
    const int threads = thaw_context_threads(context);
    thaw_context_destroy(context);
    if (!settings.json)
        printf("%d threads, peak %.0f GFLOP/s, medians of %zu\n%-26s %-8s %8s %8s %8s %7s %8s  %-10s %s\n", threads,
               peak * 1e-9, settings.repetitions, "layer", "pass", "ms", "quartile", "quartile", "limit", "GFLOP/s",
               "bound by", "kernel");
    for (size_t i = 0; i < bench_layer_count; i++) {
        if (settings.only && !strstr(bench_layers[i].name, settings.only))
            continue;
        bed on = make_bed(&bench_layers[i], threads);
        measure(&on, &bench_layers[i], false, peak, &settings);
        measure(&on, &bench_layers[i], true, peak, &settings);
        release_bed(&on);
    }
    return 0;
}
