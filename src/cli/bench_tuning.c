#include "cli/bench_tuning.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/shown.h"

/* Of all trials of the configuration's optimizer. */
static thaw_tuning cost_of(const thaw_configuration *configurations, size_t count, const char *optimizer)
{
    thaw_tuning all = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (strcmp(configurations[i].optimizer, optimizer) != 0)
            continue;
        all.trials += configurations[i].tuning.trials;
        all.diverged += configurations[i].tuning.diverged;
        all.epochs += configurations[i].tuning.epochs;
        all.seconds += configurations[i].tuning.seconds;
    }
    return all;
}

static int print_cost(const char *optimizer, const thaw_tuning *cost, bool json)
{
    if (!json) {
        printf("%-28s %7zu %9zu %8zu %9.1f\n", cli_show(optimizer).text, cost->trials, cost->diverged, cost->epochs,
               cost->seconds);
        return CLI_DONE;
    }
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("tuning"));
    json_object_set_new(object, "optimizer", cli_json_text(optimizer));
    json_object_set_new(object, "trials", cli_json_count(cost->trials));
    json_object_set_new(object, "diverged", cli_json_count(cost->diverged));
    json_object_set_new(object, "epochs", cli_json_count(cost->epochs));
    json_object_set_new(object, "seconds", cli_json_real(cost->seconds));
    return cli_json_print(object);
}

static int print_costs(const thaw_configuration *configurations, size_t count, bool json)
{
    int code = CLI_DONE;
    if (!json)
        printf("\n%-28s %7s %9s %8s %9s\n", "tuning cost", "trials", "diverged", "epochs", "seconds");
    for (size_t i = 0; i < count && code == CLI_DONE; i++) {
        const char *optimizer = configurations[i].optimizer;
        bool told = false;
        for (size_t k = 0; k < i; k++)
            told = told || strcmp(configurations[k].optimizer, optimizer) == 0;
        const thaw_tuning cost = cost_of(configurations, count, optimizer);
        if (!told)
            code = print_cost(optimizer, &cost, json);
    }
    return code;
}

static void print_choice(const thaw_configuration *one)
{
    char accuracy[CLI_SHARE_BYTES] = "-";
    if (!isnan(one->tuning.validation_accuracy))
        snprintf(accuracy, sizeof accuracy, "%.2f", 100 * one->tuning.validation_accuracy);
    printf("%-16s %-28s %5zu %12s  %s\n", cli_show(one->strategy).text, cli_show(one->optimizer).text,
           one->tuning.chosen, accuracy, cli_show(one->tuning.settings).text);
}

int cli_bench_tuning_print(const thaw_configuration *configurations, size_t count, bool json)
{
    size_t trials = 0;
    for (size_t i = 0; i < count; i++)
        trials += configurations[i].tuning.trials;
    if (trials == 0)
        return CLI_DONE;
    if (!json)
        printf("\n%-16s %-28s %5s %12s  %s\n", "strategy", "optimizer", "trial", "validation %", "chosen settings");
    for (size_t i = 0; i < count && !json; i++)
        if (configurations[i].tuning.chosen)
            print_choice(&configurations[i]);
    return print_costs(configurations, count, json);
}
