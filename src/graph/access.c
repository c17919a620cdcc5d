/* Reads groups and parameters. */
#include <math.h>
#include <string.h>

#include "graph/model.h"
#include "params/keeping.h"
#include "params/optimizer.h"

size_t thaw_model_group_count(const thaw_model *model)
{
    return model->parameters.group_count;
}

thaw_group *thaw_model_group(thaw_model *model, size_t index)
{
    return index < model->parameters.group_count ? model->parameters.groups[index] : NULL;
}

thaw_group *thaw_model_find_group(thaw_model *model, const char *name)
{
    for (size_t i = 0; i < model->parameters.group_count; i++)
        if (strcmp(model->parameters.groups[i]->name, name) == 0)
            return model->parameters.groups[i];
    return NULL;
}

const char *thaw_group_name(const thaw_group *group)
{
    return group->name;
}

bool thaw_group_trainable(const thaw_group *group)
{
    return group->trainable;
}

/* The group's own value, else the optimizer's; NAN if no optimizer reads it. */
static double value_in_effect(const thaw_group *group, double own, const char *name)
{
    const double common = group->optimizer ? thaw_optimizer_get(group->optimizer, name) : NAN;
    return isnan(common) || isnan(own) ? common : own;
}

double thaw_group_learning_rate(const thaw_group *group)
{
    return value_in_effect(group, group->learning_rate, "lr");
}

double thaw_group_weight_decay(const thaw_group *group)
{
    return value_in_effect(group, group->weight_decay, "weight_decay");
}

thaw_optimizer *thaw_group_optimizer(const thaw_group *group)
{
    return group->optimizer;
}

size_t thaw_group_parameter_count(const thaw_group *group)
{
    return group->parameter_count;
}

thaw_parameter *thaw_group_parameter(const thaw_group *group, size_t index)
{
    return index < group->parameter_count ? group->parameters[index] : NULL;
}

size_t thaw_model_parameter_count(const thaw_model *model)
{
    return model->parameters.parameter_count;
}

thaw_parameter *thaw_model_parameter(thaw_model *model, size_t index)
{
    return index < model->parameters.parameter_count ? model->parameters.parameters[index] : NULL;
}

thaw_parameter *thaw_model_find_parameter(thaw_model *model, const char *name)
{
    for (size_t i = 0; i < model->parameters.parameter_count; i++)
        if (strcmp(model->parameters.parameters[i]->name, name) == 0)
            return model->parameters.parameters[i];
    return NULL;
}

const char *thaw_parameter_name(const thaw_parameter *parameter)
{
    return parameter->name;
}

thaw_role thaw_parameter_role(const thaw_parameter *parameter)
{
    return parameter->role;
}

const thaw_shape *thaw_parameter_shape(const thaw_parameter *parameter)
{
    return &parameter->shape;
}

thaw_group *thaw_parameter_group(const thaw_parameter *parameter)
{
    return parameter->group;
}

bool thaw_parameter_trainable(const thaw_parameter *parameter)
{
    if (parameter->role == THAW_STATISTIC)
        return false;
    return parameter->override == THAW_OVERRIDE_NONE ? parameter->group->trainable
                                                     : parameter->override == THAW_OVERRIDE_TRAINABLE;
}

uint64_t thaw_parameter_steps(const thaw_parameter *parameter)
{
    return parameter->steps;
}

const float *thaw_parameter_data(const thaw_parameter *parameter)
{
    thaw_parameter *lent = (thaw_parameter *)(uintptr_t)parameter;
    thaw_parameter_bring_back(lent);
    lent->lent = true;
    return lent->data;
}

float *thaw_parameter_edit(thaw_parameter *parameter)
{
    thaw_parameter_bring_back(parameter);
    parameter->version++;
    return parameter->data;
}

const float *thaw_parameter_gradient(const thaw_parameter *parameter)
{
    /* Memory of what was frozen since the last step is released when the next plan is made. */
    return thaw_parameter_trainable(parameter) ? parameter->gradient : NULL;
}

const float *thaw_parameter_state(const thaw_parameter *parameter, const char *slot)
{
    const thaw_optimizer *optimizer = parameter->group->optimizer;
    for (size_t i = 0; optimizer && i < optimizer->module->slot_count; i++)
        if (strcmp(optimizer->module->slots[i], slot) == 0)
            return parameter->slot[i];
    return NULL;
}
