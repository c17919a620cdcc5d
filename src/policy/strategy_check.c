/* Whether a strategy fits a model, as far as that can be told before training. */
#include <math.h>

#include "graph/model.h"
#include "policy/strategy.h"

/* Where we are. */
typedef struct place {
    thaw_context *context;
    const thaw_strategy *strategy;
    size_t rule;
} place;

static thaw_status refuse(const place *at, thaw_status status, const char *why)
{
    return thaw_fail(at->context, status, "strategy %s, rule %zu: %s",
                     at->strategy->name ? at->strategy->name : "without a name", at->rule + 1, why);
}

static thaw_status check_fields(const place *at, const thaw_strategy_rule *rule)
{
    const double value = rule->value;
    if (rule->epoch < 0)
        return refuse(at, THAW_INVALID_ARGUMENT, "epoch must not be negative");
    if (!(rule->share >= 0 && rule->share < 1))
        return refuse(at, THAW_INVALID_ARGUMENT, "share must be at least 0 and below 1");
    if (!rule->pattern)
        return refuse(at, THAW_INVALID_ARGUMENT, "a pattern is missing");
    if (!thaw_action_name(rule->action))
        return refuse(at, THAW_INVALID_ARGUMENT, "there is no such action");
    if (thaw_action_has_value(rule->action) && !(isfinite(value) && value >= 0))
        return refuse(at, THAW_INVALID_ARGUMENT, "value must be finite and not negative");
    if (rule->action == THAW_ACTION_LORA && !(value >= 1 && value <= 1e6 && floor(value) == value))
        return refuse(at, THAW_INVALID_ARGUMENT, "value must be a whole number from 1 to 1000000");
    const char *error = thaw_part_error(rule->pattern);
    return error ? thaw_fail(at->context, THAW_INVALID_ARGUMENT, "strategy %s, rule %zu: \"%.200s\": %s",
                             at->strategy->name ? at->strategy->name : "without a name", at->rule + 1, rule->pattern,
                             error)
                 : THAW_OK;
}

static void look_only(void *argument, thaw_selected selected)
{
    (void)argument;
    (void)selected;
}

/* Where a rule adds adapters, later ones may name parameters that are not there yet. */
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
    place at = { .context = model->context, .strategy = strategy };
    if (epochs < 1)
        return thaw_fail(at.context, THAW_INVALID_ARGUMENT, "epochs is %d, must be at least 1", epochs);
    thaw_model_blocks blocks = { 0 };
    bool grows = false;
    thaw_status status = THAW_OK;
    for (; status == THAW_OK && at.rule < strategy->rule_count; at.rule++) {
        const thaw_strategy_rule *rule = &strategy->rules[at.rule];
        status = check_fields(&at, rule);
        if (status != THAW_OK)
            break;
        if (!blocks.of_node && thaw_rule_needs_blocks(rule))
            status = thaw_model_blocks_find(model, head, &blocks);
        if (status == THAW_OK)
            status = check_part(model, &blocks, rule->pattern, epochs, grows);
        if (status != THAW_OK)
            status = refuse(&at, status, thaw_context_message(at.context));
        grows = grows || rule->action == THAW_ACTION_LORA;
    }
    thaw_model_blocks_release(at.context, &blocks);
    return status;
}
