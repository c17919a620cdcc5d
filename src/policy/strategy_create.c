/* Strategies by name: those of a file, and those that are built in. */
#include <math.h>
#include <string.h>

#include "core/enumeration.h"
#include "core/nearest.h"
#include "core/number.h"
#include "policy/strategies.h"
#include "policy/strategy.h"

enum { MOST_NAMES = 64, MOST_NUMBER = 1000000 };

/* As users write it, for listings. */
static const char *const written[] = { "full",      "head",        "last2", "gradual",  "discriminative", "bias-only",
                                       "norm-only", "lora:rank=8", "lp-ft", "surgical", "top-down",       "scratch" };

const char *thaw_strategy_builtin(size_t index)
{
    return index < THAW_COUNT(written) ? written[index] : NULL;
}

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
    thaw_enumeration names = { 0 };
    if (count == 1)
        return THAW_OK;
    for (size_t i = 0; i < count; i++)
        thaw_enumerate(&names, own[i]->name);
    return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: has %zu strategies, choose one by name%s%s",
                     path ? path : "no file", count, count ? ": " : "", thaw_enumerated(&names));
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
