/* What rules do to a model. */
#include <math.h>
#include <string.h>

#include "core/pattern.h"
#include "graph/model.h"
#include "policy/part.h"

static bool is_due(const thaw_strategy_rule *rule, int epoch, int epochs)
{
    if (rule->epoch)
        return rule->epoch == epoch;
    if (rule->share > 0)
        return epoch == 1 + (int)ceil(rule->share * epochs);
    return true;
}

static bool is_selected(const thaw_group *group, const char *pattern)
{
    for (size_t i = 0; i < group->parameter_count; i++)
        if (thaw_parameter_selected(group->parameters[i], pattern))
            return true;
    return false;
}

/* Multiplies learning rates of the selected layers by the rule's value, or for decay by its power. */
static thaw_status scale_rates(thaw_model *model, const thaw_model_blocks *blocks, const char *pattern,
                               const thaw_strategy_rule *rule)
{
    thaw_trainability ignored;
    thaw_status status = thaw_model_trainability(model, pattern, &ignored);
    for (size_t i = 0; i < model->node_count && status == THAW_OK; i++) {
        const thaw_group *group = model->nodes[i].group;
        if (!group || !blocks->of_node[i] || !is_selected(group, pattern))
            continue;
        const double above = (double)(blocks->count - blocks->of_node[i]);
        const double factor = pow(rule->value, rule->action == THAW_ACTION_DECAY ? above : 1);
        status = thaw_select_learning_rate(model, group->name, factor * thaw_group_learning_rate(group));
    }
    return status;
}

static thaw_status run(const thaw_strategy_rule *rule, thaw_model *model, const thaw_model_blocks *blocks,
                       const char *pattern)
{
    switch (rule->action) {
    case THAW_ACTION_FREEZE:
        return thaw_model_freeze(model, pattern);
    case THAW_ACTION_UNFREEZE:
        return thaw_model_unfreeze(model, pattern);
    case THAW_ACTION_RESET:
        return thaw_model_reset(model, pattern);
    case THAW_ACTION_LORA:
        return thaw_lora(model, pattern, (int64_t)rule->value, rule->value);
    case THAW_ACTION_RATE:
    case THAW_ACTION_DECAY:
        break;
    }
    return scale_rates(model, blocks, pattern, rule);
}

/* The alternatives of a part's pattern, as many at a time as a pattern may be long: a deep network has hundreds. Adapters
   want one layer in all of them that takes one. */
static thaw_status run_in_pieces(const thaw_strategy_rule *rule, thaw_model *model, const thaw_model_blocks *blocks,
                                 char *pattern)
{
    bool done = false;
    thaw_status status = THAW_OK;
    for (char *piece = pattern; piece && status == THAW_OK;) {
        char *end = strlen(piece) > THAW_LONGEST_PATTERN ? piece + THAW_LONGEST_PATTERN : NULL;
        while (end && end > piece && *end != '|')
            end--;
        if (end)
            *end = '\0';
        status = run(rule, model, blocks, piece);
        done = done || status == THAW_OK;
        piece = end && end > piece ? end + 1 : NULL;
        if (status == THAW_NOT_FOUND && rule->action == THAW_ACTION_LORA && (done || piece))
            status = THAW_OK;
    }
    return status;
}

thaw_status thaw_strategy_apply(const thaw_strategy *strategy, thaw_model *model, const char *head, int epoch,
                                int epochs)
{
    thaw_context *context = model->context;
    if (epochs < 1 || epoch < 1 || epoch > epochs)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "epoch %d of %d", epoch, epochs);
    thaw_model_blocks blocks;
    thaw_status status = thaw_model_blocks_find(model, head, &blocks);
    for (size_t i = 0; status == THAW_OK && i < strategy->rule_count; i++) {
        const thaw_strategy_rule *rule = &strategy->rules[i];
        char *pattern = NULL;
        if (!is_due(rule, epoch, epochs))
            continue;
        status = thaw_part_resolve(model, &blocks, rule->pattern, (thaw_part_epoch){ epoch, epochs }, &pattern);
        if (status == THAW_OK && pattern)
            status = rule->pattern[0] == '@' ? run_in_pieces(rule, model, &blocks, pattern)
                                             : run(rule, model, &blocks, pattern);
        thaw_text_destroy(context, pattern);
    }
    thaw_model_blocks_release(context, &blocks);
    return status == THAW_OK ? status
                             : thaw_fail(context, status, "strategy %s, epoch %d: %s", strategy->name, epoch,
                                         thaw_context_message(context));
}
