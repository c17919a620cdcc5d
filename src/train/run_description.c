#include "train/run_description.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/digest.h"
#include "data/dataset.h"
#include "graph/model.h"
#include "params/bits.h"
#include "params/expression.h"
#include "params/optimizer.h"
#include "policy/policy.h"

static void append_digest(thaw_text *text, const thaw_digest *digest)
{
    thaw_text_append(text, "%016" PRIx64 "%016" PRIx64, digest->lane[0], digest->lane[1]);
}

static void append_shape(thaw_text *text, const thaw_shape *shape)
{
    char characters[80];
    thaw_text_append(text, "%s", thaw_shape_format(shape, characters, sizeof characters));
}

/* ---------------------------------------------------------------- options */

static void describe_schedule(const thaw_schedule *schedule, thaw_text *text)
{
    static const char *const names[] = { "constant", "step", "cosine", "one-cycle" };
    const double values[] = { schedule->warmup_epochs, schedule->gamma,         schedule->every,      schedule->floor,
                              schedule->rising,        schedule->start_divisor, schedule->end_divisor };
    thaw_lines_begin(text, "schedule", NULL, NULL);
    thaw_text_append(text, "%s", (size_t)schedule->kind < THAW_COUNT(names) ? names[schedule->kind] : "unknown");
    for (size_t i = 0; i < THAW_COUNT(values); i++) {
        thaw_text_append(text, " ");
        thaw_lines_append_real(text, values[i]);
    }
    thaw_text_append(text, "\n");
}

static void describe_strategy(const thaw_strategy *strategy, thaw_text *text)
{
    thaw_digest rules = { 0 };
    for (size_t i = 0; strategy && i < strategy->rule_count; i++) {
        const thaw_strategy_rule *rule = &strategy->rules[i];
        thaw_digest_add_number(&rules, (uint64_t)rule->epoch);
        thaw_digest_add(&rules, &rule->share, sizeof rule->share);
        thaw_digest_add_text(&rules, rule->pattern);
        thaw_digest_add_number(&rules, (uint64_t)rule->action);
        thaw_digest_add(&rules, &rule->value, thaw_action_has_value(rule->action) ? sizeof rule->value : 0);
    }
    thaw_lines_begin(text, "strategy", NULL, NULL);
    thaw_lines_escape(text, !strategy ? "none" : strategy->name ? strategy->name : "without a name");
    if (strategy) {
        thaw_text_append(text, ", %zu rules ", strategy->rule_count);
        append_digest(text, &rules);
    }
    thaw_text_append(text, "\n");
}

/* Earlier versions had no such line. */
static void describe_policy(const thaw_fit_options *options, thaw_text *text)
{
    if (!options->policy)
        return;
    thaw_lines_begin(text, "policy", NULL, NULL);
    thaw_lines_escape(text, options->policy->module.name);
    for (size_t i = 0; i < options->policy->module.setting_count; i++) {
        thaw_text_append(text, i ? "," : ":");
        thaw_lines_escape(text, options->policy->module.settings[i].name);
        thaw_text_append(text, "=");
        thaw_lines_append_real(text, options->policy->settings[i]);
    }
    thaw_text_append(text, ", head ");
    thaw_lines_escape(text, options->head ? options->head : "on top");
    thaw_text_append(text, "\n");
}

/* Earlier versions had no such lines. */
static void describe_mixing(const thaw_mixing_options *mixing, thaw_text *text)
{
    if (mixing->mixup > 0)
        thaw_lines_add_real(text, "mixup", mixing->mixup);
    if (mixing->cutmix > 0)
        thaw_lines_add_real(text, "cutmix", mixing->cutmix);
    if (mixing->feature_mixup > 0)
        thaw_lines_add_real(text, "mixup of features", mixing->feature_mixup);
    if (mixing->feature_noise > 0)
        thaw_lines_add_real(text, "noise of features", mixing->feature_noise);
}

static void describe_options(const thaw_trainer *trainer, thaw_text *text)
{
    static const char *const levels[] = { "any", "baseline", "v3", "v4", "v4 with bf16" };
    const thaw_fit_options *options = &trainer->options;
    const thaw_model *model = trainer->model;
    const size_t level = (size_t)model->context->level;
    const char *description = options->checkpoint.description;
    thaw_lines_add_text(text, "version of Thaw", thaw_version());
    thaw_lines_add_number(text, "threads", (uint64_t)model->context->most_threads);
    thaw_lines_add_text(text, "CPU level", level < THAW_COUNT(levels) ? levels[level] : "unknown");
    thaw_lines_add_number(text, "epochs", (uint64_t)options->epochs);
    thaw_lines_add_text(text, "description", description ? description : "none");
    thaw_lines_add_number(text, "batch", (uint64_t)options->batch);
    thaw_lines_add_number(text, "shards", (uint64_t)options->shards);
    if (model->syncs) /* earlier versions had no such line */
        thaw_lines_add_text(text, "batch normalisation", "by all shards");
    thaw_lines_add_text(text, "last, smaller batch", options->drop_last ? "dropped" : "used");
    thaw_lines_add_text(text, "order of the data", options->no_shuffle ? "as it is" : "shuffled");
    thaw_lines_add_number(text, "seed", options->seed);
    thaw_lines_add_number(text, "seed of the context", model->context->seed);
    thaw_lines_add_real(text, "clip norm", options->clip_norm);
    if (options->average_decay > 0) /* earlier versions had no such line */
        thaw_lines_add_real(text, "decay of averaged weights", options->average_decay);
    if (options->test_every > 1) /* nor such a line */
        thaw_lines_add_number(text, "epochs from test to test", (uint64_t)options->test_every);
    describe_mixing(&options->mixing, text);
    thaw_lines_add_text(text, "head", options->head ? options->head : "none");
    thaw_lines_add_text(text, "cached features", options->cache_dtype == THAW_BF16 ? "bf16" : "f32");
    thaw_lines_add_text(text, "monitored figure", thaw_monitor_name(options->best.monitor));
    describe_schedule(&options->schedule, text);
    describe_strategy(options->strategy, text);
    describe_policy(options, text);
}

/* ---------------------------------------------------------------- the network */

static void describe_network(const thaw_model *model, thaw_text *text)
{
    const thaw_precision *precision = &model->precision;
    thaw_lines_add_text(text, "precision", precision->all == THAW_BF16 ? "bf16" : "f32");
    thaw_lines_add_text(text, "precision of the frozen prefix", precision->frozen == THAW_BF16 ? "bf16" : "f32");
    thaw_lines_add_number(text, "layers", model->node_count);
    for (size_t i = 0; i < model->node_count; i++) {
        const thaw_graph_node *node = &model->nodes[i];
        thaw_lines_begin(text, "layer", node->name, NULL);
        thaw_text_append(text, "%s of", node->module ? node->module->name : "input");
        for (size_t k = 0; k < node->input_count; k++)
            thaw_text_append(text, " %d", (int)node->inputs[k]);
        thaw_text_append(text, " gives ");
        append_shape(text, &node->output);
        thaw_text_append(text, "\n");
    }
}

static void describe_parameters(const thaw_model *model, thaw_text *text)
{
    static const char *const overrides[] = { "", ", frozen by itself", ", trainable by itself" };
    for (size_t i = 0; i < model->parameters.parameter_count; i++) {
        const thaw_parameter *parameter = model->parameters.parameters[i];
        thaw_lines_begin(text, "parameter", parameter->name, NULL);
        append_shape(text, &parameter->shape);
        thaw_text_append(text, "%s", overrides[parameter->override]);
        if (parameter->frozen_elements) {
            thaw_digest slices = { 0 };
            thaw_digest_add(&slices, parameter->frozen_elements, thaw_bit_words(parameter->count) * sizeof(uint64_t));
            thaw_text_append(text, ", frozen slices ");
            append_digest(text, &slices);
        }
        if (parameter->bound) {
            thaw_text_append(text, ", computed as ");
            thaw_run_append_binding(text, parameter);
        }
        thaw_text_append(text, "\n");
    }
}

static void describe_optimizer(const thaw_optimizer *optimizer, thaw_text *text)
{
    thaw_setting setting;
    thaw_lines_escape(text, optimizer->name);
    for (size_t i = 0; thaw_optimizer_setting(optimizer, i, &setting); i++) {
        thaw_text_append(text, i || strchr(optimizer->name, ':') ? "," : ":");
        thaw_lines_escape(text, setting.name);
        thaw_text_append(text, "=");
        thaw_lines_append_real(text, *setting.value);
    }
}

static void describe_groups(const thaw_model *model, thaw_text *text)
{
    for (size_t i = 0; i < model->parameters.group_count; i++) {
        const thaw_group *group = model->parameters.groups[i];
        thaw_lines_begin(text, "group", group->name, NULL);
        thaw_text_append(text, "%s, rate ", group->trainable ? "trainable" : "frozen");
        thaw_lines_append_real(text, group->learning_rate);
        thaw_text_append(text, ", weight decay ");
        thaw_lines_append_real(text, group->weight_decay);
        thaw_text_append(text, ", ");
        if (group->optimizer)
            describe_optimizer(group->optimizer, text);
        else
            thaw_text_append(text, "no optimizer");
        thaw_text_append(text, "\n");
    }
}

thaw_status thaw_run_describe(thaw_trainer *trainer)
{
    thaw_text text = { .context = trainer->model->context };
    describe_options(trainer, &text);
    describe_network(trainer->model, &text);
    describe_parameters(trainer->model, &text);
    describe_groups(trainer->model, &text);
    return thaw_text_finish(&text, &trainer->description);
}

/* ---------------------------------------------------------------- bindings */

static void add_expression(void *argument, thaw_expression *expression)
{
    thaw_digest *digest = argument;
    thaw_digest_add(digest, expression->shape.dims, (size_t)expression->shape.rank * sizeof *expression->shape.dims);
    thaw_digest_add(digest, &expression->factor, sizeof expression->factor);
    thaw_digest_add_number(digest, (uint64_t)expression->axis);
    thaw_digest_add_number(digest, (uint64_t)expression->begin);
    thaw_digest_add_number(digest, expression->operand_count);
    thaw_digest_add_text(digest, expression->parameter ? expression->parameter->name : "");
    if (expression->mask)
        thaw_digest_add(digest, expression->mask, expression->count);
    if (!expression->operation && !expression->parameter)
        thaw_digest_add(digest, expression->value, expression->count * sizeof *expression->value);
}

void thaw_run_append_binding(thaw_text *text, const thaw_parameter *parameter)
{
    thaw_text formula = { .context = text->context };
    thaw_digest digest = { 0 };
    char *characters;
    thaw_expression_append(parameter->bound, false, &formula);
    text->failed = thaw_text_finish(&formula, &characters) != THAW_OK || text->failed;
    if (text->failed)
        return;
    thaw_expression_visit(parameter->bound, thaw_set_notes(parameter->bound->set), add_expression, &digest);
    thaw_lines_escape(text, characters);
    thaw_text_append(text, " ");
    append_digest(text, &digest);
    thaw_release(text->context, characters);
}

/* ---------------------------------------------------------------- the data */

thaw_status thaw_run_describe_data(thaw_trainer *trainer)
{
    thaw_dataset *dataset = trainer->dataset;
    const thaw_source *source = &dataset->source;
    thaw_context *context = trainer->model->context;
    thaw_text text = { .context = context };
    thaw_digest digest = { 0 };
    if (trainer->describes_data)
        return THAW_OK;
    thaw_status status = thaw_dataset_identify(dataset, &digest);
    if (status != THAW_OK)
        return status;
    thaw_text_append(&text, "%s", trainer->description);
    thaw_lines_add_number(&text, "samples", source->count);
    thaw_lines_add_number(&text, "classes", source->classes);
    thaw_lines_begin(&text, "samples of the data", NULL, NULL);
    append_shape(&text, &source->sample_shape);
    thaw_text_append(&text, "%s", source->random ? ", random" : "");
    if (source->views)
        thaw_text_append(&text, " in %zu views", source->views);
    thaw_text_append(&text, "\n");
    thaw_lines_begin(&text, "content of the data", NULL, NULL);
    append_digest(&text, &digest);
    thaw_text_append(&text, "\n");
    char *whole;
    status = thaw_text_finish(&text, &whole);
    if (status != THAW_OK)
        return status;
    thaw_release(context, trainer->description);
    trainer->description = whole;
    trainer->describes_data = true;
    return THAW_OK;
}
