/* The file of results: bench/results.schema.json. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <thaw/precision.h>

#include "compare/comparison.h"
#include "compare/machine.h"
#include "compare/tuning.h"
#include "core/text.h"
#include "graph/model.h"
#include "io/new_file.h"
#include "report/checksum.h"
#include "report/write.h"

json_t *thaw_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* ---------------------------------------------------------------- head */

static thaw_status describe_layers(const thaw_comparison *comparison, thaw_model *model, json_t *layers)
{
    const size_t count = thaw_model_node_count(model);
    thaw_status status = THAW_OK;
    for (size_t i = 1; i < count && status == THAW_OK; i++) {
        thaw_summary_entry entry;
        size_t block;
        if ((thaw_node)i == thaw_model_loss(model))
            continue;
        status = thaw_model_summary_entry(model, i, &entry);
        if (status == THAW_OK)
            status = thaw_model_block(model, comparison->options.head, i, &block, NULL);
        if (status == THAW_OK)
            json_array_append_new(layers, json_pack("{sssssosI}", "name", entry.name, "kind", entry.kind, "block",
                                                    block ? json_integer((json_int_t)block) : json_null(), "parameters",
                                                    (json_int_t)entry.parameters));
    }
    return status;
}

static const char *name_precision(thaw_dtype type, bool emulated)
{
    return type == THAW_F32 ? NULL : emulated ? "bf16-emulated" : "bf16";
}

static json_t *describe_experiment(const thaw_comparison *comparison, thaw_precision precision, json_t *layers)
{
    const thaw_comparison_options *options = &comparison->options;
    return json_pack("{ssss?ss?ssss?sIsIss?ss*ss*sisIsIsIsisoso*so*so*so}", "model",
                     options->model ? options->model : "", "load", options->load, "reset", options->reset, "data",
                     options->data ? options->data : "", "test_data", options->test_data, "training_samples",
                     (json_int_t)thaw_dataset_count(options->training), "test_samples",
                     (json_int_t)thaw_dataset_count(options->test), "head", options->head, "precision",
                     name_precision(precision.all, precision.emulated), "frozen_precision",
                     name_precision(precision.frozen, precision.emulated), "epochs", options->epochs, "batch",
                     (json_int_t)options->batch, "cache_bytes", (json_int_t)options->cache_bytes, "first_seed",
                     (json_int_t)options->first_seed, "seeds", options->seeds, "target_accuracy",
                     options->target_accuracy > 0 ? json_real(options->target_accuracy) : json_null(), "target_loss",
                     options->target_loss > 0 ? json_real(options->target_loss) : NULL, "race",
                     options->race ? json_true() : NULL, "tuning", thaw_tuning_experiment_json(comparison), "layers",
                     layers);
}

/* The rules, in the form of a strategy file. */
static json_t *list_rules(const thaw_strategy *strategy)
{
    json_t *list = json_array();
    for (size_t i = 0; i < strategy->rule_count; i++) {
        const thaw_strategy_rule *rule = &strategy->rules[i];
        json_t *object = json_object();
        if (rule->epoch)
            json_object_set_new(object, "epoch", json_integer(rule->epoch));
        else if (rule->share > 0)
            json_object_set_new(object, "share", json_real(rule->share));
        else
            json_object_set_new(object, "every", json_true());
        json_object_set_new(object, "pattern", json_string(rule->pattern));
        json_object_set_new(object, "action", json_string(thaw_action_name(rule->action)));
        if (thaw_action_has_value(rule->action))
            json_object_set_new(object, "value", json_real(rule->value));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *list_strategies(const thaw_comparison_options *options)
{
    json_t *list = json_array();
    for (size_t i = 0; i < options->strategy_count; i++)
        json_array_append_new(list, json_pack("{ssssso}", "name", options->strategies[i]->name, "description",
                                              options->strategies[i]->description, "rules",
                                              list_rules(options->strategies[i])));
    return list;
}

static json_t *list_optimizers(const thaw_comparison *comparison)
{
    json_t *list = json_array();
    const thaw_comparison_options *options = &comparison->options;
    for (size_t i = 0; i < options->optimizer_count; i++) {
        json_t *rates = json_array();
        const size_t first = i * options->strategy_count * (size_t)options->rates;
        for (size_t k = 0; k < (size_t)options->rates && !comparison->tuning; k++)
            json_array_append_new(rates, json_real(comparison->entries[first + k].learning_rate));
        json_t *space = comparison->tuning ? thaw_search_json(&comparison->tuning->spaces[i]) : NULL;
        json_array_append_new(list, json_pack("{sssoso*}", "description", options->optimizers[i], "learning_rates",
                                              rates, "search", space));
    }
    return list;
}

thaw_status thaw_results_head(thaw_comparison *comparison, thaw_model *model, json_t **head)
{
    const thaw_comparison_options *options = &comparison->options;
    json_t *layers = json_array();
    *head = NULL;
    const thaw_status status = describe_layers(comparison, model, layers);
    if (status != THAW_OK) {
        json_decref(layers);
        return status;
    }
    *head = json_pack("{sssbsssosososososo}", "schema", THAW_RESULTS_SCHEMA, "complete", 0, "command",
                      options->command ? options->command : "", "versions", thaw_versions_json(), "machine",
                      thaw_machine_json(comparison->context), "experiment",
                      describe_experiment(comparison, thaw_model_precision(model), layers), "strategies",
                      list_strategies(options), "optimizers", list_optimizers(comparison), "runs", json_array());
    return *head ? THAW_OK : thaw_fail(comparison->context, THAW_OUT_OF_MEMORY, "the head of the results");
}

/* ---------------------------------------------------------------- writing */

static json_t *list_runs(const thaw_comparison *comparison)
{
    json_t *runs = json_array();
    const size_t count = comparison->entry_count, all = count * (size_t)comparison->options.seeds;
    for (size_t step = 0; step < all; step++) {
        json_t *run = comparison->entries[comparison->order[step]].runs[step / count];
        if (run)
            json_array_append(runs, run);
    }
    return runs;
}

static void append_json(thaw_text *text, const char *before, const json_t *value)
{
    char *dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    text->failed = text->failed || !dump;
    if (dump)
        thaw_text_append(text, "%s%s", before, dump);
    free(dump);
}

/* Writes each element of a list on a line of its own. */
static void append_list(thaw_text *text, const json_t *list)
{
    thaw_text_append(text, "[");
    for (size_t i = 0; i < json_array_size(list); i++)
        append_json(text, i ? ",\n" : "\n", json_array_get(list, i));
    thaw_text_append(text, "\n]");
}

thaw_status thaw_results_write_json(thaw_context *context, const char *path, const json_t *root)
{
    thaw_text text = { .context = context };
    const char *key, *before = "{";
    char *finished, digits[THAW_CHECKSUM_BYTES];
    json_t *value;
    thaw_status status = thaw_results_checksum(context, path, root, digits);
    if (status != THAW_OK)
        return status;
    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        thaw_text_append(&text, "%s\n\"%s\": ", before, key);
        before = ",";
        if (json_is_array(value))
            append_list(&text, value);
        else
            append_json(&text, "", value);
    }
    thaw_text_append(&text, ",\n\"" THAW_RESULTS_CHECKSUM "\": \"%s\"\n}\n", digits);
    status = thaw_text_finish(&text, &finished);
    if (status == THAW_OK)
        status = thaw_report_write_file(context, path, finished, strlen(finished));
    thaw_text_destroy(context, finished);
    return status;
}

thaw_status thaw_results_json(thaw_comparison *comparison, json_t **root)
{
    json_t *configurations = json_array();
    *root = NULL;
    thaw_status status = thaw_summarize(comparison);
    for (size_t i = 0; i < comparison->entry_count && status == THAW_OK; i++)
        status = thaw_summary_append(comparison, i, configurations);
    if (status != THAW_OK) {
        json_decref(configurations);
        return status;
    }
    json_t *profiles = NULL;
    status = thaw_profiles_json(comparison, &profiles);
    if (status != THAW_OK) {
        json_decref(configurations);
        return status;
    }
    *root = json_copy(comparison->head);
    const bool complete =
        comparison->options.race ? comparison->race_is_over : comparison->done == thaw_comparison_all_runs(comparison);
    json_object_set_new(*root, "complete", json_boolean(complete));
    if (comparison->tuning) {
        json_object_set_new(*root, "tuning", thaw_tuning_json(comparison));
        json_object_set_new(*root, "trials", thaw_tuning_trials_json(comparison));
    }
    json_object_set_new(*root, "runs", list_runs(comparison));
    json_object_set_new(*root, "configurations", configurations);
    json_t *race = thaw_race_json(comparison);
    if (race)
        json_object_set_new(*root, "race", race);
    if (profiles)
        json_object_set_new(*root, "profiles", profiles);
    return *root ? THAW_OK : thaw_fail(comparison->context, THAW_OUT_OF_MEMORY, "the results");
}

thaw_status thaw_results_write(thaw_comparison *comparison)
{
    if (!comparison->options.results)
        return THAW_OK;
    json_t *root;
    thaw_status status = thaw_results_json(comparison, &root);
    if (status == THAW_OK)
        status = thaw_results_write_json(comparison->context, comparison->options.results, root);
    json_decref(root);
    return status;
}

thaw_status thaw_results_check_place(thaw_comparison *comparison)
{
    thaw_new_file file;
    const thaw_status status = thaw_new_file_create(comparison->context, comparison->options.results, 1, &file);
    if (status == THAW_OK)
        thaw_new_file_discard(&file);
    return status;
}
