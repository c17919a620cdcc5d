/* Optimizers around others. */
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "params/optimizer.h"
#include "params/parameter.h"

static bool has_slot(const thaw_optimizer_module *module, const char *name)
{
    for (size_t i = 0; module && i < module->slot_count; i++)
        if (strcmp(module->slots[i], name) == 0)
            return true;
    return false;
}

/* The slot whose name both have, or NULL. */
static const char *common_slot(const thaw_optimizer *optimizer, const thaw_optimizer_module *module)
{
    for (size_t i = 0; i < module->slot_count; i++)
        if (has_slot(optimizer->module, module->slots[i]) || has_slot(optimizer->fallback, module->slots[i]))
            return module->slots[i];
    return NULL;
}

static thaw_status check_slots(const thaw_optimizer *optimizer, const thaw_optimizer *wrapper)
{
    size_t count = wrapper->module->slot_count;
    size_t most = optimizer->module->slot_count;
    if (optimizer->fallback && optimizer->fallback->slot_count > most)
        most = optimizer->fallback->slot_count;
    for (const thaw_optimizer *one = optimizer; one; one = one->wrapper) {
        const char *common = common_slot(one, wrapper->module);
        count += one == optimizer ? most : one->module->slot_count;
        if (common)
            return thaw_fail(wrapper->context, THAW_INVALID_ARGUMENT, "%s: both it and %s have state named %s",
                             wrapper->module->name, one->module->name, common);
    }
    if (count > THAW_MOST_SLOTS)
        return thaw_fail(wrapper->context, THAW_INVALID_ARGUMENT,
                         "%s/%s: has %zu state arrays, must have at most %d together", wrapper->module->name,
                         optimizer->name, count, THAW_MOST_SLOTS);
    return THAW_OK;
}

static thaw_status check(const thaw_optimizer *optimizer, const thaw_optimizer *wrapper)
{
    for (const thaw_optimizer *one = optimizer->wrapper; one; one = one->wrapper)
        if (one->module == wrapper->module)
            return thaw_fail(wrapper->context, THAW_INVALID_ARGUMENT, "%s: is given twice", wrapper->module->name);
    if (optimizer->module->view && wrapper->module->update)
        return thaw_fail(wrapper->context, THAW_INVALID_ARGUMENT,
                         "%s: cannot wrap %s, which evaluates other weights than it trains", wrapper->module->name,
                         optimizer->module->name);
    return check_slots(optimizer, wrapper);
}

thaw_status thaw_optimizer_wrap(thaw_optimizer *optimizer, thaw_optimizer *wrapper)
{
    const thaw_status status = check(optimizer, wrapper);
    if (status != THAW_OK)
        return status;
    const size_t bytes = strlen(wrapper->module->name) + strlen(optimizer->name) + 2;
    char *name = thaw_allocate_raw(optimizer->context, bytes);
    if (!name)
        return THAW_OUT_OF_MEMORY;
    snprintf(name, bytes, "%s/%s", wrapper->module->name, optimizer->name);
    thaw_release(optimizer->context, optimizer->name);
    optimizer->name = name;
    thaw_optimizer *outermost = optimizer;
    while (outermost->wrapper)
        outermost = outermost->wrapper;
    outermost->wrapper = wrapper;
    return THAW_OK;
}

bool thaw_optimizer_same_kind(const thaw_optimizer *left, const thaw_optimizer *right)
{
    while (left && right && left->module == right->module && left->state == right->state) {
        left = left->wrapper;
        right = right->wrapper;
    }
    return !left && !right;
}

bool thaw_optimizer_copies(const thaw_optimizer *optimizer)
{
    for (const thaw_optimizer *one = optimizer->wrapper; one; one = one->wrapper)
        if (one->module->compares || one->module->perturb)
            return true;
    return false;
}

bool thaw_optimizer_setting(const thaw_optimizer *optimizer, size_t index, thaw_setting *setting)
{
    const thaw_optimizer *one = optimizer;
    while (one && index >= one->module->hyperparameter_count) {
        index -= one->module->hyperparameter_count;
        one = one->wrapper;
    }
    if (!one)
        return false;
    const char *name = one->module->hyperparameters[index].name;
    if (one == optimizer)
        snprintf(setting->name, sizeof setting->name, "%s", name);
    else
        snprintf(setting->name, sizeof setting->name, "%s_%s", one->module->name, name);
    setting->value = (double *)&one->values[index];
    return true;
}
