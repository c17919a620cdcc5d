/* The summary: for each layer its output, its number of parameters, and how many of them train. */
#include <math.h>
#include <string.h>

#include "core/text.h"
#include "graph/model.h"
#include "params/bits.h"
#include "params/expression.h"
#include "params/optimizer.h"

static void count_parameter(thaw_summary_entry *entry, const thaw_parameter *parameter)
{
    if (parameter->role == THAW_STATISTIC)
        entry->statistics += parameter->count;
    else
        entry->parameters += parameter->count;
    if (thaw_parameter_trainable(parameter))
        entry->trainable += parameter->count - thaw_count_bits(parameter->frozen_elements, parameter->count);
}

static void count_stored(void *argument, thaw_expression *expression)
{
    if (expression->parameter)
        count_parameter(argument, expression->parameter);
}

/* Visits everything that the layer's parameters are computed from, each stored tensor once. */
static void count_layer(thaw_parameter_set *set, const thaw_group *group, thaw_summary_entry *entry)
{
    thaw_note *seen = thaw_set_notes(set);
    for (size_t i = 0; i < group->parameter_count; i++)
        thaw_expression_visit(thaw_parameter_expression(group->parameters[i]), seen, count_stored, entry);
}

/* The module that updates some of the group's parameters instead of its optimizer's. */
static const char *fallback_of(const thaw_group *group)
{
    for (size_t i = 0; group->optimizer && i < group->parameter_count; i++) {
        const thaw_parameter *parameter = group->parameters[i];
        if (parameter->role != THAW_STATISTIC && thaw_parameter_module(parameter) != group->optimizer->module)
            return thaw_parameter_module(parameter)->name;
    }
    return NULL;
}

thaw_status thaw_model_summary_entry(thaw_model *model, size_t index, thaw_summary_entry *entry)
{
    if (index >= model->node_count)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "summary: entry is %zu, must be below %zu", index,
                         model->node_count);
    const thaw_graph_node *node = &model->nodes[index];
    *entry = (thaw_summary_entry){
        .name = node->name,
        .kind = node->module ? node->module->name : "input",
        .output_shape = node->output,
        .learning_rate = NAN,
    };
    if (!node->group)
        return THAW_OK;
    count_layer(&model->parameters, node->group, entry);
    entry->trainability = thaw_group_trainability(node->group);
    entry->learning_rate = thaw_group_learning_rate(node->group);
    entry->optimizer = node->group->optimizer ? thaw_optimizer_name(node->group->optimizer) : NULL;
    entry->fallback = fallback_of(node->group);
    return THAW_OK;
}

thaw_summary_totals thaw_model_summary_totals(const thaw_model *model)
{
    thaw_summary_entry sum = { 0 };
    for (size_t i = 0; i < model->parameters.parameter_count; i++)
        if (model->parameters.parameters[i]->in_use)
            count_parameter(&sum, model->parameters.parameters[i]);
    return (thaw_summary_totals){
        .total_parameters = sum.parameters,
        .trainable_parameters = sum.trainable,
        .non_trainable_parameters = sum.parameters - sum.trainable,
        .statistics = sum.statistics,
    };
}

static const char *trainability(const thaw_summary_entry *entry)
{
    return entry->parameters == 0 ? "" : thaw_trainability_name(entry->trainability);
}

/* ", adamw for bias": the parameters that the optimizer does not suit. */
static void append_fallback(thaw_text *text, const thaw_group *group)
{
    bool any = false;
    for (size_t i = 0; i < group->parameter_count; i++) {
        const thaw_parameter *parameter = group->parameters[i];
        const thaw_optimizer_module *module = thaw_parameter_module(parameter);
        const char *dot = strrchr(parameter->name, '.');
        if (parameter->role == THAW_STATISTIC || module == group->optimizer->module)
            continue;
        if (any)
            thaw_text_append(text, " and ");
        else
            thaw_text_append(text, ", %s for ", module->name);
        thaw_text_append(text, "%s", dot ? dot + 1 : parameter->name);
        any = true;
    }
}

static void append_row(thaw_text *text, const thaw_summary_entry *entry, const thaw_group *group)
{
    char shape[80];
    thaw_text_append(text, "%-18s %-22s %-18s %12zu  %-9s ", entry->name, entry->kind,
                     thaw_shape_format(&entry->output_shape, shape, sizeof shape), entry->parameters,
                     trainability(entry));
    if (entry->trainable && !isnan(entry->learning_rate)) {
        thaw_text_append(text, "%g %s", entry->learning_rate, entry->optimizer);
        append_fallback(text, group);
    }
    thaw_text_append(text, "\n");
}

thaw_status thaw_model_summary(thaw_model *model, char **text)
{
    thaw_text table = { .context = model->context };
    thaw_text_append(&table, "%-18s %-22s %-18s %12s  %-9s %s\n", "layer", "kind", "output", "parameters", "trainable",
                     "learning rate");
    for (size_t i = 0; i < model->node_count; i++) {
        thaw_summary_entry entry;
        thaw_model_summary_entry(model, i, &entry);
        append_row(&table, &entry, model->nodes[i].group);
    }
    const thaw_summary_totals totals = thaw_model_summary_totals(model);
    thaw_text_append(&table, "total parameters %zu, trainable %zu, non-trainable %zu", totals.total_parameters,
                     totals.trainable_parameters, totals.non_trainable_parameters);
    if (totals.statistics)
        thaw_text_append(&table, ", statistics %zu", totals.statistics);
    thaw_text_append(&table, "\n");
    return thaw_text_finish(&table, text);
}
