/* The summary: for each layer its output, its number of parameters, and how many of them train. */
#include <math.h>
#include <stdio.h>

#include "core/text.h"
#include "graph/model.h"
#include "params/bits.h"
#include "params/expression.h"

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
    entry->optimizer = node->group->optimizer ? thaw_optimizer_module_of(node->group->optimizer)->name : NULL;
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

static void append_row(thaw_text *text, const thaw_summary_entry *entry)
{
    char shape[80], rate[32] = "";
    if (entry->trainable && !isnan(entry->learning_rate))
        snprintf(rate, sizeof rate, "%g %s", entry->learning_rate, entry->optimizer);
    thaw_text_append(text, "%-18s %-22s %-18s %12zu  %-9s %s\n", entry->name, entry->kind,
                     thaw_shape_format(&entry->output_shape, shape, sizeof shape), entry->parameters,
                     trainability(entry), rate);
}

thaw_status thaw_model_summary(thaw_model *model, char **text)
{
    thaw_text table = { .context = model->context };
    thaw_text_append(&table, "%-18s %-22s %-18s %12s  %-9s %s\n", "layer", "kind", "output", "parameters", "trainable",
                     "learning rate");
    for (size_t i = 0; i < model->node_count; i++) {
        thaw_summary_entry entry;
        thaw_model_summary_entry(model, i, &entry);
        append_row(&table, &entry);
    }
    const thaw_summary_totals totals = thaw_model_summary_totals(model);
    thaw_text_append(&table, "total parameters %zu, trainable %zu, non-trainable %zu", totals.total_parameters,
                     totals.trainable_parameters, totals.non_trainable_parameters);
    if (totals.statistics)
        thaw_text_append(&table, ", statistics %zu", totals.statistics);
    thaw_text_append(&table, "\n");
    return thaw_text_finish(&table, text);
}
