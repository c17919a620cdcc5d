/* Which parameters train: the public calls that set flags and overrides. */
#include "graph/model.h"

static void mark(thaw_selected selected, bool trainable)
{
    if (selected.parameter) {
        selected.parameter->override = trainable ? THAW_OVERRIDE_TRAINABLE : THAW_OVERRIDE_FROZEN;
        return;
    }
    selected.group->trainable = trainable;
    for (size_t i = 0; i < selected.group->parameter_count; i++)
        selected.group->parameters[i]->override = THAW_OVERRIDE_NONE;
}

static void freeze(void *argument, thaw_selected selected)
{
    (void)argument;
    mark(selected, false);
}

static void unfreeze(void *argument, thaw_selected selected)
{
    (void)argument;
    mark(selected, true);
}

thaw_status thaw_model_freeze(thaw_model *model, const char *pattern)
{
    return thaw_model_change(model, pattern, freeze, NULL);
}

thaw_status thaw_model_unfreeze(thaw_model *model, const char *pattern)
{
    return thaw_model_change(model, pattern, unfreeze, NULL);
}

static void keep_first(void *argument, thaw_selected selected)
{
    thaw_group **first = argument;
    if (!*first)
        *first = selected.group;
}

thaw_status thaw_model_freeze_before(thaw_model *model, const char *pattern)
{
    thaw_group *first = NULL;
    const thaw_status status = thaw_set_select(&model->parameters, pattern, keep_first, &first);
    if (status != THAW_OK)
        return status;
    bool reached = false;
    for (size_t i = 0; i < model->parameters.group_count; i++) {
        thaw_group *group = model->parameters.groups[i];
        reached = reached || group == first;
        mark((thaw_selected){ .group = group }, reached);
    }
    model->parameters.revision++;
    return THAW_OK;
}
