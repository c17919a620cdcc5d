#include "policy/strategy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"

enum { PATTERN_BYTES = 64 };

static const char *const actions[] = {
    [THAW_ACTION_FREEZE] = "freeze", [THAW_ACTION_UNFREEZE] = "unfreeze", [THAW_ACTION_RESET] = "reset",
    [THAW_ACTION_RATE] = "rate",     [THAW_ACTION_DECAY] = "decay",       [THAW_ACTION_LORA] = "lora",
};

const char *thaw_action_name(thaw_action action)
{
    return (size_t)action < THAW_COUNT(actions) ? actions[action] : NULL;
}

bool thaw_action_has_value(thaw_action action)
{
    return action == THAW_ACTION_RATE || action == THAW_ACTION_DECAY || action == THAW_ACTION_LORA;
}

static char *copy_pattern(thaw_context *context, const char *pattern, int n)
{
    char with[PATTERN_BYTES];
    const size_t length = strlen(pattern);
    if (n == 0 || length < 2 || strcmp(pattern + length - 2, ":N") != 0)
        return thaw_copy_text(context, pattern);
    snprintf(with, sizeof with, "%.*s%d", (int)length - 1, pattern, n);
    return thaw_copy_text(context, with);
}

void thaw_strategy_destroy(thaw_context *context, thaw_strategy *strategy)
{
    if (!strategy)
        return;
    for (size_t i = 0; strategy->rules && i < strategy->rule_count; i++)
        thaw_release(context, (void *)(uintptr_t)strategy->rules[i].pattern);
    thaw_release(context, (void *)(uintptr_t)strategy->rules);
    thaw_release(context, (void *)(uintptr_t)strategy->name);
    thaw_release(context, (void *)(uintptr_t)strategy->description);
    thaw_release(context, strategy);
}

thaw_status thaw_strategy_copy(thaw_context *context, const thaw_strategy *from, const char *name, int n,
                               thaw_strategy **copy)
{
    *copy = NULL;
    thaw_strategy *made = thaw_allocate_array(context, 1, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    thaw_strategy_rule *rules = thaw_allocate_array(context, from->rule_count + 1, sizeof *rules);
    *made = (thaw_strategy){ .name = thaw_copy_text(context, name),
                             .description = thaw_copy_text(context, from->description),
                             .rules = rules,
                             .rule_count = from->rule_count };
    bool whole = rules && made->name && made->description;
    for (size_t i = 0; whole && i < from->rule_count; i++) {
        rules[i] = from->rules[i];
        rules[i].value = isnan(from->rules[i].value) ? n : from->rules[i].value;
        rules[i].pattern = copy_pattern(context, from->rules[i].pattern, n);
        whole = rules[i].pattern != NULL;
    }
    if (!whole) {
        thaw_strategy_destroy(context, made);
        return THAW_OUT_OF_MEMORY;
    }
    *copy = made;
    return THAW_OK;
}
