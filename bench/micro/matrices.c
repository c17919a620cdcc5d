/* ./run bench matrices: a step of an optimizer that sees matrices, over the weights of a ViT-S, against the peak of the
   cores. With --serve: a line on the standard input starts a step, and its seconds are printed: for peers/muon.py. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/threads.h"
#include "params/suits.h"
#include "support/arguments.h"
#include "support/roofline.h"
#include "support/timing.h"
#include "update/update.h"

enum { MOST_REPETITIONS = 1000, BLOCKS = 12, COUNT = 4 * BLOCKS };

static const int64_t block[4][2] = { { 1152, 384 }, { 384, 384 }, { 1536, 384 }, { 384, 1536 } };

typedef struct arguments {
    bool serve;
    int repetitions, threads;
    const char *optimizer;
} arguments;

static void stop(thaw_context *context)
{
    fprintf(stderr, "matrices: %s\n", thaw_context_message(context));
    exit(1);
}

static void create(thaw_context *context, const char *description, thaw_parameter_set *set, thaw_update_list **list)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(context, description, &optimizer);
    for (int i = 0; i < COUNT && status == THAW_OK; i++) {
        char name[32];
        thaw_group *group;
        const thaw_parameter_specification weight = { .name = "weight",
                                                      .shape = { 2, { block[i % 4][0], block[i % 4][1] } },
                                                      .fan_in = (double)block[i % 4][1] };
        snprintf(name, sizeof name, "layer%d", i);
        status = thaw_set_add_group(set, name, &group);
        if (status != THAW_OK)
            break;
        group->optimizer = thaw_optimizer_retain(optimizer);
        status = thaw_set_add_parameter(set, &weight, (uint32_t)i);
    }
    thaw_optimizer_destroy(optimizer);
    if (status == THAW_OK)
        status = thaw_update_list_create(context, set->parameters, COUNT, 0, list);
    if (status != THAW_OK)
        stop(context);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < set->parameters[i]->count; k++)
            set->parameters[i]->gradient[k] = (float)((k * 2654435761U >> 7) % 1024) / 1024 - 0.5F;
}

static double count_flops(const thaw_parameter_set *set)
{
    double flops = 0, values[THAW_MAX_HYPERPARAMETERS];
    for (size_t i = 0; i < COUNT; i++) {
        const thaw_parameter *parameter = set->parameters[i];
        const thaw_optimizer_module *module = thaw_parameter_module(parameter);
        thaw_parameter_values(parameter, values);
        flops += module->flops
                     ? module->flops(values, thaw_parameter_rows(parameter), thaw_parameter_columns(parameter))
                     : 0;
    }
    return flops;
}

static double time_step(thaw_context *context, thaw_update_list *list)
{
    const thaw_thread_scope scope = thaw_threads_enter(context);
    const double begin = bench_now();
    if (thaw_update_list_run(list, 1, 1) != THAW_OK)
        stop(context);
    const double seconds = bench_now() - begin;
    thaw_threads_leave(scope);
    return seconds;
}

static void serve(thaw_context *context, thaw_update_list *list)
{
    for (int character; (character = getchar()) != EOF;)
        if (character == '\n') {
            printf("%.9f\n", time_step(context, list));
            fflush(stdout);
        }
}

/* Alternates with the peak of the cores, which other work on the machine lowers alike. */
static void measure(thaw_context *context, thaw_update_list *list, double flops, const arguments *settings)
{
    double seconds[MOST_REPETITIONS], shares[MOST_REPETITIONS];
    const size_t count = (size_t)settings->repetitions;
    time_step(context, list);
    for (size_t i = 0; i < count; i++) {
        seconds[i] = time_step(context, list);
        shares[i] = flops / seconds[i] / bench_peak_flops(context);
    }
    printf("%s, %d threads: %.2f ms a step, %.1f GFLOP of products, %.0f %% of the peak, median of %zu\n",
           settings->optimizer, thaw_context_threads(context), bench_median(seconds, count) * 1e3, flops * 1e-9,
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
        { NULL, 0, NULL, 0 },
    };
    arguments settings = { .repetitions = 9, .threads = 2, .optimizer = "muon" };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        if (option == 's') {
            settings.serve = true;
        } else if (option == 'r') {
            settings.repetitions = bench_positive("matrices", optarg, MOST_REPETITIONS);
        } else if (option == 't') {
            settings.threads = bench_positive("matrices", optarg, 1024);
        } else if (option == 'o') {
            settings.optimizer = optarg;
        } else {
            fprintf(option == 'h' ? stdout : stderr,
                    "usage: matrices [--serve] [--repetitions N] [--threads N] [--optimizer DESCRIPTION]\n");
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
    create(context, settings.optimizer, &set, &list);
    if (settings.serve)
        serve(context, list);
    else
        measure(context, list, count_flops(&set), &settings);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
    return 0;
}
