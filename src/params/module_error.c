#include <math.h>
#include <string.h>

#include "io/module_file.h"
#include "params/module_source.h"
#include "params/optimizer.h"
#include "params/settings.h"

static bool usable_name(const char *name)
{
    return name && *name && strlen(name) < 64 && !strpbrk(name, ",=: ");
}

static const char *hyperparameter_error(const thaw_hyperparameter *all, size_t index)
{
    const thaw_hyperparameter *one = &all[index];
    if (!usable_name(one->name))
        return "a hyper-parameter's name is missing, too long, or holds one of \",=: \"";
    for (size_t i = 0; i < index; i++)
        if (strcmp(all[i].name, one->name) == 0)
            return "two hyper-parameters have one name";
    if (!isfinite(one->initial) || !(one->minimum <= one->initial && one->initial <= one->maximum))
        return "a hyper-parameter's default is outside of its range";
    return NULL;
}

const char *thaw_hyperparameters_error(const char *name, const thaw_hyperparameter *all, size_t count)
{
    if (!usable_name(name))
        return "its name is missing, too long, or holds one of \",=: \"";
    if (count > THAW_MAX_HYPERPARAMETERS)
        return "it has more hyper-parameters than the limits of thaw/optimizer_module.h";
    if (count && !all)
        return "it counts more hyper-parameters than it has";
    const char *error = NULL;
    for (size_t i = 0; i < count && !error; i++)
        error = hyperparameter_error(all, i);
    return error;
}

static const char *slot_error(const thaw_optimizer_module *module, size_t index)
{
    if (!usable_name(module->slots[index]))
        return "a slot's name is missing, too long, or holds one of \",=: \"";
    for (size_t i = 0; i < index; i++)
        if (strcmp(module->slots[i], module->slots[index]) == 0)
            return "two slots have one name";
    const thaw_slot_shape shape = thaw_module_slot_shape(module, index);
    if (shape == THAW_SLOT_SHARED && !module->conclude)
        return "a slot that is shared needs conclude";
    if (!module->matrix && shape != THAW_SLOT_WHOLE && !(shape >= THAW_SLOT_ONE && module->conclude))
        return "a slot's shape needs matrix, or for one number conclude";
    if (module->slot_ranges && module->slot_ranges[index] > THAW_SLOT_POSITIVE)
        return "a slot has a range that there is not";
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

static const char *stage_error(const thaw_optimizer_module *module)
{
    if (!module->update && !module->matrix && !module->perturb)
        return "it has no update function";
    if (module->matrix && (module->update || module->begin || module->rests_at_zero || module->sums))
        return "it has matrix, and with it update, begin, rests_at_zero or sums";
    if (!module->matrix && (module->scratch || module->flops || module->decomposed_side || module->has_slot))
        return "it has scratch, flops, decomposed_side or has_slot without matrix";
    if (module->wraps && (module->matrix || module->suits || module->view || module->rests_at_zero))
        return "it is a wrapper, and has matrix, suits, view or rests_at_zero";
    if ((module->compares || module->perturb) && !module->wraps)
        return "it has compares or perturb, and is no wrapper";
    if (module->perturb && (module->update || module->slot_count))
        return "it has perturb, and with it update or slots";
    if (module->slot_ranges && (module->matrix || module->conclude || module->view || module->wraps))
        return "it has slot_ranges, and with them matrix, conclude, view or wraps";
    if (!module->suits != !module->fallback)
        return "of suits and fallback, it has one without the other";
    return NULL;
}

static const char *rule_error(const thaw_optimizer_module *module)
{
    if (stage_error(module))
        return stage_error(module);
    if (module->slot_count > THAW_MAX_SLOTS)
        return "it has more slots than the limits of thaw/optimizer_module.h";
    if (module->slot_count && !module->slots)
        return "it counts more slots than it has";
    if (module->sum_count > THAW_MAX_SUMS)
        return "it has more sums than the limits of thaw/optimizer_module.h";
    if (module->own_sums && (!module->sums || module->wraps))
        return "it has own_sums, and no sums, or it is a wrapper";
    if (!module->sums != !module->sum_count || (module->sums && !module->conclude))
        return "of sums, conclude and sum_count, it has some without the others";
    const char *error = thaw_hyperparameters_error(module->name, module->hyperparameters, module->hyperparameter_count);
    if (!error && module->slot_ranges && thaw_hyperparameter_index(module, "state") >= 0)
        error = "it has slot_ranges, and a hyper-parameter named state";
    for (size_t i = 0; i < module->slot_count && !error; i++)
        error = slot_error(module, i);
    return error;
}

const char *thaw_module_error(const thaw_optimizer_module *module, char message[THAW_HEAD_MESSAGE_BYTES])
{
    const thaw_module_head head = { module->size, module->abi };
    if (thaw_module_head_error(&kind, &head, message))
        return message;
    const thaw_optimizer_module complete = thaw_module_complete(module);
    return rule_error(&complete);
}

static const char *file_error(const void *module, char message[THAW_HEAD_MESSAGE_BYTES])
{
    return thaw_module_error(module, message);
}

thaw_status thaw_module_open(thaw_context *context, const char *path, const thaw_optimizer_module **module,
                             void **library)
{
    static const thaw_module_file_kind wanted = { .what = "optimizer module",
                                                  .type = "thaw_optimizer_module",
                                                  .abi = THAW_OPTIMIZER_ABI,
                                                  .alignment = _Alignof(thaw_optimizer_module),
                                                  .error = file_error };
    const void *found = NULL;
    const thaw_status status = thaw_module_file_open(context, path, &wanted, &found, library);
    if (status == THAW_OK)
        *module = found;
    return status;
}
