#include <math.h>
#include <string.h>

#include "params/settings.h"

static bool usable_name(const char *name)
{
    return name && *name && strlen(name) < 64 && !strpbrk(name, ",=: ");
}

static const char *hyperparameter_error(const thaw_optimizer_module *module, size_t index)
{
    const thaw_hyperparameter *one = &module->hyperparameters[index];
    if (!usable_name(one->name))
        return "a hyper-parameter's name is missing, too long, or holds one of \",=: \"";
    for (size_t i = 0; i < index; i++)
        if (strcmp(module->hyperparameters[i].name, one->name) == 0)
            return "two hyper-parameters have one name";
    if (!isfinite(one->initial) || !(one->minimum <= one->initial && one->initial <= one->maximum))
        return "a hyper-parameter's default is outside of its range";
    return NULL;
}

static const char *slot_error(const thaw_optimizer_module *module, size_t index)
{
    if (!usable_name(module->slots[index]))
        return "a slot's name is missing, too long, or holds one of \",=: \"";
    for (size_t i = 0; i < index; i++)
        if (strcmp(module->slots[i], module->slots[index]) == 0)
            return "two slots have one name";
    return NULL;
}

static const thaw_module_kind kind = {
    .name = "an optimizer module",
    .abi = THAW_OPTIMIZER_ABI,
    .least = offsetof(thaw_optimizer_module, update) + sizeof(((thaw_optimizer_module *)0)->update),
    .whole = sizeof(thaw_optimizer_module),
};

thaw_optimizer_module thaw_module_complete(const thaw_optimizer_module *module)
{
    thaw_optimizer_module complete = { 0 };
    memcpy(&complete, module, module->size < sizeof complete ? module->size : sizeof complete);
    return complete;
}

const char *thaw_module_error(const thaw_optimizer_module *module, char message[THAW_HEAD_MESSAGE_BYTES])
{
    const thaw_module_head head = { module->size, module->abi };
    if (thaw_module_head_error(&kind, &head, message))
        return message;
    if (!usable_name(module->name))
        return "its name is missing, too long, or holds one of \",=: \"";
    if (!module->update)
        return "it has no update function";
    if (module->hyperparameter_count > THAW_MAX_HYPERPARAMETERS || module->slot_count > THAW_MAX_SLOTS)
        return "it has more hyper-parameters or slots than the limits of thaw/optimizer_module.h";
    if ((module->hyperparameter_count && !module->hyperparameters) || (module->slot_count && !module->slots))
        return "it counts more hyper-parameters or slots than it has";
    const char *error = NULL;
    for (size_t i = 0; i < module->hyperparameter_count && !error; i++)
        error = hyperparameter_error(module, i);
    for (size_t i = 0; i < module->slot_count && !error; i++)
        error = slot_error(module, i);
    return error;
}
