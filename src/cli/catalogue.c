/* thaw models, optimizers, strategies, policies and datasets: what there is, one line each, from the library's own tables. */
#include <stdio.h>
#include <string.h>
#include <thaw/data.h>
#include <thaw/optimizer_module.h>
#include <thaw/policy_module.h>
#include <thaw/strategy.h>
#include <thaw/zoo.h>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/failure.h"
#include "cli/json.h"

enum { CELL_BYTES = 32 };

static int longer(int width, const char *text)
{
    const int length = (int)strlen(text);
    return length > width ? length : width;
}

/* ---------------------------------------------------------------- models */

static int print_model(const thaw_zoo_entry *network)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("model"));
    json_object_set_new(object, "name", json_string(network->name));
    json_object_set_new(object, "description", json_string(network->description));
    json_object_set_new(object, "parameters", cli_json_count(network->parameters));
    json_object_set_new(object, "input_shape", cli_json_shape(&network->sample_shape));
    json_object_set_new(object, "classes", cli_json_count(network->classes));
    json_object_set_new(object, "weights", cli_json_text(network->weights));
    return cli_json_print(object);
}

static const char *format_shape(char text[CELL_BYTES], const thaw_shape *shape)
{
    size_t length = 0;
    for (int i = 0; i < shape->rank && length < CELL_BYTES; i++)
        length +=
            (size_t)snprintf(text + length, CELL_BYTES - length, "%s%lld", i ? "x" : "", (long long)shape->dims[i]);
    return text;
}

static int list_models(const cli_options *options)
{
    const thaw_zoo_entry *network;
    int name = 0, weights = (int)strlen("weights");
    for (size_t i = 0; (network = thaw_zoo_entry_at(i)); i++) {
        name = longer(name, network->name);
        weights = longer(weights, network->weights ? network->weights : "");
    }
    if (!options->json)
        printf("%-*s %10s  %-9s  %7s  %-*s  %s\n", name, "model", "parameters", "input", "classes", weights, "weights",
               "description");
    int code = CLI_DONE;
    for (size_t i = 0; (network = thaw_zoo_entry_at(i)) && code == CLI_DONE; i++) {
        char shape[CELL_BYTES] = "";
        if (options->json)
            code = print_model(network);
        else
            printf("%-*s %10zu  %-9s  %7zu  %-*s  %s\n", name, network->name, network->parameters,
                   network->text ? "tokens" : format_shape(shape, &network->sample_shape), network->classes, weights,
                   network->weights ? network->weights : "-", network->description);
    }
    return code;
}

const cli_command cli_models = {
    .name = "models",
    .summary = "list the networks",
    .description =
        "List the networks that --model can name: their parameters, the size of their input (height, width "
        "and channels, or tokens of text) and their classes by default, and the network elsewhere whose "
        "trained weights fit. A safetensors file of those can be loaded with --load. Options follow a colon: "
        "resnet18:size=64.",
    .examples = "  thaw models\n"
                "  thaw models --json\n",
    .takes = CLI_LIST,
    .run = list_models,
};

/* ---------------------------------------------------------------- optimizers */

static json_t *list_settings(const thaw_hyperparameter *all, size_t count)
{
    json_t *settings = json_array();
    for (size_t i = 0; i < count; i++) {
        const thaw_hyperparameter *one = &all[i];
        json_t *setting = json_object();
        json_object_set_new(setting, "name", json_string(one->name));
        json_object_set_new(setting, "default", cli_json_real(one->initial));
        json_object_set_new(setting, "minimum", cli_json_real(one->minimum));
        json_object_set_new(setting, "maximum", cli_json_real(one->maximum));
        json_array_append_new(settings, setting);
    }
    return settings;
}

static int print_optimizer(const thaw_optimizer_module *module)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("optimizer"));
    json_object_set_new(object, "name", json_string(module->name));
    json_object_set_new(object, "wraps", json_boolean(module->wraps));
    json_object_set_new(object, "settings", list_settings(module->hyperparameters, module->hyperparameter_count));
    if (module->slot_ranges)
        json_object_set_new(object, "states", json_pack("[sss]", "f32", "bf16", "8bit"));
    return cli_json_print(object);
}

/* Aligned with names of up to `width` characters. */
static int list_optimizer(const thaw_optimizer_module *module, int width, const cli_options *options)
{
    if (options->json)
        return print_optimizer(module);
    const char *slash = module->wraps ? "/" : "";
    printf("%s%-*s  ", module->name, width - (int)strlen(module->name), slash);
    for (size_t k = 0; k < module->hyperparameter_count; k++)
        printf("%s%s=%g", k ? "," : "", module->hyperparameters[k].name, module->hyperparameters[k].initial);
    puts(module->slot_ranges ? ",state=f32" : "");
    return CLI_DONE;
}

static int list_optimizers(const cli_options *options)
{
    const thaw_optimizer_module *module;
    int width = 0, code = CLI_DONE;
    for (size_t i = 0; (module = thaw_optimizer_builtin(i)); i++)
        width = longer(width, module->name);
    for (size_t i = 0; (module = thaw_optimizer_builtin(i)) && code == CLI_DONE; i++)
        code = list_optimizer(module, width, options);
    for (size_t i = 0; (module = thaw_optimizer_builtin_wrapper(i)) && code == CLI_DONE; i++)
        code = list_optimizer(module, width, options);
    return code;
}

const cli_command cli_optimizers = {
    .name = "optimizers",
    .summary = "list the optimizers and their settings",
    .description = "List the optimizers that --optimizer can name, with their settings and the defaults of these. "
                   "Settings follow a colon, separated by commas: sgd:lr=0.1,momentum=0.9. A path with a slash is an "
                   "optimizer of your own, in a shared object: ./lion.so:lr=1e-4. A name with a slash wraps another "
                   "optimizer, which follows: lookahead:k=10/adamw:lr=1e-2. Where there is a state, it can be kept in "
                   "fewer bits: adamw:state=8bit, adamw:state=bf16.",
    .examples = "  thaw optimizers\n"
                "  thaw optimizers --json\n",
    .takes = CLI_LIST,
    .run = list_optimizers,
};

/* ---------------------------------------------------------------- strategies */

static int print_strategy(const thaw_strategy *strategy, int width, bool json)
{
    if (!json) {
        printf("%-*s  %s\n", width, strategy->name, strategy->description);
        return CLI_DONE;
    }
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("strategy"));
    json_object_set_new(object, "name", json_string(strategy->name));
    json_object_set_new(object, "description", json_string(strategy->description));
    return cli_json_print(object);
}

static int list_strategies(const cli_options *options)
{
    thaw_context *context = NULL;
    const char *name;
    int width = 0, code = cli_context_create(&(thaw_context_options){ .threads = 1 }, &context);
    for (size_t i = 0; (name = thaw_strategy_builtin(i)); i++)
        width = longer(width, name);
    for (size_t i = 0; code == CLI_DONE && (name = thaw_strategy_builtin(i)); i++) {
        thaw_strategy *strategy = NULL;
        code = cli_check(context, thaw_strategy_create(context, name, NULL, &strategy), "strategies");
        if (code == CLI_DONE)
            code = print_strategy(strategy, width, options->json);
        thaw_strategy_destroy(context, strategy);
    }
    thaw_context_destroy(context);
    return code;
}

const cli_command cli_strategies = {
    .name = "strategies",
    .summary = "list the strategies of fine-tuning",
    .description = "List the strategies that --strategy and --strategies can name, and what they train when. Other "
                   "numbers than those of the list are possible: last3, lora:rank=16. --strategy-file takes a file of "
                   "your own.",
    .examples = "  thaw strategies\n"
                "  thaw strategies --json\n",
    .takes = CLI_LIST,
    .run = list_strategies,
};

/* ---------------------------------------------------------------- policies */

static int print_policy(const thaw_policy_module *module)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("policy"));
    json_object_set_new(object, "name", json_string(module->name));
    json_object_set_new(object, "description", json_string(module->description));
    json_object_set_new(object, "settings", list_settings(module->settings, module->setting_count));
    return cli_json_print(object);
}

static int list_policies(const cli_options *options)
{
    const thaw_policy_module *module;
    int width = 0, code = CLI_DONE;
    for (size_t i = 0; (module = thaw_policy_builtin(i)); i++)
        width = longer(width, module->name);
    for (size_t i = 0; (module = thaw_policy_builtin(i)) && code == CLI_DONE; i++) {
        if (options->json) {
            code = print_policy(module);
            continue;
        }
        printf("%-*s  %s\n%-*s  ", width, module->name, module->description, width, "");
        for (size_t k = 0; k < module->setting_count; k++)
            printf("%s%s=%g", k ? "," : "", module->settings[k].name, module->settings[k].initial);
        putchar('\n');
    }
    return code;
}

const cli_command cli_policies = {
    .name = "policies",
    .summary = "list the policies that decide what trains",
    .description =
        "List the policies that --policy can name, with their settings and the defaults of these. A policy "
        "looks at the run as it goes on, and decides what trains. Settings follow a colon, separated by "
        "commas; a number may end in %: auto:tolerance=0.5%. A path with a slash is a policy of your own, in a "
        "shared object: ./own_policy.so:every=20.",
    .examples = "  thaw policies\n"
                "  thaw policies --json\n",
    .takes = CLI_LIST,
    .run = list_policies,
};

/* ---------------------------------------------------------------- data sets */

static int print_dataset(const thaw_dataset_kind *kind, size_t index)
{
    json_t *object = json_object(), *names = json_array();
    const char *name;
    for (size_t i = 0; (name = thaw_dataset_kind_option(index, i)); i++)
        json_array_append_new(names, json_string(name));
    json_object_set_new(object, "event", json_string("dataset"));
    json_object_set_new(object, "name", json_string(kind->name));
    json_object_set_new(object, "form", json_string(kind->form));
    json_object_set_new(object, "description", json_string(kind->description));
    json_object_set_new(object, "example", json_string(kind->example));
    json_object_set_new(object, "options", names);
    return cli_json_print(object);
}

static int list_datasets(const cli_options *options)
{
    thaw_dataset_kind kind;
    int form = 0, code = CLI_DONE;
    for (size_t i = 0; thaw_dataset_kind_at(i, &kind); i++)
        form = longer(form, kind.form);
    for (size_t i = 0; code == CLI_DONE && thaw_dataset_kind_at(i, &kind); i++)
        if (options->json)
            code = print_dataset(&kind, i);
        else
            printf("%-*s  %s, such as '%s'\n", form, kind.form, kind.description, kind.example);
    return code;
}

const cli_command cli_datasets = {
    .name = "datasets",
    .summary = "list the kinds of data sets",
    .description = "List the kinds of data sets that --data can name, each with an example. With --json, each has its "
                   "options, too. The section DATA SETS of thaw(1) describes them.",
    .examples = "  thaw datasets\n"
                "  thaw datasets --json\n",
    .takes = CLI_LIST,
    .run = list_datasets,
};
