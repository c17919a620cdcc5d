/* ./run bench matrices: a step of an optimizer that sees matrices, over the weights of a ViT-S or a ResNet-18, against
   the peak of the cores. With --period N: the mean of N steps, for optimizers that do more in some of them. With
   --serve: a line on the standard input starts a step, and its seconds are printed: for peers/muon.py. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/threads.h"
#include "params/suits.h"
#include "support/arguments.h"
#include "support/roofline.h"
#include "support/timing.h"
#include "update/update.h"

enum { MOST_REPETITIONS = 1000 };

/* So many weights of one shape; convolutions as matrices. */
typedef struct weights {
    int count;
    int64_t rows, columns;
} weights;

static const weights vit_small[] = { { 12, 1152, 384 }, { 12, 384, 384 }, { 12, 1536, 384 }, { 12, 384, 1536 } };
static const weights resnet18[] = { { 1, 64, 147 },   { 4, 64, 576 },   { 1, 128, 576 },  { 3, 128, 1152 },
                                    { 1, 128, 64 },   { 1, 256, 1152 }, { 3, 256, 2304 }, { 1, 256, 128 },
                                    { 1, 512, 2304 }, { 3, 512, 4608 }, { 1, 512, 256 },  { 1, 1000, 512 } };

typedef struct network {
    const char *name;
    const weights *weights;
    size_t count;
} network;

static const network networks[] = { { "vit-small", vit_small, THAW_COUNT(vit_small) },
                                    { "resnet18", resnet18, THAW_COUNT(resnet18) } };

typedef struct arguments {
    bool serve;
    int repetitions, threads, period;
    const char *optimizer;
    const network *network;
} arguments;

static void stop(thaw_context *context)
{
    fprintf(stderr, "matrices: %s\n", thaw_context_message(context));
    exit(1);
}

static thaw_status add_weight(thaw_parameter_set *set, thaw_optimizer *optimizer, const weights *shape)
{
    char name[32];
    thaw_group *group;
    const thaw_parameter_specification weight = { .name = "weight",
                                                  .shape = { 2, { shape->rows, shape->columns } },
                                                  .fan_in = (double)shape->columns };
    snprintf(name, sizeof name, "layer%zu", set->parameter_count);
    const thaw_status status = thaw_set_add_group(set, name, &group);
    if (status != THAW_OK)
        return status;
    group->optimizer = thaw_optimizer_retain(optimizer);
    return thaw_set_add_parameter(set, &weight, (uint32_t)set->parameter_count);
}

static void create(thaw_context *context, const arguments *settings, thaw_parameter_set *set, thaw_update_list **list)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(context, settings->optimizer, &optimizer);
    for (size_t k = 0; k < settings->network->count; k++)
        for (int i = 0; i < settings->network->weights[k].count && status == THAW_OK; i++)
            status = add_weight(set, optimizer, &settings->network->weights[k]);
    thaw_optimizer_destroy(optimizer);
    if (status == THAW_OK)
        status = thaw_update_list_create(context, set->parameters, set->parameter_count, 0, list);
    if (status != THAW_OK)
        stop(context);
}

/* Other gradients in each step, so that sums of their products have full rank, as those of training have. */
static void fill_gradients(const thaw_parameter_set *set)
{
    static uint64_t state;
    for (size_t i = 0; i < set->parameter_count; i++)
        for (size_t k = 0; k < set->parameters[i]->count; k++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            set->parameters[i]->gradient[k] = (float)(state >> 40) * 0x1p-24F - 0.5F;
        }
}

static double count_flops(const thaw_parameter_set *set)
{
    double flops = 0, values[THAW_MAX_HYPERPARAMETERS];
    for (size_t i = 0; i < set->parameter_count; i++) {
        const thaw_parameter *parameter = set->parameters[i];
        const thaw_optimizer_module *module = thaw_parameter_module(parameter);
        thaw_parameter_values(parameter, values);
        flops += module->flops
                     ? module->flops(values, thaw_parameter_rows(parameter), thaw_parameter_columns(parameter))
                     : 0;
    }
    return flops;
}

static double time_step(const thaw_parameter_set *set, thaw_update_list *list)
{
    thaw_context *context = set->context;
    fill_gradients(set);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    const double begin = bench_now();
    if (thaw_update_list_run(list, 1, 1) != THAW_OK)
        stop(context);
    const double seconds = bench_now() - begin;
    thaw_threads_leave(scope);
    return seconds;
}

static void serve(const thaw_parameter_set *set, thaw_update_list *list)
{
    for (int character; (character = getchar()) != EOF;)
        if (character == '\n') {
            printf("%.9f\n", time_step(set, list));
            fflush(stdout);
        }
}

/* Alternates with the peak of the cores, which other work on the machine lowers alike. */
static void measure(const thaw_parameter_set *set, thaw_update_list *list, const arguments *settings)
{
    double seconds[MOST_REPETITIONS], shares[MOST_REPETITIONS];
    const size_t count = (size_t)settings->repetitions;
    const double first = time_step(set, list), flops = count_flops(set);
    for (size_t i = 0; i < count; i++) {
        seconds[i] = 0;
        for (int step = 0; step < settings->period; step++)
            seconds[i] += time_step(set, list) / settings->period;
        shares[i] = flops / seconds[i] / bench_peak_flops(set->context);
    }
    printf(
        "%s, %s, %d threads: %.2f ms a step (the fastest %.2f, the first %.2f), %.1f GFLOP of products, %.0f %% of the "
        "peak, median of %zu\n",
        settings->optimizer, settings->network->name, thaw_context_threads(set->context),
        bench_median(seconds, count) * 1e3, bench_quantile(seconds, count, 0) * 1e3, first * 1e3, flops * 1e-9,
        bench_median(shares, count) * 100, count);
}

static arguments parse(int count, char **values)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "serve", no_argument, NULL, 's' },
        { "repetitions", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' },
        { "optimizer", required_argument, NULL, 'o' },
        { "network", required_argument, NULL, 'n' },
        { "period", required_argument, NULL, 'p' },
        { NULL, 0, NULL, 0 },
    };
    arguments settings = { .repetitions = 9, .threads = 2, .period = 1, .optimizer = "muon", .network = &networks[0] };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        if (option == 's') {
            settings.serve = true;
        } else if (option == 'r') {
            settings.repetitions = bench_positive("matrices", optarg, MOST_REPETITIONS);
        } else if (option == 't') {
            settings.threads = bench_positive("matrices", optarg, 1024);
        } else if (option == 'o') {
            settings.optimizer = optarg;
        } else if (option == 'p') {
            settings.period = bench_positive("matrices", optarg, 1000);
        } else if (option == 'n' && strcmp(optarg, networks[1].name) == 0) {
            settings.network = &networks[1];
        } else if (option != 'n' || strcmp(optarg, networks[0].name) != 0) {
            fprintf(option == 'h' ? stdout : stderr,
                    "usage: matrices [--serve] [--repetitions N] [--threads N] [--optimizer DESCRIPTION] [--period N]\n"
                    "                [--network vit-small|resnet18]\n");
            exit(option == 'h' ? 0 : 2);
        }
    }
    return settings;
}

int main(int count, char **values)
{
    const arguments settings = parse(count, values);
    thaw_context *context = NULL;
    thaw_update_list *list = NULL;
    if (thaw_context_create(&(thaw_context_options){ .threads = settings.threads }, &context) != THAW_OK)
        return 1;
    thaw_parameter_set set = { .context = context };
    create(context, &settings, &set, &list);
    if (settings.serve)
        serve(&set, list);
    else
        measure(&set, list, &settings);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
    return 0;
}
