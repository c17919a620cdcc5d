/* ./run bench prices: what thaw_plan_price says of freezing a part of a network, beside the step measured after really
   freezing it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "support/arguments.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { MOST_ROUNDS = 50, MOST_PARTS = 3, STEPS = 6, CLASSES = 10 };

typedef struct workload {
    const char *name; /* a network of the zoo, or "lstm" */
    int64_t batch;
    const char *parts[MOST_PARTS];
} workload;

static const workload workloads[] = {
    { "resnet18", 16, { "conv1|bn1|layer1*", "@bottom:5", "@body" } },
    { "mobilenet-v2", 16, { "@bottom:6", "@bottom:13", "@body" } },
    { "vit-tiny", 8, { "@bottom:4", "@bottom:9", "@body" } },
    { "transfer-cnn", 128, { "conv1", "conv*", "@body" } },
    { "lstm", 32, { "lstm1", "@body" } },
};

/* ---------------------------------------------------------------- a network and a batch for it */

typedef struct network {
    thaw_context *context;
    thaw_model *model;
    thaw_tensor inputs, targets;
} network;

/* Two layers of 256 units over 50 steps of 64 numbers. */
static void build_lstm(thaw_context *context, thaw_model *model)
{
    thaw_node x;
    bench_check(context, thaw_input(model, &(thaw_shape){ 2, { 50, 64 } }, &x));
    bench_check(context, thaw_lstm(model, x, &(thaw_recurrent_options){ .units = 256 }, &x));
    bench_check(context, thaw_lstm(model, x, &(thaw_recurrent_options){ .units = 256, .last_only = true }, &x));
    bench_check(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    bench_check(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
}

static void make_batch(network *made, int64_t batch)
{
    thaw_shape shape = *thaw_model_node_shape(made->model, 0);
    const size_t count = (size_t)batch * thaw_shape_count(&shape);
    float *samples = malloc(count * sizeof *samples);
    int32_t *labels = malloc((size_t)batch * sizeof *labels);
    if (!samples || !labels)
        bench_check(made->context, THAW_OUT_OF_MEMORY);
    for (size_t i = 0; i < count; i++)
        samples[i] = (float)((i * 2654435761U) % 1000) / 1000;
    for (int64_t i = 0; i < batch; i++)
        labels[i] = (int32_t)(i % CLASSES);
    memmove(&shape.dims[1], &shape.dims[0], (size_t)shape.rank * sizeof shape.dims[0]);
    shape.dims[0] = batch;
    shape.rank++;
    made->inputs = (thaw_tensor){ THAW_F32, shape, samples };
    made->targets = thaw_view_i32(labels, 1, &batch);
}

static network make_network(const workload *work, int threads)
{
    network made = { 0 };
    thaw_optimizer *optimizer = NULL;
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &made.context));
    bench_check(made.context, thaw_model_create(made.context, &made.model));
    if (strcmp(work->name, "lstm") == 0)
        build_lstm(made.context, made.model);
    else
        bench_check(made.context, thaw_zoo_build(made.model, work->name, CLASSES));
    bench_check(made.context, thaw_optimizer_create(made.context, "sgd:lr=1e-5,momentum=0.9", &optimizer));
    bench_check(made.context, thaw_select_optimizer(made.model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    make_batch(&made, work->batch);
    return made;
}

static void release_network(network *made)
{
    free(made->inputs.data);
    free(made->targets.data);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

/* ---------------------------------------------------------------- measuring */

static double find_price(network *on, const char *part)
{
    thaw_price_list *list;
    thaw_price price;
    bench_check(on->context, thaw_price_list_measure(on->model, &on->inputs, &on->targets, STEPS, &list));
    bench_check(on->context, thaw_plan_price(list, NULL, &part, 1, &price));
    thaw_price_list_destroy(list);
    return price.step_seconds;
}

static void freeze(network *on, const char *part)
{
    const thaw_strategy_rule rule = { .epoch = 1, .pattern = part, .action = THAW_ACTION_FREEZE };
    const thaw_strategy alone = { .name = "prices", .rules = &rule, .rule_count = 1 };
    bench_check(on->context, thaw_strategy_apply(&alone, on->model, NULL, 1, 1));
}

static double time_step(network *on, int64_t batch)
{
    const thaw_plan *plan;
    double rest, step;
    bench_check(on->context, thaw_model_plan(on->model, &(thaw_plan_options){ .batch = batch }, &plan));
    double *seconds = malloc((thaw_plan_instruction_count(plan) + 1) * sizeof *seconds);
    if (!seconds)
        bench_check(on->context, THAW_OUT_OF_MEMORY);
    bench_check(on->context, thaw_model_profile(on->model, &on->inputs, &on->targets, STEPS, seconds, &rest, &step));
    free(seconds);
    return step;
}

/* Prices and steps take turns, so that other work on the machine disturbs both. */
static void measure(const workload *work, const char *part, const bench_arguments *settings)
{
    static double prices[MOST_ROUNDS], steps[MOST_ROUNDS], ratios[MOST_ROUNDS];
    char setting[64];
    network all = make_network(work, settings->threads), frozen = make_network(work, settings->threads);
    freeze(&frozen, part);
    for (size_t i = 0; i < settings->repetitions; i++) {
        prices[i] = find_price(&all, part);
        steps[i] = time_step(&frozen, work->batch);
        ratios[i] = prices[i] / steps[i];
    }
    release_network(&frozen);
    release_network(&all);
    snprintf(setting, sizeof setting, "%s, batch %lld, %s", work->name, (long long)work->batch, part);
    bench_measurement found = { .benchmark = "prices",
                                .title = "A step after freezing, and its price before",
                                .setting = setting,
                                .what = "price",
                                .threads = settings->threads };
    const double step = bench_median(steps, settings->repetitions);
    const double ratio = bench_median(ratios, settings->repetitions);
    bench_measurement_take(&found, prices, settings->repetitions);
    if (settings->json) {
        json_t *object = bench_measurement_json(&found);
        json_object_set_new(object, "step_seconds", json_real(step));
        json_object_set_new(object, "price_by_step", json_real(ratio));
        bench_print_json(object);
        return;
    }
    printf("%-14s %6lld  %-20s %10.2f %10.2f %12.3f\n", work->name, (long long)work->batch, part, found.seconds * 1e3,
           step * 1e3, ratio);
    fflush(stdout);
}

int main(int count, char **values)
{
    const bench_arguments settings = bench_arguments_read("prices", count, values, 5, MOST_ROUNDS);
    if (!settings.json)
        printf("%d threads, medians of %zu\n%-14s %6s  %-20s %10s %10s %12s\n", settings.threads, settings.repetitions,
               "network", "batch", "frozen", "price ms", "step ms", "price / step");
    for (size_t i = 0; i < THAW_COUNT(workloads); i++)
        for (size_t k = 0; k < MOST_PARTS && workloads[i].parts[k]; k++)
            if (!settings.only || strstr(workloads[i].name, settings.only))
                measure(&workloads[i], workloads[i].parts[k], &settings);
    return 0;
}
