#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/name.h"
#include "params/expression.h"

static void release_parameter(thaw_context *context, thaw_parameter *parameter)
{
    thaw_parameter_release_state(context, parameter);
    thaw_release(context, parameter->stored);
    thaw_release(context, parameter->frozen_elements);
    thaw_release(context, parameter->gradient_rows.rows);
    thaw_release(context, parameter->trained);
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

static thaw_parameter *make_parameter(thaw_parameter_set *set, const char *name,
                                      const thaw_parameter_specification *specification)
{
    thaw_context *context = set->context;
    thaw_parameter *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return NULL;
    made->role = specification->role;
    made->shape = specification->shape;
    made->count = thaw_shape_count(&made->shape);
    made->initializer = specification->initializer;
    made->fan_in = specification->fan_in;
    made->fan_out = specification->fan_out;
    made->constant = specification->constant;
    made->grid = specification->grid;
    made->transposed = specification->transposed;
    made->initial_scale = 1;
    made->table = specification->table;
    made->zeros_at = specification->zeros_at;
    made->zeros = specification->zeros;
    made->name = thaw_copy_text(context, name);
    made->data = thaw_allocate_array(context, made->count, sizeof(float));
    made->stored = thaw_expression_leaf(set, made);
    if (!made->name || !made->data || !made->stored) {
        release_parameter(context, made);
        return NULL;
    }
    return made;
}

static bool name_taken(const thaw_parameter_set *set, const char *name)
{
    for (size_t i = 0; i < set->parameter_count; i++)
        if (strcmp(set->parameters[i]->name, name) == 0)
            return true;
    return false;
}

thaw_status thaw_set_add_named(thaw_parameter_set *set, thaw_group *group, const char *name,
                               const thaw_parameter_specification *specification, uint32_t node,
                               thaw_parameter **parameter)
{
    const char *error = thaw_name_error(name);
    if (error)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "the parameter's name \"%s\" %s", name, error);
    if (name_taken(set, name))
        return thaw_fail(set->context, THAW_DUPLICATE, "%s: another parameter has this name", name);
    if (group->parameter_count == THAW_MAX_PARAMETERS)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT, "%s: the layer has more than %d parameters", group->name,
                         THAW_MAX_PARAMETERS);
    thaw_parameter **parameters = thaw_grow(set->context, set->parameters, &set->parameter_capacity,
                                            set->parameter_count + 1, sizeof(thaw_parameter *));
    if (!parameters)
        return THAW_OUT_OF_MEMORY;
    set->parameters = parameters;
    thaw_parameter *made = make_parameter(set, name, specification);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->group = group;
    made->in_use = !group->added;
    made->random = (thaw_stream){ .node = node, .step = group->parameter_count };
    thaw_parameter_initialize(set->context, made);
    set->parameters[set->parameter_count++] = made;
    group->parameters[group->parameter_count++] = made;
    set->revision++;
    *parameter = made;
    return THAW_OK;
}

/* Named "<group>.<name>", or by the given path, which may be empty. */
static thaw_status add_in_group(thaw_parameter_set *set, thaw_group *group,
                                const thaw_parameter_specification *specification, uint32_t node,
                                thaw_parameter **parameter)
{
    const char *path = specification->path ? specification->path : group->name;
    const size_t name_bytes = strlen(path) + strlen(specification->name) + 2;
    char *name = thaw_allocate_raw(set->context, name_bytes);
    if (!name)
        return THAW_OUT_OF_MEMORY;
    snprintf(name, name_bytes, "%s%s%s", path, *path ? "." : "", specification->name);
    const thaw_status status = thaw_set_add_named(set, group, name, specification, node, parameter);
    thaw_release(set->context, name);
    return status;
}

thaw_status thaw_set_add_parameter(thaw_parameter_set *set, const thaw_parameter_specification *specification,
                                   uint32_t node)
{
    thaw_parameter *parameter;
    return add_in_group(set, set->groups[set->group_count - 1], specification, node, &parameter);
}

static void release_group(thaw_context *context, thaw_group *group)
{
    for (size_t i = 0; i < group->parameter_count; i++)
        release_parameter(context, group->parameters[i]);
    thaw_optimizer_destroy(group->optimizer);
    thaw_release(context, group->name);
    thaw_release(context, group);
}

void thaw_set_drop_group(thaw_parameter_set *set)
{
    thaw_group *group = set->groups[--set->group_count];
    set->parameter_count -= group->parameter_count;
    release_group(set->context, group);
    set->revision++;
}

uint32_t thaw_set_random_node(const thaw_parameter_set *set)
{
    return (uint32_t)1 << 31 | (uint32_t)set->parameter_count;
}

thaw_status thaw_set_add(thaw_parameter_set *set, thaw_group *group, const char *group_name,
                         const thaw_parameter_specification *specification, thaw_parameter **parameter)
{
    const size_t groups_before = set->group_count;
    thaw_status status = group ? THAW_OK : thaw_set_add_group(set, group_name, &group);
    if (status != THAW_OK)
        return status;
    group->added = true;
    status = add_in_group(set, group, specification, thaw_set_random_node(set), parameter);
    if (status != THAW_OK && set->group_count > groups_before)
        thaw_set_drop_group(set);
    return status;
}

/* Removes the group's parameters from the set's list. */
static void unlist_parameters(thaw_parameter_set *set, const thaw_group *group)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->parameter_count; i++)
        if (set->parameters[i]->group != group)
            set->parameters[kept++] = set->parameters[i];
    set->parameter_count = kept;
}

thaw_status thaw_set_prepare_removal(thaw_parameter_set *set)
{
    thaw_group **removed = thaw_grow(set->context, set->removed, &set->removed_capacity,
                                     set->removed_count + set->group_count, sizeof(thaw_group *));
    if (!removed)
        return THAW_OUT_OF_MEMORY;
    set->removed = removed;
    return THAW_OK;
}

void thaw_set_remove_group(thaw_parameter_set *set, thaw_group *group)
{
    size_t at = 0;
    while (set->groups[at] != group)
        at++;
    memmove(&set->groups[at], &set->groups[at + 1], (set->group_count - at - 1) * sizeof(thaw_group *));
    set->group_count--;
    set->removed[set->removed_count++] = group;
    unlist_parameters(set, group);
    for (size_t i = 0; i < group->parameter_count; i++) {
        thaw_parameter *parameter = group->parameters[i];
        parameter->removed = true;
        thaw_parameter_release_state(set->context, parameter);
        parameter->gradient = NULL;
    }
    set->revision++;
}

void thaw_set_release(thaw_parameter_set *set)
{
    for (size_t i = 0; i < set->expression_count; i++)
        thaw_expression_release(set->expressions[i]);
    thaw_release(set->context, set->expressions);
    while (set->group_count)
        release_group(set->context, set->groups[--set->group_count]);
    while (set->removed_count)
        release_group(set->context, set->removed[--set->removed_count]);
    thaw_release(set->context, set->notes);
    thaw_release(set->context, set->removed);
    thaw_release(set->context, set->groups);
    thaw_release(set->context, set->parameters);
}
