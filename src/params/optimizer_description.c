/* Makes optimizers from their descriptions. */
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "io/module_file.h"
#include "params/module_source.h"
#include "params/optimizer.h"
#include "params/settings.h"
#include "params/state_setting.h"

/* The module for parameters that `module` does not suit. */
static thaw_status find_fallback(thaw_context *context, const thaw_optimizer_module *module,
                                 const thaw_optimizer_module **fallback)
{
    *fallback = NULL;
    if (!module->fallback)
        return THAW_OK;
    const thaw_status status = thaw_builtin_module_find(context, module->fallback, fallback);
    if (status == THAW_OK && ((*fallback)->suits || (*fallback)->wraps))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: its fallback, %s, must be for all parameters",
                         module->name, module->fallback);
    return status;
}

/* Takes over `library` on success. */
static thaw_status create_one(thaw_context *context, const thaw_optimizer_module *module, const char *settings,
                              void *library, thaw_optimizer **optimizer)
{
    const thaw_optimizer_module complete = thaw_module_complete(module);
    double values[THAW_MAX_HYPERPARAMETERS] = { 0 };
    const thaw_optimizer_module *fallback;
    thaw_dtype state = THAW_F32;
    char *numbers = NULL;
    thaw_status status = find_fallback(context, &complete, &fallback);
    if (status == THAW_OK)
        status = thaw_state_setting_take(context, &complete, settings, &numbers, &state);
    if (status == THAW_OK)
        status = thaw_settings_parse(context, &complete, numbers, values);
    thaw_release(context, numbers);
    if (status != THAW_OK)
        return status;
    thaw_optimizer *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_optimizer){
        .context = context, .module = module, .fallback = fallback, .state = state, .references = 1, .library = library
    };
    if (module->size < sizeof *module) {
        made->completed = complete;
        made->module = &made->completed;
    }
    memcpy(made->values, values, sizeof values);
    status = thaw_state_setting_name(context, module, state, &made->name);
    if (status == THAW_OK)
        *optimizer = made;
    else
        thaw_release(context, made);
    return status;
}

static bool is_builtin(const char *name, size_t length)
{
    const thaw_optimizer_module *module;
    for (size_t i = 0; (module = thaw_builtin_module(THAW_CPU_BASELINE, i)); i++)
        if (strncmp(module->name, name, length) == 0 && !module->name[length])
            return true;
    return false;
}

/* The length of the name or path at the beginning of a description. A path ends with its first ".so" that a colon or a
   slash follows, or else at the first colon after the last slash. */
static size_t head_length(const char *description)
{
    const size_t name = strcspn(description, ":/");
    const char *slash = strrchr(description, '/');
    if (!slash || is_builtin(description, name))
        return name;
    for (const char *end = strstr(description, ".so"); end; end = strstr(end + 1, ".so"))
        if (end[3] == ':' || end[3] == '/')
            return (size_t)(end - description) + 3;
    return (size_t)(slash - description) + strcspn(slash, ":");
}

/* `settings` is [SETTINGS], and for a wrapper [SETTINGS]/OPTIMIZER. Takes over `library` on success. */
static thaw_status create(thaw_context *context, const thaw_optimizer_module *module, const char *settings,
                          void *library, thaw_optimizer **optimizer)
{
    const char *slash = strchr(settings, '/');
    if (!thaw_module_complete(module).wraps) {
        if (slash == settings)
            return thaw_fail(context, THAW_INVALID_ARGUMENT,
                             "%s: wraps no other optimizer; a path in the current folder begins with ./", module->name);
        return create_one(context, module, settings, library, optimizer);
    }
    if (!slash || !slash[1])
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: wraps another optimizer, such as %s/adamw", module->name,
                         module->name);
    char *own = thaw_copy_text(context, settings);
    thaw_optimizer *wrapper = NULL, *wrapped = NULL;
    if (!own)
        return THAW_OUT_OF_MEMORY;
    own[slash - settings] = '\0';
    thaw_status status = create_one(context, module, own, NULL, &wrapper);
    if (status == THAW_OK)
        status = thaw_optimizer_create(context, slash + 1, &wrapped);
    if (status == THAW_OK)
        status = thaw_optimizer_wrap(wrapped, wrapper);
    thaw_release(context, own);
    if (status != THAW_OK) {
        thaw_optimizer_destroy(wrapped);
        thaw_optimizer_destroy(wrapper);
        return status;
    }
    wrapper->library = library;
    *optimizer = wrapped;
    return THAW_OK;
}

static thaw_status find_module(thaw_context *context, const char *name, const thaw_optimizer_module **module,
                               void **library)
{
    return strchr(name, '/') ? thaw_module_open(context, name, module, library)
                             : thaw_builtin_module_find(context, name, module);
}

thaw_status thaw_optimizer_create(thaw_context *context, const char *description, thaw_optimizer **optimizer)
{
    *optimizer = NULL;
    if (!description)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "an optimizer's description is missing");
    char *name = thaw_copy_text(context, description);
    if (!name)
        return THAW_OUT_OF_MEMORY;
    const size_t length = head_length(description);
    const thaw_optimizer_module *module = NULL;
    void *library = NULL;
    name[length] = '\0';
    thaw_status status = find_module(context, name, &module, &library);
    const char *rest = description + length + (description[length] == ':');
    if (status == THAW_OK)
        status = create(context, module, rest, library, optimizer);
    if (status != THAW_OK)
        thaw_module_file_close(library);
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
    return create(context, thaw_module_at_level(context->level, module), settings ? settings : "", NULL, optimizer);
}
