#include "params/optimizer.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "io/module_file.h"
#include "params/settings.h"

thaw_optimizer *thaw_optimizer_retain(thaw_optimizer *optimizer)
{
    optimizer->references++;
    return optimizer;
}

void thaw_optimizer_destroy(thaw_optimizer *optimizer)
{
    if (!optimizer || --optimizer->references)
        return;
    void *library = optimizer->library;
    thaw_optimizer_destroy(optimizer->wrapper);
    thaw_release(optimizer->context, optimizer->name);
    thaw_release(optimizer->context, optimizer);
    thaw_module_file_close(library);
}

/* The slots that are in use, one bit each. */
static unsigned used_slots(const thaw_optimizer *optimizer)
{
    unsigned used = 0;
    for (size_t i = 0; i < optimizer->module->slot_count; i++)
        used |= (unsigned)thaw_module_uses_slot(optimizer->module, optimizer->values, i) << i;
    return used;
}

/* Whether the memory of a step may depend on the hyper-parameter. */
static bool sizes_memory(const thaw_optimizer_module *module, const char *name)
{
    const bool depends = module->scratch || module->decomposed_side || module->has_slot;
    return depends && strcmp(name, "lr") != 0 && strcmp(name, "weight_decay") != 0;
}

/* What has the hyper-parameter `name`: the optimizer, or a wrapper, without whose name the rest is *own. */
static thaw_optimizer *owner_of(thaw_optimizer *optimizer, const char *name, const char **own)
{
    *own = name;
    for (thaw_optimizer *wrapper = optimizer->wrapper; wrapper; wrapper = wrapper->wrapper) {
        const size_t length = strlen(wrapper->module->name);
        if (strncmp(name, wrapper->module->name, length) != 0 || name[length] != '_')
            continue;
        *own = name + length + 1;
        return wrapper;
    }
    return optimizer;
}

thaw_status thaw_optimizer_set(thaw_optimizer *optimizer, const char *name, double value)
{
    const char *own;
    thaw_optimizer *owner = owner_of(optimizer, name, &own);
    double values[THAW_MAX_HYPERPARAMETERS];
    memcpy(values, owner->values, sizeof values);
    thaw_status status = thaw_setting_apply(optimizer->context, owner->module, own, value, values);
    if (status == THAW_OK)
        status = thaw_settings_check(optimizer->context, owner->module, values);
    if (status != THAW_OK)
        return status;
    const unsigned used_before = used_slots(owner);
    memcpy(owner->values, values, sizeof values);
    optimizer->revision += used_slots(owner) != used_before || sizes_memory(owner->module, own);
    return THAW_OK;
}

double thaw_optimizer_get(const thaw_optimizer *optimizer, const char *name)
{
    const char *own;
    const thaw_optimizer *owner = owner_of((thaw_optimizer *)optimizer, name, &own);
    const int index = thaw_hyperparameter_index(owner->module, own);
    return index < 0 ? NAN : owner->values[index];
}

const char *thaw_optimizer_name(const thaw_optimizer *optimizer)
{
    return optimizer->name;
}

thaw_dtype thaw_optimizer_state_dtype(const thaw_optimizer *optimizer)
{
    return optimizer->state;
}

const thaw_optimizer_module *thaw_optimizer_module_of(const thaw_optimizer *optimizer)
{
    return optimizer->module;
}

bool thaw_module_uses_slot(const thaw_optimizer_module *module, const double *values, size_t slot)
{
    return slot < module->slot_count && (!module->uses_slot || module->uses_slot(values, slot));
}

bool thaw_module_rounds_slot(const thaw_optimizer_module *module, size_t slot)
{
    return module->slot_ranges && module->slot_ranges[slot] != THAW_SLOT_EXACT;
}

thaw_slot_shape thaw_module_slot_shape(const thaw_optimizer_module *module, size_t slot)
{
    return module->slot_shapes ? module->slot_shapes[slot] : THAW_SLOT_WHOLE;
}
