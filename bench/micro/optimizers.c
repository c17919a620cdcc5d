/* ./run bench optimizers: a step of each optimizer through the library's update path, against a loop that only reads
   and writes the same number of memory streams, and against the same model with half of its groups frozen. State in
   fewer bits than 32 is also compared with the same optimizer's in floats. With --curve: at several sizes, from what fits into a core's cache to what does not. */
#include <dlfcn.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params/suits.h"
#include "support/arguments.h"
#include "support/probe.h"
#include "support/timing.h"
#include "support/update_figures.h"
#include "support/update_model.h"

enum { MOST_REPETITIONS = 1000 };

/* ---------------------------------------------------------------- counting parallel regions */

typedef void region_entry(void (*body)(void *), void *argument, unsigned threads, unsigned flags);
region_entry GOMP_parallel;

static size_t regions;

/* Overrides libgomp's function. */
void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags)
{
    static region_entry *own;
    if (!own)
        *(void **)&own = dlsym(RTLD_NEXT, "GOMP_parallel");
    regions++;
    own(body, argument, threads, flags);
}

/* ---------------------------------------------------------------- workloads */

static const bench_workload workloads[] = {
    { "large", 25000000, 160, 1 },
    { "many small", 1000000, 1000, 20 },
};

static const bench_workload sizes[] = {
    { "64 k", 1 << 16, 16, 400 }, { "256 k", 1 << 18, 16, 100 }, { "1 M", 1 << 20, 16, 20 },
    { "4 M", 1 << 22, 16, 5 },    { "16 M", 1 << 24, 16, 1 },
};

static const char *const curve_descriptions[] = { "sgd", "sgd:momentum=0.9", "adam", "rmsprop" };

static const char *const descriptions[] = {
    "sgd",
    "sgd:momentum=0.9",
    "sgd:momentum=0.9,nesterov=1",
    "adam",
    "adam:amsgrad=1",
    "adamw",
    "adamw:state=8bit",
    "adamw:state=bf16",
    "lion",
    "lion:state=8bit",
    "lamb",
    "lars",
    "rmsprop",
    "rmsprop:momentum=0.9",
    "rmsprop:centered=1",
    "rmsprop:centered=1,momentum=0.9",
};

static void stop(const thaw_context *context)
{
    fprintf(stderr, "optimizers: %s\n", thaw_context_message(context));
    exit(1);
}

/* ---------------------------------------------------------------- measuring */

static double time_steps(bench_model *timed, int steps)
{
    if (thaw_update_list_run(timed->list, 1, 1) != THAW_OK)
        stop(timed->set.context);
    const double begin = bench_now();
    for (int i = 0; i < steps; i++)
        thaw_update_list_run(timed->list, 1, 1);
    return (bench_now() - begin) / steps;
}

static double time_probe(bench_probe *probe, int steps)
{
    bench_probe_run(probe);
    const double begin = bench_now();
    for (int i = 0; i < steps; i++)
        bench_probe_run(probe);
    return (bench_now() - begin) / steps;
}

static void count_regions(bench_model *counted, bench_figures *found)
{
    regions = 0;
    thaw_update_list_run(counted->list, 1, 1);
    found->regions = regions;
}

/* Alternates the contenders; `floats` may have no list. */
static void measure(bench_model *whole, bench_model *half, bench_model *floats, bench_probe *probe, int repetitions,
                    bench_figures *found)
{
    static double own[MOST_REPETITIONS], other[MOST_REPETITIONS], frozen[MOST_REPETITIONS], share[MOST_REPETITIONS];
    static double of_floats[MOST_REPETITIONS];
    const int steps = found->work->steps;
    const size_t count = (size_t)repetitions;
    for (size_t i = 0; i < count; i++) {
        own[i] = time_steps(whole, steps);
        other[i] = time_probe(probe, steps);
        frozen[i] = time_steps(half, steps);
        share[i] = other[i] / own[i] * bench_step_bytes(found) / bench_probe_bytes(found);
        of_floats[i] = floats->list ? own[i] / time_steps(floats, steps) : 0;
    }
    found->spread = bench_spread(own, count);
    found->median = bench_median(own, count);
    found->low = bench_quantile(own, count, 0.25);
    found->high = bench_quantile(own, count, 0.75);
    found->probe = bench_median(other, count);
    found->half = bench_median(frozen, count);
    found->share = bench_median(share, count);
    found->of_floats = bench_median(of_floats, count);
}

static double state_bytes(const bench_model *model)
{
    double bytes = 0;
    for (size_t i = 0; i < model->set.parameter_count; i++)
        for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
            if (model->set.parameters[i]->slot[k])
                bytes += (double)thaw_parameter_slot_bytes(model->set.parameters[i], k);
    return bytes / (double)model->trained;
}

/* The same model with its state in floats; nothing if it is. */
static thaw_status make_floats(const thaw_optimizer *optimizer, const bench_workload *work, bench_model *floats)
{
    thaw_optimizer *plain = NULL;
    if (optimizer->state == THAW_F32)
        return THAW_OK;
    thaw_status status = thaw_optimizer_create_from(optimizer->context, optimizer->module, NULL, &plain);
    if (status == THAW_OK) {
        memcpy(plain->values, optimizer->values, sizeof plain->values);
        status = bench_model_create(optimizer->context, work->parameters, work->tensors, plain, false, floats);
    }
    thaw_optimizer_destroy(plain);
    return status;
}

static bench_figures run_case(thaw_context *context, const char *description, const bench_workload *work,
                              int repetitions)
{
    bench_figures found = { .description = description, .work = work, .threads = thaw_context_threads(context) };
    thaw_optimizer *optimizer = NULL;
    if (thaw_optimizer_create(context, description, &optimizer) != THAW_OK)
        stop(context);
    found.written = 1;
    for (size_t s = 0; s < THAW_MAX_SLOTS; s++)
        found.written += thaw_module_uses_slot(optimizer->module, optimizer->values, s);
    bench_model whole = { 0 }, half = { 0 }, floats = { 0 };
    bench_probe probe = { 0 };
    if (bench_model_create(context, work->parameters, work->tensors, optimizer, false, &whole) != THAW_OK ||
        bench_model_create(context, work->parameters, work->tensors, optimizer, true, &half) != THAW_OK ||
        make_floats(optimizer, work, &floats) != THAW_OK ||
        bench_probe_create(context, whole.trained, found.written, &probe) != THAW_OK)
        stop(context);
    found.parameters = whole.trained;
    found.state = state_bytes(&whole);
    count_regions(&whole, &found);
    measure(&whole, &half, &floats, &probe, repetitions, &found);
    bench_probe_release(&probe);
    if (floats.list)
        bench_model_release(&floats);
    bench_model_release(&half);
    bench_model_release(&whole);
    thaw_optimizer_destroy(optimizer);
    return found;
}

typedef struct arguments {
    bool json, curve;
    int repetitions;
    int threads;      /* 0: one, then two */
    const char *only; /* an optimizer's description, or NULL */
} arguments;

static void run_workload(const bench_workload *work, int threads, const arguments *settings)
{
    thaw_context *context = NULL;
    if (thaw_context_create(&(thaw_context_options){ .threads = threads }, &context) != THAW_OK) {
        fprintf(stderr, "optimizers: no context with %d threads\n", threads);
        exit(1);
    }
    if (!settings->json)
        bench_print_heading(work, threads, settings->repetitions);
    const char *const *all = settings->curve ? curve_descriptions : descriptions;
    const size_t count = settings->curve ? THAW_COUNT(curve_descriptions) : THAW_COUNT(descriptions);
    for (size_t i = 0; i < count; i++) {
        const char *description = settings->only ? settings->only : all[i];
        const bench_figures found = run_case(context, description, work, settings->repetitions);
        if (settings->json)
            bench_print_figures(&found, settings->repetitions);
        else
            bench_print_row(&found);
        fflush(stdout);
        if (settings->only)
            break;
    }
    thaw_context_destroy(context);
}

static arguments parse(int count, char **values)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "json", no_argument, NULL, 'j' },
        { "curve", no_argument, NULL, 'c' },
        { "repetitions", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' },
        { "optimizer", required_argument, NULL, 'o' },
        { NULL, 0, NULL, 0 },
    };
    arguments settings = { .repetitions = 15 };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        if (option == 'j') {
            settings.json = true;
        } else if (option == 'c') {
            settings.curve = true;
        } else if (option == 'r') {
            settings.repetitions = bench_positive("optimizers", optarg, MOST_REPETITIONS);
        } else if (option == 't') {
            settings.threads = bench_positive("optimizers", optarg, 1024);
        } else if (option == 'o') {
            settings.only = optarg;
        } else {
            fprintf(option == 'h' ? stdout : stderr,
                    "usage: optimizers [--json] [--curve] [--repetitions N] [--threads N] [--optimizer DESCRIPTION]\n");
            exit(option == 'h' ? 0 : 2);
        }
    }
    return settings;
}

int main(int count, char **values)
{
    const arguments settings = parse(count, values);
    const bench_workload *all = settings.curve ? sizes : workloads;
    const size_t works = settings.curve ? THAW_COUNT(sizes) : THAW_COUNT(workloads);
    for (size_t w = 0; w < works; w++)
        for (int threads = settings.threads ? settings.threads : 1;
             threads <= (settings.threads ? settings.threads : 2); threads++)
            run_workload(&all[w], threads, &settings);
    return 0;
}
