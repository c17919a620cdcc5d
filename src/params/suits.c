#include "params/suits.h"

#include <math.h>
#include <string.h>

size_t thaw_parameter_rows(const thaw_parameter *parameter)
{
    return parameter->shape.rank > 1 ? (size_t)parameter->shape.dims[0] : 1;
}

size_t thaw_parameter_columns(const thaw_parameter *parameter)
{
    return parameter->count / thaw_parameter_rows(parameter);
}

static bool suits(const thaw_parameter *parameter, const thaw_optimizer_module *module)
{
    return !module->suits || module->suits(&(thaw_suitor){ .role = parameter->role,
                                                           .table = parameter->table,
                                                           .shape = &parameter->shape,
                                                           .rows = thaw_parameter_rows(parameter),
                                                           .columns = thaw_parameter_columns(parameter) });
}

const thaw_optimizer_module *thaw_parameter_module(const thaw_parameter *parameter)
{
    const thaw_optimizer *optimizer = parameter->group->optimizer;
    if (!optimizer)
        return NULL;
    return suits(parameter, optimizer->module) ? optimizer->module : optimizer->fallback;
}

/* Whether `name` is `before`, an underscore and `after`. */
static bool joins(const char *name, const char *before, const char *after)
{
    const size_t length = strlen(before);
    return strncmp(name, before, length) == 0 && name[length] == '_' && strcmp(name + length + 1, after) == 0;
}

static double fallback_value(const thaw_optimizer *optimizer, size_t index)
{
    const thaw_hyperparameter *wanted = &optimizer->fallback->hyperparameters[index];
    for (size_t i = 0; i < optimizer->module->hyperparameter_count; i++)
        if (joins(optimizer->module->hyperparameters[i].name, optimizer->fallback->name, wanted->name))
            return optimizer->values[i];
    return wanted->initial;
}

void thaw_parameter_values(const thaw_parameter *parameter, double values[THAW_MAX_HYPERPARAMETERS])
{
    const thaw_optimizer *optimizer = parameter->group->optimizer;
    if (thaw_parameter_module(parameter) == optimizer->module) {
        memcpy(values, optimizer->values, sizeof optimizer->values);
        return;
    }
    memset(values, 0, THAW_MAX_HYPERPARAMETERS * sizeof *values);
    for (size_t i = 0; i < optimizer->fallback->hyperparameter_count; i++)
        values[i] = fallback_value(optimizer, i);
}

size_t thaw_parameter_slot_count(const thaw_parameter *parameter)
{
    const thaw_optimizer_module *module = thaw_parameter_module(parameter);
    size_t count = module ? module->slot_count : 0;
    for (const thaw_optimizer *one = module ? parameter->group->optimizer->wrapper : NULL; one; one = one->wrapper)
        count += one->module->slot_count;
    return count;
}

/* The module that has a slot of the parameter, and the slot's number there. */
typedef struct slot_owner {
    const thaw_optimizer_module *module;
    const thaw_optimizer *wrapper; /* whose module it is; NULL: the parameter's */
    size_t slot;
} slot_owner;

static slot_owner owner_of(const thaw_parameter *parameter, size_t slot)
{
    slot_owner owner = { .module = thaw_parameter_module(parameter), .slot = slot };
    while (owner.slot >= owner.module->slot_count) {
        owner.slot -= owner.module->slot_count;
        owner.wrapper = owner.wrapper ? owner.wrapper->wrapper : parameter->group->optimizer->wrapper;
        owner.module = owner.wrapper->module;
    }
    return owner;
}

bool thaw_parameter_uses_slot(const thaw_parameter *parameter, size_t slot)
{
    double values[THAW_MAX_HYPERPARAMETERS];
    if (slot >= thaw_parameter_slot_count(parameter))
        return false;
    const slot_owner owner = owner_of(parameter, slot);
    if (owner.wrapper)
        return thaw_module_uses_slot(owner.module, owner.wrapper->values, owner.slot);
    thaw_parameter_values(parameter, values);
    const thaw_optimizer_module *module = owner.module;
    return thaw_module_uses_slot(module, values, owner.slot) &&
           (!module->has_slot ||
            module->has_slot(values, owner.slot, thaw_parameter_rows(parameter), thaw_parameter_columns(parameter)));
}

const char *thaw_parameter_slot_name(const thaw_parameter *parameter, size_t slot)
{
    const slot_owner owner = owner_of(parameter, slot);
    return owner.module->slots[owner.slot];
}

thaw_shape thaw_parameter_slot_shape(const thaw_parameter *parameter, size_t slot)
{
    const slot_owner owner = owner_of(parameter, slot);
    const int64_t rows = (int64_t)thaw_parameter_rows(parameter), columns = (int64_t)thaw_parameter_columns(parameter);
    switch (thaw_module_slot_shape(owner.module, owner.slot)) {
    case THAW_SLOT_WHOLE:
        break;
    case THAW_SLOT_ROWS:
        return (thaw_shape){ 1, { rows } };
    case THAW_SLOT_COLUMNS:
        return (thaw_shape){ 1, { columns } };
    case THAW_SLOT_ROWS_SQUARED:
        return (thaw_shape){ 2, { rows, rows } };
    case THAW_SLOT_COLUMNS_SQUARED:
        return (thaw_shape){ 2, { columns, columns } };
    case THAW_SLOT_ONE:
    case THAW_SLOT_SHARED:
        return (thaw_shape){ 1, { 1 } };
    }
    return parameter->shape;
}

thaw_dtype thaw_parameter_state_dtype(const thaw_parameter *parameter)
{
    const thaw_optimizer *optimizer = parameter->group->optimizer;
    const bool kept = optimizer && parameter->count >= THAW_LEAST_KEPT && optimizer->module->slot_ranges &&
                      thaw_parameter_module(parameter) == optimizer->module;
    return kept ? optimizer->state : THAW_F32;
}

bool thaw_parameter_kept_slot(const thaw_parameter *parameter, size_t slot, thaw_kept_slot *kept)
{
    const thaw_dtype dtype = thaw_parameter_state_dtype(parameter);
    const thaw_optimizer_module *module = thaw_parameter_module(parameter);
    if (dtype == THAW_F32 || slot >= module->slot_count || !thaw_module_rounds_slot(module, slot))
        return false;
    *kept = (thaw_kept_slot){ .dtype = dtype,
                              .positive = module->slot_ranges[slot] == THAW_SLOT_POSITIVE,
                              .count = parameter->count,
                              .memory = parameter->slot[slot] };
    return true;
}

size_t thaw_parameter_slot_bytes(const thaw_parameter *parameter, size_t slot)
{
    thaw_kept_slot kept;
    if (thaw_parameter_kept_slot(parameter, slot, &kept))
        return thaw_kept_slot_bytes(kept.dtype, kept.count);
    const thaw_shape shape = thaw_parameter_slot_shape(parameter, slot);
    return thaw_shape_count(&shape) * sizeof(float);
}

thaw_dtype thaw_parameter_slot_array(const thaw_parameter *parameter, size_t slot, thaw_shape *shape)
{
    thaw_kept_slot kept;
    *shape = thaw_parameter_slot_shape(parameter, slot);
    if (!thaw_parameter_kept_slot(parameter, slot, &kept))
        return THAW_F32;
    if (kept.dtype == THAW_U8)
        *shape = (thaw_shape){ 1, { (int64_t)thaw_kept_slot_bytes(kept.dtype, kept.count) } };
    return kept.dtype;
}
