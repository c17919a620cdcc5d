#include "params/optimizer.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "io/module_file.h"
#include "params/module_source.h"
#include "params/settings.h"

/* The module for parameters that `module` does not suit. */
static thaw_status find_fallback(thaw_context *context, const thaw_optimizer_module *module,
                                 const thaw_optimizer_module **fallback)
{
    *fallback = NULL;
    if (!module->fallback)
        return THAW_OK;
    const thaw_status status = thaw_builtin_module_find(context, module->fallback, fallback);
    if (status == THAW_OK && (*fallback)->suits)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: its fallback, %s, must be for all parameters",
                         module->name, module->fallback);
    return status;
}

/* Takes over `library` on success. */
static thaw_status create(thaw_context *context, const thaw_optimizer_module *module, const char *settings,
                          void *library, thaw_optimizer **optimizer)
{
    const thaw_optimizer_module complete = thaw_module_complete(module);
    double values[THAW_MAX_HYPERPARAMETERS] = { 0 };
    const thaw_optimizer_module *fallback;
    thaw_status status = find_fallback(context, &complete, &fallback);
    if (status == THAW_OK)
        status = thaw_settings_parse(context, &complete, settings, values);
    if (status != THAW_OK)
        return status;
    thaw_optimizer *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_optimizer){
        .context = context, .module = module, .fallback = fallback, .references = 1, .library = library
    };
    if (module->size < sizeof *module) {
        made->completed = complete;
        made->module = &made->completed;
    }
    memcpy(made->values, values, sizeof values);
    *optimizer = made;
    return THAW_OK;
}

/* Splits a description at the colon after the name; in a path, the first colon after the last '/'. */
static const char *settings_of(const char *description)
{
    const char *slash = strrchr(description, '/');
    return strchr(slash ? slash : description, ':');
}

static thaw_status create_by_name(thaw_context *context, const char *name, const char *settings,
                                  thaw_optimizer **optimizer)
{
    const thaw_optimizer_module *module = NULL;
    void *library = NULL;
    thaw_status status = strchr(name, '/') ? thaw_module_open(context, name, &module, &library)
                                           : thaw_builtin_module_find(context, name, &module);
    if (status == THAW_OK)
        status = create(context, module, settings, library, optimizer);
    if (status != THAW_OK)
        thaw_module_file_close(library);
    return status;
}

thaw_status thaw_optimizer_create(thaw_context *context, const char *description, thaw_optimizer **optimizer)
{
    *optimizer = NULL;
    if (!description)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "an optimizer's description is missing");
    char *name = thaw_copy_text(context, description);
    if (!name)
        return THAW_OUT_OF_MEMORY;
    const char *colon = settings_of(description);
    if (colon)
        name[colon - description] = '\0';
    const thaw_status status = create_by_name(context, name, colon ? colon + 1 : NULL, optimizer);
    thaw_release(context, name);
    return status;
}

thaw_status thaw_optimizer_create_from(thaw_context *context, const thaw_optimizer_module *module, const char *settings,
                                       thaw_optimizer **optimizer)
{
    *optimizer = NULL;
    char message[THAW_HEAD_MESSAGE_BYTES];
    const char *error = module ? thaw_module_error(module, message) : "it is missing";
    if (error)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "an optimizer's module: %s", error);
    return create(context, thaw_module_at_level(context->level, module), settings, NULL, optimizer);
}

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

thaw_status thaw_optimizer_set(thaw_optimizer *optimizer, const char *name, double value)
{
    double values[THAW_MAX_HYPERPARAMETERS];
    memcpy(values, optimizer->values, sizeof values);
    thaw_status status = thaw_setting_apply(optimizer->context, optimizer->module, name, value, values);
    if (status == THAW_OK)
        status = thaw_settings_check(optimizer->context, optimizer->module, values);
    if (status != THAW_OK)
        return status;
    const unsigned used_before = used_slots(optimizer);
    memcpy(optimizer->values, values, sizeof values);
    optimizer->revision += used_slots(optimizer) != used_before || sizes_memory(optimizer->module, name);
    return THAW_OK;
}

double thaw_optimizer_get(const thaw_optimizer *optimizer, const char *name)
{
    const int index = thaw_hyperparameter_index(optimizer->module, name);
    return index < 0 ? NAN : optimizer->values[index];
}

const thaw_optimizer_module *thaw_optimizer_module_of(const thaw_optimizer *optimizer)
{
    return optimizer->module;
}

bool thaw_module_uses_slot(const thaw_optimizer_module *module, const double *values, size_t slot)
{
    return slot < module->slot_count && (!module->uses_slot || module->uses_slot(values, slot));
}

thaw_slot_shape thaw_module_slot_shape(const thaw_optimizer_module *module, size_t slot)
{
    return module->slot_shapes ? module->slot_shapes[slot] : THAW_SLOT_WHOLE;
}
