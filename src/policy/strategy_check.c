/* Checks a strategy against a model, as far as possible before training. */
#include <math.h>

#include "graph/model.h"
#include "policy/strategy.h"

thaw_status thaw_rule_check(thaw_context *context, const thaw_strategy_rule *rule)
{
    const double value = rule->value;
    const char *why = NULL;
    if (rule->epoch < 0)
        why = "epoch must not be negative";
    else if (!(rule->share >= 0 && rule->share < 1))
        why = "share must be at least 0 and below 1";
    else if (!rule->pattern)
        why = "pattern is missing";
    else if (!thaw_action_name(rule->action))
        why = "action must be a thaw_action";
    else if (thaw_action_has_value(rule->action) && !(isfinite(value) && value >= 0))
        why = "value must be finite and not negative";
    else if (rule->action == THAW_ACTION_LORA && !(value >= 1 && value <= 1e6 && floor(value) == value))
        why = "value must be a whole number from 1 to 1000000";
    if (why)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s", why);
    why = thaw_part_error(rule->pattern);
    return why ? thaw_fail(context, THAW_INVALID_ARGUMENT, "\"%.200s\": %s", rule->pattern, why) : THAW_OK;
}

static void look_only(void *argument, thaw_selected selected)
{
    (void)argument;
    (void)selected;
}

/* After a rule that adds adapters, patterns may name parameters that do not exist yet. */
static thaw_status check_part(thaw_model *model, const thaw_model_blocks *blocks, const char *part, int epochs,
                              bool grows)
{
    if (part[0] != '@')
        return grows ? THAW_OK : thaw_set_select(&model->parameters, part, look_only, NULL);
    char *pattern;
    const thaw_status status =
        thaw_part_resolve(model, blocks, part, (thaw_part_epoch){ .epoch = 1, .epochs = epochs }, &pattern);
    thaw_text_destroy(model->context, pattern);
    return status;
}

thaw_status thaw_strategy_check(const thaw_strategy *strategy, thaw_model *model, const char *head, int epochs)
{
    thaw_context *context = model->context;
    if (epochs < 1)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "epochs is %d, must be at least 1", epochs);
    thaw_model_blocks blocks = { 0 };
    bool grows = false;
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && i < strategy->rule_count; i++) {
        const thaw_strategy_rule *rule = &strategy->rules[i];
        status = thaw_rule_check(context, rule);
        if (status == THAW_OK && !blocks.of_node && thaw_rule_needs_blocks(rule))
            status = thaw_model_blocks_find(model, head, &blocks);
        if (status == THAW_OK)
            status = check_part(model, &blocks, rule->pattern, epochs, grows);
        if (status != THAW_OK)
            status =
                thaw_fail(context, status, "strategy %s, rule %zu: %s",
                          strategy->name ? strategy->name : "without a name", i + 1, thaw_context_message(context));
        grows = grows || rule->action == THAW_ACTION_LORA;
    }
    thaw_model_blocks_release(context, &blocks);
    return status;
}
