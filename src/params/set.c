#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "params/optimizer.h"
#include "params/parameter.h"

static void release_parameter(thaw_context *context, thaw_parameter *parameter)
{
    thaw_parameter_release_state(context, parameter);
    thaw_release(context, parameter->gradient);
    thaw_release(context, parameter->data);
    thaw_release(context, parameter->name);
    thaw_release(context, parameter);
}

thaw_status thaw_set_add_group(thaw_parameter_set *set, const char *name, thaw_group **group)
{
    thaw_group **groups =
        thaw_grow(set->context, set->groups, &set->group_capacity, set->group_count + 1, sizeof(thaw_group *));
    if (!groups)
        return THAW_OUT_OF_MEMORY;
    set->groups = groups;
    thaw_group *made = thaw_allocate(set->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->trainable = true;
    made->learning_rate = NAN;
    made->weight_decay = NAN;
    made->name = thaw_copy_text(set->context, name);
    if (!made->name) {
        thaw_release(set->context, made);
        return THAW_OUT_OF_MEMORY;
    }
    set->groups[set->group_count++] = made;
    set->revision++;
    *group = made;
    return THAW_OK;
}

static thaw_parameter *make_parameter(thaw_context *context, const thaw_group *group,
                                      const thaw_parameter_specification *specification)
{
    thaw_parameter *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return NULL;
    const size_t name_bytes = strlen(group->name) + strlen(specification->name) + 2;
    made->role = specification->role;
    made->shape = specification->shape;
    made->count = thaw_shape_count(&made->shape);
    made->initializer = specification->initializer;
    made->fan_in = specification->fan_in;
    made->fan_out = specification->fan_out;
    made->name = thaw_allocate_raw(context, name_bytes);
    made->data = thaw_allocate_array(context, made->count, sizeof(float));
    if (!made->name || !made->data) {
        release_parameter(context, made);
        return NULL;
    }
    snprintf(made->name, name_bytes, "%s.%s", group->name, specification->name);
    return made;
}

static bool name_taken(const thaw_parameter_set *set, const char *name)
{
    for (size_t i = 0; i < set->parameter_count; i++)
        if (strcmp(set->parameters[i]->name, name) == 0)
            return true;
    return false;
}

thaw_status thaw_set_add_parameter(thaw_parameter_set *set, const thaw_parameter_specification *specification,
                                   uint32_t node)
{
    thaw_group *group = set->groups[set->group_count - 1];
    if (group->parameter_count == THAW_MAX_PARAMETERS)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "%s: a layer has at most %d parameters", group->name,
                         THAW_MAX_PARAMETERS);
    thaw_parameter **parameters = thaw_grow(set->context, set->parameters, &set->parameter_capacity,
                                            set->parameter_count + 1, sizeof(thaw_parameter *));
    if (!parameters)
        return THAW_OUT_OF_MEMORY;
    set->parameters = parameters;
    thaw_parameter *made = make_parameter(set->context, group, specification);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    if (name_taken(set, made->name)) {
        thaw_fail(set->context, THAW_DUPLICATE, "%s: another parameter has this name", made->name);
        release_parameter(set->context, made);
        return THAW_DUPLICATE;
    }
    made->group = group;
    made->random = (thaw_stream){ .node = node, .step = group->parameter_count };
    thaw_parameter_initialize(set->context, made);
    set->parameters[set->parameter_count++] = made;
    group->parameters[group->parameter_count++] = made;
    set->revision++;
    return THAW_OK;
}

void thaw_set_drop_group(thaw_parameter_set *set)
{
    thaw_group *group = set->groups[--set->group_count];
    for (size_t i = 0; i < group->parameter_count; i++)
        release_parameter(set->context, group->parameters[i]);
    set->parameter_count -= group->parameter_count;
    thaw_optimizer_destroy(group->optimizer);
    thaw_release(set->context, group->name);
    thaw_release(set->context, group);
    set->revision++;
}

void thaw_set_release(thaw_parameter_set *set)
{
    while (set->group_count)
        thaw_set_drop_group(set);
    thaw_release(set->context, set->groups);
    thaw_release(set->context, set->parameters);
}

void thaw_parameter_release_state(thaw_context *context, thaw_parameter *parameter)
{
    for (size_t i = 0; i < THAW_MAX_SLOTS; i++) {
        thaw_release(context, parameter->slot[i]);
        parameter->slot[i] = NULL;
    }
    parameter->steps = 0;
}
