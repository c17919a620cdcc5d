/* ./run bench kernels: wherever src/kernels/choice.c chooses between kernels, measures all candidates in turns, and
   says where another would have been faster on this machine. Frozen weights are packed before; trained ones each
   time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

#include "core/threads.h"
#include "support/arguments.h"
#include "support/arrays.h"
#include "support/candidates.h"
#include "support/measurement.h"
#include "support/roofline.h"
#include "support/timing.h"

enum { MOST_REPETITIONS = 1000, MOST_WRONG = 1000 };

static const double least_seconds = 2e-4; /* of a sample: shorter ones run several times */

/* A choice is wrong if another kernel is faster by more than this in three of four turns. */
static const double noise = 1.03;

/* ---------------------------------------------------------------- problems */

/* Images of size x size; 3x3 convolutions that keep the size. */
static const struct {
    int64_t channels, filters, size, batch;
} convolutions[] = {
    { 1, 8, 28, 128 },   { 1, 32, 28, 128 }, { 8, 16, 14, 128 }, { 16, 16, 56, 16 },  { 16, 32, 28, 16 },
    { 24, 24, 28, 16 },  { 32, 32, 28, 16 }, { 32, 32, 7, 128 }, { 48, 48, 28, 16 },  { 64, 64, 56, 4 },
    { 64, 64, 3, 64 },   { 64, 64, 5, 64 },  { 64, 64, 6, 64 },  { 128, 128, 28, 4 }, { 256, 256, 14, 4 },
    { 512, 512, 7, 16 }, { 512, 512, 7, 1 },
};

typedef struct products {
    bench_task task;
    int64_t inputs, outputs, rows[6]; /* 0: end of the list */
} products;

static const products products_of[] = {
    { BENCH_FORWARD_FROZEN, 784, 512, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD_FROZEN, 784, 500, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD_FROZEN, 4608, 128, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD_FROZEN, 512, 10, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD_FROZEN, 512, 512, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD_FROZEN, 512, 1000, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD_FROZEN, 25088, 4096, { 1, 16 } },
    { BENCH_FORWARD_FROZEN, 64, 5, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD_FROZEN, 256, 256, { 1, 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD, 784, 512, { 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD, 784, 500, { 8, 16, 32, 128, 500 } },
    { BENCH_FORWARD, 512, 1000, { 8, 16, 128, 500 } },
    { BENCH_FORWARD, 4608, 128, { 8, 16, 128, 500 } },
    { BENCH_FORWARD, 512, 512, { 8, 16, 128, 500 } },
    { BENCH_FORWARD, 512, 10, { 8, 16, 128, 500 } },
    { BENCH_FORWARD, 384, 1536, { 500, 3152 } },
    { BENCH_FORWARD, 1536, 384, { 500, 3152 } },
    { BENCH_WEIGHT_GRADIENT, 512, 10, { 16, 64, 128, 500 } },
    { BENCH_WEIGHT_GRADIENT, 1280, 10, { 16, 64, 128 } },
    { BENCH_WEIGHT_GRADIENT, 100, 30, { 64 } },
    { BENCH_WEIGHT_GRADIENT, 64, 1024, { 64 } },
    { BENCH_WEIGHT_GRADIENT, 512, 512, { 64, 128 } },
    { BENCH_WEIGHT_GRADIENT, 512, 1000, { 16, 64 } },
    { BENCH_WEIGHT_GRADIENT, 784, 500, { 64, 500 } },
    { BENCH_WEIGHT_GRADIENT, 784, 512, { 128 } },
    { BENCH_WEIGHT_GRADIENT, 1024, 1024, { 64 } },
    { BENCH_WEIGHT_GRADIENT, 1536, 1000, { 64 } },
    { BENCH_WEIGHT_GRADIENT, 2048, 1000, { 16, 64 } },
    { BENCH_WEIGHT_GRADIENT, 4096, 1000, { 16, 64 } },
    { BENCH_WEIGHT_GRADIENT, 4608, 128, { 128 } },
    { BENCH_WEIGHT_GRADIENT, 48, 500, { 64 } },
    { BENCH_WEIGHT_GRADIENT, 16, 512, { 64 } },
};

static const char *const task_names[BENCH_TASKS] = { "frozen", "forward", "input gradient", "weight gradient" };

/* A problem with the sizes of its arrays, in floats. */
typedef struct measured {
    bench_problem problem;
    char setting[64], name[96]; /* name: includes its batch */
    int64_t batch;
    size_t source, weights, outputs, destination;
    double flops;
} measured;

static measured measured_convolution(bench_task task, int64_t channels, int64_t filters, int64_t size, int64_t batch)
{
    measured m = { .problem = { .task = task }, .batch = batch, .outputs = (size_t)filters };
    m.problem.convolution = (thaw_convolution){
        .batch = batch,
        .groups = 1,
        .input_channels = channels,
        .output_channels = filters,
        .input = { size, size },
        .output = { size, size },
        .kernel = { 3, 3 },
        .stride = { 1, 1 },
        .dilation = { 1, 1 },
        .padding_before = { 1, 1 },
        .padding_after = { 1, 1 },
        .bias = task <= BENCH_FORWARD,
    };
    m.source = (size_t)(batch * size * size * channels);
    m.weights = (size_t)(9 * channels * filters);
    m.destination = (size_t)(batch * size * size * filters);
    m.flops = 2 * (double)m.destination * 9 * (double)channels;
    snprintf(m.setting, sizeof m.setting, "%s, 3x3 %lld to %lld, %lldx%lld", task_names[task], (long long)channels,
             (long long)filters, (long long)size, (long long)size);
    snprintf(m.name, sizeof m.name, "%s, batch %lld", m.setting, (long long)batch);
    return m;
}

static measured measured_product(bench_task task, int64_t inputs, int64_t outputs, int64_t rows)
{
    measured m = { .problem = { .task = task, .is_product = true }, .batch = rows, .outputs = (size_t)outputs };
    m.problem.product =
        (thaw_inner_product){ .batch = rows, .inputs = inputs, .outputs = outputs, .bias = task <= BENCH_FORWARD };
    m.source = (size_t)(rows * inputs);
    m.weights = (size_t)(inputs * outputs);
    m.destination = (size_t)(rows * outputs);
    m.flops = 2 * (double)m.destination * (double)inputs;
    snprintf(m.setting, sizeof m.setting, "%s, dense %lld to %lld", task_names[task], (long long)inputs,
             (long long)outputs);
    snprintf(m.name, sizeof m.name, "%s, batch %lld", m.setting, (long long)rows);
    return m;
}

/* ---------------------------------------------------------------- measuring */

typedef struct comparison {
    thaw_context *context;
    bench_arguments settings;
    double peak;
    size_t problems, wrong;
    char lines[MOST_WRONG][320]; /* of the first wrong choices */
} comparison;

static double seconds[BENCH_MOST_CANDIDATES][MOST_REPETITIONS], ratios[MOST_REPETITIONS];

static double time_calls(const comparison *s, bench_candidate *c, const bench_operands *operands, int calls)
{
    const double begin = bench_now();
    for (int i = 0; i < calls; i++)
        bench_candidate_run(s->context, c, operands);
    return (bench_now() - begin) / calls;
}

/* Runs the candidates in turns, each of which begins with another one. */
static void measure(const comparison *s, bench_candidate *candidates, size_t count, const bench_operands *operands)
{
    double once = 0;
    for (size_t k = 0; k < count; k++) {
        time_calls(s, &candidates[k], operands, 1);
        once = time_calls(s, &candidates[k], operands, 1);
    }
    const int calls = once < least_seconds ? (int)(least_seconds / once) + 1 : 1;
    for (size_t i = 0; i < s->settings.repetitions; i++)
        for (size_t k = 0; k < count; k++) {
            const size_t at = (i + k) % count;
            seconds[at][i] = time_calls(s, &candidates[at], operands, calls);
        }
}

static size_t find_preferred(const bench_candidate *candidates, size_t count)
{
    size_t at = 0;
    while (at + 1 < count && !candidates[at].preferred)
        at++;
    return at;
}

/* Call it before quantiles sort the times. */
static void judge(comparison *s, const measured *m, const bench_candidate *candidates, size_t count)
{
    const size_t own = find_preferred(candidates, count), repetitions = s->settings.repetitions;
    size_t best = own;
    double by = 1;
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < repetitions; i++)
            ratios[i] = seconds[own][i] / seconds[k][i];
        const double sure = bench_quantile(ratios, repetitions, 0.25), median = bench_median(ratios, repetitions);
        if (sure > noise && median > by) {
            best = k;
            by = median;
        }
    }
    s->problems++;
    if (best != own && s->wrong < MOST_WRONG)
        snprintf(s->lines[s->wrong++], sizeof s->lines[0], "%s: %s takes %.2f times as long as %s", m->name,
                 candidates[own].name, by, candidates[best].name);
}

static void print_case(const comparison *s, const measured *m, const bench_candidate *candidates, size_t count)
{
    const double floats = (double)(m->source + m->weights + m->destination);
    const double traffic = bench_traffic_seconds(s->context, floats * sizeof(float)), arithmetic = m->flops / s->peak;
    bench_measurement found[BENCH_MOST_CANDIDATES];
    for (size_t k = 0; k < count; k++) {
        found[k] = (bench_measurement){
            .benchmark = "kernels",
            .title = "Kernels between which Thaw chooses",
            .setting = m->setting,
            .what = candidates[k].name,
            .size = (double)m->batch,
            .size_unit = "batch",
            .threads = thaw_context_threads(s->context),
            .limit_seconds = arithmetic > traffic ? arithmetic : traffic,
            .limit = "arithmetic of the definition at the peak of the cores, or each array through memory once",
        };
        bench_measurement_take(&found[k], seconds[k], s->settings.repetitions);
    }
    const double own = found[find_preferred(candidates, count)].seconds;
    for (size_t k = 0; k < count; k++) {
        if (s->settings.json) {
            json_t *object = bench_measurement_json(&found[k]);
            json_object_set_new(object, "chosen", json_boolean(candidates[k].preferred));
            bench_print_json(object);
            continue;
        }
        printf("%-44s %c %-24s %10.1f %6.2f %5.0f%% %5.0f%%\n", k == 0 ? m->name : "",
               candidates[k].preferred ? '*' : ' ', candidates[k].name, found[k].seconds * 1e6, found[k].seconds / own,
               100 * (found[k].high - found[k].low) / found[k].seconds,
               100 * found[k].limit_seconds / found[k].seconds);
    }
    fflush(stdout);
}

static void compare(comparison *s, const measured *m)
{
    if (s->settings.only && !strstr(m->name, s->settings.only))
        return;
    const bench_operands operands = {
        .source = bench_values(m->source),
        .weights = bench_values(m->weights),
        .bias = bench_values(m->outputs),
        .destination = bench_values(m->destination),
        .source_gradient = bench_values(m->source),
        .weights_gradient = bench_values(m->weights),
        .destination_gradient = bench_values(m->destination),
    };
    bench_candidate candidates[BENCH_MOST_CANDIDATES];
    const size_t count = bench_candidates_open(s->context, &m->problem, &operands, candidates);
    measure(s, candidates, count, &operands);
    judge(s, m, candidates, count);
    print_case(s, m, candidates, count);
    bench_candidates_close(s->context, candidates, count);
    float *const arrays[] = { operands.source,
                              operands.weights,
                              operands.bias,
                              operands.destination,
                              operands.source_gradient,
                              operands.weights_gradient,
                              operands.destination_gradient };
    for (size_t i = 0; i < THAW_COUNT(arrays); i++)
        free(arrays[i]);
}

static void compare_all(comparison *s)
{
    for (size_t i = 0; i < THAW_COUNT(convolutions); i++)
        for (bench_task task = BENCH_FORWARD_FROZEN; task < BENCH_TASKS; task++) {
            const measured m = measured_convolution(task, convolutions[i].channels, convolutions[i].filters,
                                                    convolutions[i].size, convolutions[i].batch);
            compare(s, &m);
        }
    for (size_t i = 0; i < THAW_COUNT(products_of); i++) {
        const products *p = &products_of[i];
        for (size_t k = 0; k < THAW_COUNT(p->rows) && p->rows[k]; k++) {
            const measured m = measured_product(p->task, p->inputs, p->outputs, p->rows[k]);
            compare(s, &m);
        }
    }
}

int main(int count, char **values)
{
    static comparison s;
    s.settings = bench_arguments_read("kernels", count, values, 15, MOST_REPETITIONS);
    if (thaw_context_create(&(thaw_context_options){ .threads = s.settings.threads }, &s.context) != THAW_OK)
        return 1;
    s.peak = bench_peak_flops(s.context);
    const thaw_thread_scope scope = thaw_threads_enter(s.context);
    if (!s.settings.json)
        printf("%d threads, peak %.0f GFLOP/s, medians of %zu in turns, microseconds; *: what choice.c chooses\n"
               "%-44s   %-24s %10s %6s %6s %6s\n",
               thaw_context_threads(s.context), s.peak * 1e-9, s.settings.repetitions, "", "kernel", "time", "ratio",
               "spread", "limit");
    compare_all(&s);
    if (!s.settings.json)
        printf("\nanother kernel is faster in %zu of %zu cases%s\n", s.wrong, s.problems, s.wrong ? ":" : "");
    for (size_t i = 0; !s.settings.json && i < s.wrong; i++)
        printf("  %s\n", s.lines[i]);
    thaw_threads_leave(scope);
    thaw_context_destroy(s.context);
    return 0;
}
