/* thaw plan. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cache.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/program.h"
#include "cli/session.h"
#include "cli/shown.h"
#include "cli/strategy.h"
#include "cli/what_if.h"

static int print_node(const thaw_plan_entry *entry)
{
    static const char *const regions[] = {
        [THAW_REGION_PREFIX] = "prefix", [THAW_REGION_LIVE] = "live", [THAW_REGION_FROZEN] = "frozen"
    };
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("node"));
    json_object_set_new(object, "name", json_string(entry->name));
    json_object_set_new(object, "kind", json_string(entry->kind));
    json_object_set_new(object, "region", json_string(regions[entry->region]));
    json_object_set_new(object, "trainability", json_string(thaw_trainability_name(entry->trainability)));
    json_object_set_new(object, "precision", json_string(entry->precision == THAW_BF16 ? "bf16" : "f32"));
    json_object_set_new(object, "kernel", json_string(entry->kernel));
    json_object_set_new(object, "fused_into", entry->fused_into ? json_string(entry->fused_into) : json_null());
    json_object_set_new(object, "forward", json_boolean(entry->forward));
    json_object_set_new(object, "input_gradient", json_boolean(entry->input_gradient));
    json_object_set_new(object, "parameter_gradient", json_boolean(entry->parameter_gradient));
    json_object_set_new(object, "cache_boundary", json_boolean(entry->cache_boundary));
    json_object_set_new(object, "samples", cli_json_count((size_t)entry->samples));
    json_object_set_new(object, "output_bytes", cli_json_count(entry->output_bytes));
    json_object_set_new(object, "copy_bytes", cli_json_count(entry->copy_bytes));
    json_object_set_new(object, "workspace_bytes", cli_json_count(entry->workspace_bytes));
    json_object_set_new(object, "packed_bytes", cli_json_count(entry->packed_bytes));
    json_object_set_new(object, "forward_flops", cli_json_real(entry->forward_flops));
    json_object_set_new(object, "backward_flops", cli_json_real(entry->backward_flops));
    return cli_json_print(object);
}

static int print_combination(thaw_context *context, const thaw_plan_combination *entry)
{
    char *formula = NULL;
    const int code = cli_check(context, thaw_expression_describe(entry->expression, &formula), "plan");
    if (code != CLI_DONE)
        return code;
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("combination"));
    json_object_set_new(object, "parameter", json_string(thaw_parameter_name(entry->parameter)));
    json_object_set_new(object, "expression", json_string(formula));
    json_object_set_new(object, "trainability", json_string(thaw_trainability_name(entry->trainability)));
    json_object_set_new(object, "computed", json_string(entry->computed));
    json_object_set_new(object, "value_bytes", cli_json_count(entry->value_bytes));
    thaw_text_destroy(context, formula);
    return cli_json_print(object);
}

static int print_saving(const thaw_plan_saving *entry)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("saving"));
    json_object_set_new(object, "pass", json_string(entry->pass));
    json_object_set_new(object, "what", json_string(entry->what));
    json_object_set_new(object, "bytes", cli_json_count(entry->bytes));
    json_object_set_new(object, "flops", cli_json_real(entry->flops));
    return cli_json_print(object);
}

/* `path`: the file chosen for the feature cache, or NULL. */
static int print_totals(const cli_options *options, const thaw_plan *plan, const char *path)
{
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("plan"));
    json_object_set_new(object, "epoch", cli_json_count((size_t)options->epoch));
    json_object_set_new(object, "epochs", cli_json_count((size_t)options->epochs));
    json_object_set_new(object, "trainable_parameters", cli_json_count(totals.trainable_parameters));
    json_object_set_new(object, "gradient_bytes", cli_json_count(totals.gradient_bytes));
    json_object_set_new(object, "optimizer_state_bytes", cli_json_count(totals.optimizer_state_bytes));
    json_object_set_new(object, "parameter_bytes", cli_json_count(totals.parameter_bytes));
    json_object_set_new(object, "activation_bytes", cli_json_count(totals.activation_bytes));
    json_object_set_new(object, "separate_bytes", cli_json_count(totals.separate_bytes));
    json_object_set_new(object, "recomputed_bytes", cli_json_count(totals.recomputed_bytes));
    json_object_set_new(object, "packed_bytes", cli_json_count(totals.packed_bytes));
    json_object_set_new(object, "shards", cli_json_count((size_t)totals.shards));
    json_object_set_new(object, "shard_bytes", cli_json_count(totals.shard_bytes));
    json_object_set_new(object, "shared_bytes", cli_json_count(totals.shared_bytes));
    json_object_set_new(object, "synced_bytes", cli_json_count(totals.synced_bytes));
    json_object_set_new(object, "combination_bytes", cli_json_count(totals.combination_bytes));
    json_object_set_new(object, "fused_kernels", cli_json_count(totals.fused_kernels));
    json_object_set_new(object, "fused_bytes", cli_json_count(totals.fused_bytes));
    json_object_set_new(object, "forward_kernels", cli_json_count(totals.forward_kernels));
    json_object_set_new(object, "backward_kernels", cli_json_count(totals.backward_kernels));
    json_object_set_new(object, "bfloat16_kernels", cli_json_count(totals.bfloat16_kernels));
    json_object_set_new(object, "conversions", cli_json_count(totals.conversions));
    json_object_set_new(object, "tiled_kernels", cli_json_count(totals.tiled_kernels));
    json_object_set_new(object, "tile", cli_json_count((size_t)totals.tile));
    json_object_set_new(object, "flops", cli_json_real(totals.flops));
    json_object_set_new(object, "unfrozen_flops", cli_json_real(totals.unfrozen_flops));
    json_object_set_new(object, "update_flops", cli_json_real(totals.update_flops));
    json_object_set_new(object, "cached_flops", cli_json_real(totals.cached_flops));
    json_object_set_new(object, "cached_bytes_per_sample", cli_json_count(totals.cached_bytes_per_sample));
    json_object_set_new(object, "cache_file", cli_json_text(path));
    json_object_set_new(object, "prefix_bytes_per_sample", cli_json_count(totals.prefix_bytes_per_sample));
    return cli_json_print(object);
}

static int print_json(const cli_session *session, const thaw_plan *plan, const char *path)
{
    int code = CLI_DONE;
    for (size_t i = 0; i < thaw_plan_entry_count(plan) && code == CLI_DONE; i++) {
        thaw_plan_entry entry;
        code = cli_check(session->context, thaw_plan_entry_at(plan, i, &entry), "plan");
        if (code == CLI_DONE)
            code = print_node(&entry);
    }
    for (size_t i = 0; i < thaw_plan_combination_count(plan) && code == CLI_DONE; i++) {
        thaw_plan_combination entry;
        code = cli_check(session->context, thaw_plan_combination_at(plan, i, &entry), "plan");
        if (code == CLI_DONE)
            code = print_combination(session->context, &entry);
    }
    for (size_t i = 0; i < thaw_plan_saving_count(plan) && code == CLI_DONE; i++) {
        thaw_plan_saving entry;
        code = cli_check(session->context, thaw_plan_saving_at(plan, i, &entry), "plan");
        if (code == CLI_DONE)
            code = print_saving(&entry);
    }
    return code == CLI_DONE ? print_totals(session->options, plan, path) : code;
}

static void print_views(const thaw_fit_options *fit, const thaw_dataset *data, const thaw_plan *plan)
{
    const size_t bytes = thaw_plan_totals_of(plan).cached_bytes_per_sample;
    const size_t views = thaw_dataset_views(data), kept = thaw_fit_cached_views(fit, data, bytes);
    if (kept == views)
        printf("the feature cache keeps all %zu views of each sample\n", views);
    else if (kept)
        printf("the feature cache has room for %zu of the %zu views of each sample: epochs go through %zu\n", kept,
               views, kept);
}

/* The caller frees *path. */
static int print_plan(const cli_session *session, char **path)
{
    const cli_options *options = session->options;
    thaw_fit_options fit = { 0 };
    const thaw_dataset *data = session->training;
    int code = data ? cli_cache_choose(session, &fit, path) : CLI_DONE;
    const thaw_plan_options wanted = {
        .batch = (int64_t)options->batch,
        .inference = options->inference,
        .cache_dtype = options->cache_bf16 ? THAW_BF16 : THAW_F32,
        .cache_sample_bytes = data ? thaw_fit_cache_sample_bytes(&fit, data) : 0,
        .random_data = data && thaw_dataset_is_random(data) && !thaw_dataset_views(data),
        .shards = (int64_t)options->shards,
    };
    const thaw_plan *plan;
    if (code == CLI_DONE)
        code = cli_check(session->context, thaw_model_plan(session->model, &wanted, &plan), "plan");
    if (code == CLI_DONE && cli_asks_what_if(options))
        return cli_what_if(session);
    if (code == CLI_DONE && (options->program || options->profile))
        return cli_print_program(session, plan);
    if (code != CLI_DONE || options->json)
        return code == CLI_DONE ? print_json(session, plan, *path) : code;
    char *text = NULL;
    code = cli_check(session->context, thaw_plan_describe(plan, &text), "plan");
    if (code == CLI_DONE && session->strategy.rule_count)
        printf("epoch %llu of %llu, strategy %s\n", (unsigned long long)options->epoch,
               (unsigned long long)options->epochs, cli_show(session->strategy.name).text);
    if (code == CLI_DONE)
        fputs(text, stdout);
    if (code == CLI_DONE && data && thaw_dataset_views(data))
        print_views(&fit, data, plan);
    if (code == CLI_DONE && *path)
        printf("the features do not fit in memory and go to %s\n", cli_show(*path).text);
    thaw_text_destroy(session->context, text);
    return code;
}

/* The number of epochs: a cache pays off for two and more. */
static int set_epochs(cli_options *options)
{
    enum { SEVERAL = 2 };
    options->epochs = options->run_epochs ? options->run_epochs : options->epoch > SEVERAL ? options->epoch : SEVERAL;
    return options->epoch <= options->epochs
               ? CLI_DONE
               : cli_misuse("--epoch", "\"%llu\", must be at most %llu, the number of --epochs",
                            (unsigned long long)options->epoch, (unsigned long long)options->epochs);
}

static int plan(const cli_options *given)
{
    cli_options chosen = *given;
    const cli_options *options = &chosen;
    int code = set_epochs(&chosen);
    if (code != CLI_DONE)
        return code;
    cli_session session;
    char *path = NULL;
    code = cli_session_build(&session, options);
    if (code == CLI_DONE && thaw_model_loss(session.model) < 0 && !options->inference)
        code = cli_fail_headless(&session);
    if (code == CLI_DONE)
        code = cli_strategy_apply(&session, options->epoch);
    if (code == CLI_DONE)
        code = print_plan(&session, &path);
    free(path);
    cli_session_close(&session);
    return code;
}

const cli_command cli_plan = {
    .name = "plan",
    .summary = "show what a training step runs, and in which memory",
    .description = "Show what a training step of a network runs, and in which memory.",
    .examples = "  thaw plan --model transfer-cnn --freeze 'conv*' --batch 128\n"
                "  thaw plan --model resnet18 --freeze '*' --unfreeze fc --json\n"
                "  thaw plan --model resnet18 --strategy gradual --epoch 3\n"
                "  thaw plan --model resnet18:size=64 --batch 16 --profile\n"
                "  thaw plan --model resnet18 --batch 16 --what-if 'conv1|bn1|layer1*' --what-if @body\n",
    .takes = CLI_MODEL | CLI_CLASSES | CLI_DATA | CLI_RULES | CLI_BATCH | CLI_CACHE | CLI_INFERENCE | CLI_PRECISION |
             CLI_FROZEN_PRECISION | CLI_PROGRAM | CLI_STRATEGY | CLI_HEAD | CLI_EPOCH | CLI_COMMON,
    .needs = CLI_MODEL,
    .run = plan,
};
