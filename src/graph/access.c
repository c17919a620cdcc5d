/* Finds the groups and parameters of a model. */
#include <string.h>

#include "graph/model.h"

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
