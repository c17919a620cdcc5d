#include <stdio.h>

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

/* The names of the groups, for a message; cut if too long. */
static void list_groups(const thaw_parameter_set *set, char *text, size_t capacity)
{
    size_t used =
        (size_t)snprintf(text, capacity, "%s", set->group_count ? "; the groups are" : "; there are no groups");
    for (size_t i = 0; i < set->group_count && used < capacity; i++)
        used += (size_t)snprintf(text + used, capacity - used, "%s %s", i ? "," : "", set->groups[i]->name);
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
    if (found)
        return THAW_OK;
    char groups[400];
    list_groups(set, groups, sizeof groups);
    return thaw_fail(set->context, THAW_NOT_FOUND, "pattern \"%s\" matches no group and no parameter%s", pattern,
                     groups);
}
