/* ./run bench combine: a training step of stacked layers with low-rank adapters, against the same layers trained
   whole, and with all but the last frozen. They take turns, so that other load on the machine affects all of them. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <thaw/thaw.h>

#include "support/arguments.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { LAYERS = 3, MOST_REPETITIONS = 1000 };

typedef struct workload {
    const char *name;
    int64_t batch;
    int64_t side; /* of the images; 0: dense layers */
    int64_t width, rank;
} workload;

static const workload workloads[] = {
    { "dense 512", 32, 0, 512, 8 },      { "dense 1024", 16, 0, 1024, 8 },      { "dense 1024", 128, 0, 1024, 8 },
    { "dense 2048", 32, 0, 2048, 8 },    { "dense 128", 64, 0, 128, 4 },        { "convolution 32", 32, 28, 32, 4 },
    { "convolution 64", 16, 28, 64, 4 }, { "convolution 128", 16, 14, 128, 8 }, { "convolution 256", 8, 14, 256, 8 },
};

/* ---------------------------------------------------------------- contenders */

typedef struct contender {
    thaw_context *context;
    thaw_model *model;
    thaw_plan_totals totals;
    double seconds[MOST_REPETITIONS];
} contender;

static void append_layers(contender *c, const workload *work)
{
    thaw_node x;
    const thaw_shape image = { 3, { work->side, work->side, work->width } }, row = { 1, { work->width } };
    bench_check(c->context, thaw_input(c->model, work->side ? &image : &row, &x));
    for (int i = 0; i < LAYERS; i++) {
        if (work->side)
            bench_check(c->context, thaw_conv2d(c->model, x,
                                                &(thaw_conv2d_options){
                                                    .filters = work->width, .kernel = { 3, 3 }, .padding = { 1, 1 } },
                                                &x));
        else
            bench_check(c->context, thaw_dense(c->model, x, &(thaw_dense_options){ .units = work->width }, &x));
        bench_check(c->context, thaw_relu(c->model, x, NULL, &x));
    }
    bench_check(c->context, thaw_mse(c->model, x, NULL, &x));
}

static contender *open_contender(const workload *work, int threads, bool adapters)
{
    contender *c = calloc(1, sizeof *c);
    thaw_optimizer *optimizer;
    if (!c)
        exit(1);
    bench_check(NULL, thaw_context_create(&(thaw_context_options){ .threads = threads, .seed = 1 }, &c->context));
    bench_check(c->context, thaw_model_create(c->context, &c->model));
    append_layers(c, work);
    if (adapters) {
        bench_check(c->context, thaw_model_freeze(c->model, "*"));
        bench_check(c->context, thaw_lora(c->model, "*", work->rank, 2 * (double)work->rank));
    }
    bench_check(c->context, thaw_optimizer_create(c->context, "adamw:lr=1e-4", &optimizer));
    bench_check(c->context, thaw_select_optimizer(c->model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    const thaw_plan *plan;
    bench_check(c->context, thaw_model_plan(c->model, &(thaw_plan_options){ .batch = work->batch }, &plan));
    c->totals = thaw_plan_totals_of(plan);
    return c;
}

static void close_contender(contender *c)
{
    thaw_model_destroy(c->model);
    thaw_context_destroy(c->context);
    free(c);
}

static double time_step(contender *c, const thaw_tensor *samples, const thaw_tensor *targets)
{
    const double begin = bench_now();
    bench_check(c->context, thaw_step(c->model, samples, targets, NULL, NULL));
    return bench_now() - begin;
}

/* ---------------------------------------------------------------- reporting */

/* Memory that training needs in addition to the parameters. */
static size_t held_bytes(const contender *c)
{
    return c->totals.gradient_bytes + c->totals.optimizer_state_bytes;
}

/* Sorts the times. */
static void print_json(const workload *work, contender *one, const char *what, size_t repetitions)
{
    char setting[96];
    snprintf(setting, sizeof setting, "%s, batch %lld", work->name, (long long)work->batch);
    bench_measurement found = {
        .benchmark = "combine",
        .title = "Steps with low-rank adapters and of full training",
        .setting = setting,
        .what = what,
        .threads = thaw_context_threads(one->context),
        .bytes = (double)(held_bytes(one) + one->totals.activation_bytes + one->totals.packed_bytes),
    };
    bench_measurement_take(&found, one->seconds, repetitions);
    json_t *object = bench_measurement_json(&found);
    json_object_set_new(object, "rank", json_integer((json_int_t)work->rank));
    json_object_set_new(object, "training_bytes", json_integer((json_int_t)held_bytes(one)));
    json_object_set_new(object, "activation_bytes", json_integer((json_int_t)one->totals.activation_bytes));
    json_object_set_new(object, "packed_bytes", json_integer((json_int_t)one->totals.packed_bytes));
    bench_print_json(object);
}

/* Sorts the times. */
static void print_row(const workload *work, contender *whole, contender *adapted, size_t repetitions)
{
    static double ratios[MOST_REPETITIONS];
    for (size_t i = 0; i < repetitions; i++)
        ratios[i] = adapted->seconds[i] / whole->seconds[i];
    const double ratio = bench_median(ratios, repetitions), spread = bench_spread(ratios, repetitions);
    const double full_ms = bench_median(whole->seconds, repetitions) * 1e3;
    const double low_ms = bench_median(adapted->seconds, repetitions) * 1e3;
    printf("%-18s %6lld %5lld %8d %9.3f %9.3f %7.2f %6.1f%% %10zu %10zu %10zu %10zu\n", work->name,
           (long long)work->batch, (long long)work->rank, thaw_context_threads(whole->context), full_ms, low_ms, ratio,
           spread * 100, held_bytes(whole), held_bytes(adapted),
           whole->totals.activation_bytes + whole->totals.packed_bytes,
           adapted->totals.activation_bytes + adapted->totals.packed_bytes);
    fflush(stdout);
}

static void run_workload(const workload *work, int threads, size_t repetitions, bool json)
{
    const size_t count = (size_t)(work->batch * work->width * (work->side ? work->side * work->side : 1));
    float *values = malloc(count * sizeof *values);
    if (!values)
        exit(1);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 7919 % 1009) / 1009 - 0.5F;
    const thaw_tensor batch =
        work->side ? thaw_view_f32(values, 4, (int64_t[]){ work->batch, work->side, work->side, work->width })
                   : thaw_view_f32(values, 2, (int64_t[]){ work->batch, work->width });
    contender *whole = open_contender(work, threads, false), *adapted = open_contender(work, threads, true);
    for (int i = 0; i < 3; i++) {
        time_step(whole, &batch, &batch);
        time_step(adapted, &batch, &batch);
    }
    for (size_t i = 0; i < repetitions; i++) {
        whole->seconds[i] = time_step(whole, &batch, &batch);
        adapted->seconds[i] = time_step(adapted, &batch, &batch);
    }
    if (json) {
        print_json(work, whole, "full training", repetitions);
        print_json(work, adapted, "low-rank adapters", repetitions);
    } else {
        print_row(work, whole, adapted, repetitions);
    }
    close_contender(adapted);
    close_contender(whole);
    free(values);
}

/* ---------------------------------------------------------------- the command line */

int main(int count, char **values)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "json", no_argument, NULL, 'j' },
        { "repetitions", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    bool json = false;
    int repetitions = 21, threads = 0;
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        if (option == 'j') {
            json = true;
        } else if (option == 'r') {
            repetitions = bench_positive("combine", optarg, MOST_REPETITIONS);
        } else if (option == 't') {
            threads = bench_positive("combine", optarg, 1024);
        } else {
            fprintf(option == 'h' ? stdout : stderr, "usage: combine [--json] [--repetitions N] [--threads N]\n");
            return option == 'h' ? 0 : 2;
        }
    }
    if (!json) {
        printf(
            "%d layers each, AdamW; bytes of gradients and optimizer state, then of activations and packed weights\n",
            LAYERS);
        printf("%-18s %6s %5s %8s %9s %9s %7s %7s %10s %10s %10s %10s\n", "layers", "batch", "rank", "threads",
               "full ms", "lora ms", "ratio", "spread", "full", "lora", "full", "lora");
    }
    for (size_t i = 0; i < THAW_COUNT(workloads); i++)
        run_workload(&workloads[i], threads, (size_t)repetitions, json);
    return 0;
}
