/* Applies rules to a model. */
#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "graph/model.h"
#include "policy/strategy.h"

static bool is_selected(const thaw_group *group, const char *pattern)
{
    for (size_t i = 0; i < group->parameter_count; i++)
        if (thaw_parameter_selected(group->parameters[i], pattern))
            return true;
    return false;
}

/* Multiplies the learning rates of the selected layers by the rule's value, or for decay by a power of it. */
static thaw_status scale_rates(thaw_model *model, const thaw_due_rule *due, const char *pattern)
{
    const thaw_strategy_rule *rule = due->rule;
    const thaw_model_blocks *blocks = due->blocks;
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

static thaw_status act(thaw_model *model, const thaw_due_rule *due, const char *pattern)
{
    const thaw_strategy_rule *rule = due->rule;
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
    return scale_rates(model, due, pattern);
}

/* Acts on a part's pattern, piece by piece. For adapters, one suitable layer in all pieces together is enough. */
static thaw_status act_in_pieces(thaw_model *model, const thaw_due_rule *due, char *pattern)
{
    bool done = false;
    thaw_status status = THAW_OK;
    char *rest = pattern;
    for (const char *piece; status == THAW_OK && (piece = thaw_pattern_cut(&rest));) {
        status = act(model, due, piece);
        done = done || status == THAW_OK;
        if (status == THAW_NOT_FOUND && due->rule->action == THAW_ACTION_LORA && (done || rest))
            status = THAW_OK;
    }
    return status;
}

typedef struct listener {
    int epoch;
    void (*on_rule)(void *user, const thaw_rule_effect *effect);
    void *user;
} listener;

static thaw_status apply(void *argument, thaw_model *model, const thaw_due_rule *due)
{
    const listener *told = argument;
    char *pieces = NULL;
    thaw_status status;
    if (due->rule->pattern[0] == '@') {
        pieces = thaw_copy_text(model->context, due->pattern);
        status = pieces ? act_in_pieces(model, due, pieces) : THAW_OUT_OF_MEMORY;
        thaw_release(model->context, pieces);
    } else {
        status = act(model, due, due->pattern);
    }
    if (status == THAW_OK && told->on_rule) {
        const thaw_rule_effect effect = {
            .epoch = told->epoch,
            .rule = due->rule,
            .pattern = due->pattern,
            .trainable_parameters = thaw_model_summary_totals(model).trainable_parameters,
        };
        told->on_rule(told->user, &effect);
    }
    return status;
}

thaw_status thaw_strategy_run(const thaw_strategy *strategy, thaw_model *model, const char *head, thaw_part_epoch when,
                              void (*on_rule)(void *user, const thaw_rule_effect *effect), void *user)
{
    if (when.epochs < 1 || when.epoch < 1 || when.epoch > when.epochs)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "epoch is %d, must be from 1 to %d", when.epoch,
                         when.epochs);
    listener told = { when.epoch, on_rule, user };
    return thaw_strategy_visit(strategy, model, head, when, apply, &told);
}

thaw_status thaw_strategy_apply(const thaw_strategy *strategy, thaw_model *model, const char *head, int epoch,
                                int epochs)
{
    return thaw_strategy_run(strategy, model, head, (thaw_part_epoch){ epoch, epochs }, NULL, NULL);
}
