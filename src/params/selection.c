#include <string.h>

#include "core/enumeration.h"
#include "core/nearest.h"
#include "core/pattern.h"
#include "params/parameter.h"

bool thaw_parameter_selected(const thaw_parameter *parameter, const char *pattern)
{
    return thaw_pattern_matches(pattern, parameter->group->name) || thaw_pattern_matches(pattern, parameter->name);
}

/* Visits what one group contributes: the group itself, or those of its parameters that match by their own names. */
static size_t select_in_group(thaw_group *group, const char *pattern,
                              void (*visit)(void *argument, thaw_selected selected), void *argument)
{
    if (thaw_pattern_matches(pattern, group->name)) {
        visit(argument, (thaw_selected){ .group = group });
        return 1;
    }
    size_t found = 0;
    for (size_t i = 0; i < group->parameter_count; i++) {
        if (!thaw_pattern_matches(pattern, group->parameters[i]->name))
            continue;
        visit(argument, (thaw_selected){ .group = group, .parameter = group->parameters[i] });
        found++;
    }
    return found;
}

/* The nearer of two names; either may be NULL. */
static const char *nearer(const char *word, const char *one, const char *other)
{
    const char *const both[] = { one, other };
    return one ? thaw_nearest(word, both, 2) : thaw_nearest(word, &other, 1);
}

/* The name that a pattern was probably meant to be; NULL if none is near, or if it stands for several. */
static const char *nearest_name(const thaw_parameter_set *set, const char *pattern)
{
    const char *found = NULL;
    if (strpbrk(pattern, "*?[{|"))
        return NULL;
    for (size_t i = 0; i < set->group_count; i++)
        found = nearer(pattern, found, set->groups[i]->name);
    for (size_t i = 0; i < set->parameter_count; i++)
        found = nearer(pattern, found, set->parameters[i]->name);
    return found;
}

static thaw_status fail_unmatched(const thaw_parameter_set *set, const char *pattern)
{
    thaw_enumeration groups = { 0 };
    const char *nearest = nearest_name(set, pattern);
    for (size_t i = 0; i < set->group_count; i++)
        thaw_enumerate(&groups, set->groups[i]->name);
    return thaw_fail(set->context, THAW_NOT_FOUND, "pattern \"%.200s\" matches no group and no parameter%s%s%s%s; %s%s",
                     pattern, THAW_DID_YOU_MEAN(nearest),
                     strpbrk(pattern, ", ") ? "; alternatives are joined by |" : "",
                     set->group_count ? "the groups are " : "there are no groups", thaw_enumerated(&groups));
}

void thaw_selected_visit(thaw_selected selected, void (*visit)(void *argument, thaw_parameter *parameter),
                         void *argument)
{
    if (selected.parameter) {
        visit(argument, selected.parameter);
        return;
    }
    for (size_t i = 0; i < selected.group->parameter_count; i++)
        visit(argument, selected.group->parameters[i]);
}

thaw_status thaw_set_select(const thaw_parameter_set *set, const char *pattern,
                            void (*visit)(void *argument, thaw_selected selected), void *argument)
{
    const char *error = pattern ? thaw_pattern_error(pattern) : "it is missing";
    if (error)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "pattern \"%.200s\": %s", pattern ? pattern : "", error);
    size_t found = 0;
    for (size_t i = 0; i < set->group_count; i++)
        found += select_in_group(set->groups[i], pattern, visit, argument);
    return found ? THAW_OK : fail_unmatched(set, pattern);
}
