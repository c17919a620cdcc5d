/* Sets learning rate, weight decay, optimizer and state of groups, by pattern. */
#include <math.h>

#include "graph/model.h"
#include "params/optimizer.h"
#include "params/view.h"

static bool usable_rate(double value)
{
    return isnan(value) || (isfinite(value) && value >= 0);
}

static void set_learning_rate(void *argument, thaw_selected selected)
{
    selected.group->learning_rate = *(const double *)argument;
}

thaw_status thaw_select_learning_rate(thaw_model *model, const char *pattern, double learning_rate)
{
    if (!usable_rate(learning_rate))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "learning rate is %g for \"%s\", must be finite and not negative", learning_rate, pattern);
    return thaw_set_select(&model->parameters, pattern, set_learning_rate, &learning_rate);
}

static void find_without_decay(void *argument, thaw_selected selected)
{
    const thaw_optimizer *optimizer = selected.group->optimizer;
    if (optimizer && thaw_hyperparameter_index(optimizer->module, "weight_decay") < 0)
        *(const thaw_group **)argument = selected.group;
}

static void set_weight_decay(void *argument, thaw_selected selected)
{
    selected.group->weight_decay = *(const double *)argument;
}

thaw_status thaw_select_weight_decay(thaw_model *model, const char *pattern, double weight_decay)
{
    if (!usable_rate(weight_decay))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "weight decay is %g for \"%s\", must be finite and not negative", weight_decay, pattern);
    const thaw_group *without = NULL;
    const thaw_status status = thaw_set_select(&model->parameters, pattern, find_without_decay, &without);
    if (status != THAW_OK)
        return status;
    if (without && !isnan(weight_decay))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: optimizer %s has no weight_decay", without->name,
                         without->optimizer->module->name);
    return thaw_set_select(&model->parameters, pattern, set_weight_decay, &weight_decay);
}

static void release_state(void *argument, thaw_selected selected)
{
    for (size_t i = 0; i < selected.group->parameter_count; i++)
        thaw_parameter_release_state(argument, selected.group->parameters[i]);
}

thaw_status thaw_select_release_state(thaw_model *model, const char *pattern)
{
    return thaw_model_change(model, pattern, release_state, model->context);
}

typedef struct assignment {
    thaw_context *context;
    thaw_optimizer *optimizer;
} assignment;

static void set_optimizer(void *argument, thaw_selected selected)
{
    const assignment *wanted = argument;
    thaw_group *group = selected.group;
    if (group->optimizer && !thaw_optimizer_same_kind(group->optimizer, wanted->optimizer))
        release_state(wanted->context, selected);
    /* Retained first, because it may be the current one. */
    thaw_optimizer *retained = thaw_optimizer_retain(wanted->optimizer);
    thaw_optimizer_destroy(group->optimizer);
    group->optimizer = retained;
}

thaw_status thaw_select_optimizer(thaw_model *model, const char *pattern, thaw_optimizer *optimizer)
{
    if (!optimizer)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "\"%s\": the optimizer is missing", pattern);
    if (optimizer->context != model->context)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "\"%s\": the optimizer belongs to another context than the model", pattern);
    return thaw_model_change(model, pattern, set_optimizer, &(assignment){ model->context, optimizer });
}

thaw_status thaw_model_use_view(thaw_model *model, bool use)
{
    return thaw_set_use_view(&model->parameters, use);
}

static void reset_one(void *argument, thaw_parameter *parameter)
{
    thaw_parameter_reset(argument, parameter);
}

static void reset(void *argument, thaw_selected selected)
{
    thaw_selected_visit(selected, reset_one, argument);
}

thaw_status thaw_model_reset(thaw_model *model, const char *pattern)
{
    return thaw_model_change(model, pattern, reset, model->context);
}
