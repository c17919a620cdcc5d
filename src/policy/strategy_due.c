/* Which rules are due in an epoch, and what their parts select in a model. */
#include <math.h>
#include <string.h>

#include "core/pattern.h"
#include "graph/model.h"
#include "policy/strategy.h"

static bool is_due(const thaw_strategy_rule *rule, thaw_part_epoch when)
{
    if (rule->epoch)
        return rule->epoch == when.epoch;
    if (rule->share > 0)
        return when.epoch == 1 + (int)ceil(rule->share * when.epochs);
    return true;
}

bool thaw_rule_needs_blocks(const thaw_strategy_rule *rule)
{
    return rule->pattern[0] == '@' || rule->action == THAW_ACTION_RATE || rule->action == THAW_ACTION_DECAY;
}

static thaw_status fail(const thaw_strategy *strategy, thaw_context *context, thaw_part_epoch when, thaw_status status)
{
    const char *name = strategy->name ? strategy->name : "without a name";
    return thaw_fail(context, status, "strategy %s, epoch %d: %s", name, when.epoch, thaw_context_message(context));
}

thaw_status thaw_strategy_visit(const thaw_strategy *strategy, thaw_model *model, const char *head,
                                thaw_part_epoch when,
                                thaw_status (*visit)(void *argument, thaw_model *model, const thaw_due_rule *due),
                                void *argument)
{
    thaw_context *context = model->context;
    thaw_model_blocks blocks = { 0 };
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && i < strategy->rule_count; i++) {
        const thaw_strategy_rule *rule = &strategy->rules[i];
        thaw_due_rule due = { .rule = rule, .blocks = &blocks };
        if (!is_due(rule, when))
            continue;
        if (!blocks.of_node && thaw_rule_needs_blocks(rule))
            status = thaw_model_blocks_find(model, head, &blocks);
        if (status == THAW_OK)
            status = thaw_part_resolve(model, &blocks, rule->pattern, when, &due.pattern);
        if (status == THAW_OK && due.pattern)
            status = visit(argument, model, &due);
        thaw_text_destroy(context, due.pattern);
    }
    thaw_model_blocks_release(context, &blocks);
    return status == THAW_OK ? THAW_OK : fail(strategy, context, when, status);
}

char *thaw_pattern_cut(char **rest)
{
    char *piece = *rest;
    if (!piece)
        return NULL;
    char *end = strlen(piece) > THAW_LONGEST_PATTERN ? piece + THAW_LONGEST_PATTERN : NULL;
    while (end && end > piece && *end != '|')
        end--;
    if (end)
        *end = '\0';
    *rest = end && end > piece ? end + 1 : NULL;
    return piece;
}

/* ---------------------------------------------------------------- parameters that will thaw */

typedef struct search {
    void (*found)(void *argument, thaw_selected selected);
    void *argument;
} search;

/* A part whose names no longer exist, or do not exist yet, selects nothing. */
static thaw_status find_thawed(void *argument, thaw_model *model, const thaw_due_rule *due)
{
    const search *wanted = argument;
    const thaw_action action = due->rule->action;
    char *rest = due->pattern;
    if (action == THAW_ACTION_UNFREEZE || action == THAW_ACTION_RESET || action == THAW_ACTION_LORA)
        for (const char *piece; (piece = thaw_pattern_cut(&rest));)
            thaw_set_select(&model->parameters, piece, wanted->found, wanted->argument);
    return THAW_OK;
}

void thaw_strategy_find_thawed(const thaw_strategy *strategy, thaw_model *model, const char *head, thaw_part_epoch when,
                               void (*found)(void *argument, thaw_selected selected), void *argument)
{
    search wanted = { found, argument };
    thaw_strategy_visit(strategy, model, head, when, find_thawed, &wanted);
}
