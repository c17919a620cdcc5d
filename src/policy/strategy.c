#include "policy/strategy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/nearest.h"
#include "core/number.h"
#include "policy/strategies.h"

enum { MOST_NAMES = 64, PATTERN_BYTES = 64, MOST_NUMBER = 1000000 };

/* As users write it, for listings. */
static const char *const written[] = { "full",      "head",        "last2", "gradual",  "discriminative", "bias-only",
                                       "norm-only", "lora:rank=8", "lp-ft", "surgical", "top-down",       "scratch" };

const char *thaw_strategy_builtin(size_t index)
{
    return index < THAW_COUNT(written) ? written[index] : NULL;
}

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

/* ---------------------------------------------------------------- copies */

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

/* ---------------------------------------------------------------- by name */

/* Whether a name belongs to the template; *n is its number, or -1 if invalid. */
static bool matches(const thaw_strategy_template *template, const char *name, int *n)
{
    const size_t length = strlen(template->strategy.name);
    *n = template->initial;
    if (strncmp(name, template->strategy.name, length) != 0)
        return false;
    name += length;
    if (!*name)
        return !template->parameter || template->initial;
    if (!template->parameter)
        return false;
    const size_t between = strlen(template->parameter);
    double value;
    if (strncmp(name, template->parameter, between) != 0)
        return false;
    name += between;
    const bool number =
        thaw_parse_number(name, strlen(name), &value) && value >= 1 && value <= MOST_NUMBER && value == floor(value);
    *n = number ? (int)value : -1;
    return number || between > 0;
}

static thaw_status fail_unknown(thaw_context *context, const char *name, thaw_strategy *const *own, size_t own_count)
{
    const char *known[MOST_NAMES];
    size_t count = 0;
    for (size_t i = 0; i < own_count && count < MOST_NAMES - THAW_COUNT(written); i++)
        known[count++] = own[i]->name;
    for (size_t i = 0; i < THAW_COUNT(written); i++)
        known[count++] = written[i];
    return thaw_fail_unknown(context, "strategy", name, known, count);
}

static thaw_status create(thaw_context *context, const char *name, thaw_strategy *const *own, size_t own_count,
                          thaw_strategy **strategy)
{
    for (size_t i = 0; i < own_count; i++)
        if (strcmp(own[i]->name, name) == 0)
            return thaw_strategy_copy(context, own[i], name, 0, strategy);
    for (size_t i = 0; i < thaw_strategy_template_count; i++) {
        const thaw_strategy_template *template = &thaw_strategy_templates[i];
        int n;
        if (!matches(template, name, &n))
            continue;
        if (n < 0)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "strategy \"%.100s\": must end in a whole number from 1",
                             name);
        return thaw_strategy_copy(context, &template->strategy, name, n, strategy);
    }
    return fail_unknown(context, name, own, own_count);
}

/* Whether a file has exactly one strategy, which then needs no name. */
static thaw_status check_alone(thaw_context *context, const char *path, thaw_strategy *const *own, size_t count)
{
    char names[200] = "";
    for (size_t i = 0, length = 0; i < count && length < sizeof names; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "", own[i]->name);
    if (count == 1)
        return THAW_OK;
    return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: has %zu strategies, choose one by name%s%s",
                     path ? path : "no file", count, count ? ": " : "", names);
}

thaw_status thaw_strategy_create(thaw_context *context, const char *name, const char *path, thaw_strategy **strategy)
{
    *strategy = NULL;
    thaw_strategy **own = NULL;
    size_t count = 0;
    thaw_status status = path ? thaw_strategy_read(context, path, &own, &count) : THAW_OK;
    if (status == THAW_OK && !name)
        status = check_alone(context, path, own, count);
    if (status == THAW_OK)
        status = create(context, name ? name : own[0]->name, own, count, strategy);
    thaw_strategy_release_all(context, own, count);
    return status;
}
