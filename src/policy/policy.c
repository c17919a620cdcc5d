/* Makes policies from their descriptions. */
#include "policy/policy.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/allocation.h"
#include "core/nearest.h"
#include "core/text.h"
#include "io/module_file.h"
#include "params/settings.h"

static const thaw_module_kind kind = {
    .name = "a policy module",
    .abi = THAW_POLICY_ABI,
    .least = offsetof(thaw_policy_module, decide) + sizeof(((thaw_policy_module *)0)->decide),
    .whole = sizeof(thaw_policy_module),
};

static thaw_policy_module complete(const thaw_policy_module *module)
{
    thaw_policy_module whole = { 0 };
    memcpy(&whole, module, module->size < sizeof whole ? module->size : sizeof whole);
    return whole;
}

static const char *module_error(const void *module, char message[THAW_HEAD_MESSAGE_BYTES])
{
    const thaw_policy_module *given = module;
    const thaw_module_head head = { given->size, given->abi };
    if (thaw_module_head_error(&kind, &head, message))
        return message;
    const thaw_policy_module whole = complete(given);
    if (!whole.decide)
        return "it has no decide function";
    return thaw_hyperparameters_error(whole.name, whole.settings, whole.setting_count);
}

const thaw_policy_module *thaw_policy_builtin(size_t index)
{
    return index < thaw_policy_module_count ? thaw_policy_modules[index] : NULL;
}

static thaw_status find_builtin(thaw_context *context, const char *name, const thaw_policy_module **module)
{
    enum { MOST_NAMES = 64 };
    const char *known[MOST_NAMES];
    size_t count = 0;
    for (; count < thaw_policy_module_count && count < MOST_NAMES; count++) {
        *module = thaw_policy_modules[count];
        known[count] = (*module)->name;
        if (strcmp(known[count], name) == 0)
            return THAW_OK;
    }
    return thaw_fail_unknown(context,
                             strstr(name, ".so") ? "policy (the path of a shared object contains a '/')" : "policy",
                             name, known, count);
}

/* Takes over `library` on success. */
static thaw_status create(thaw_context *context, const thaw_policy_module *module, const char *name,
                          const char *settings, void *library, thaw_policy **policy)
{
    const thaw_policy_module whole = complete(module);
    const thaw_optimizer_module table = { .name = whole.name,
                                          .hyperparameters = whole.settings,
                                          .hyperparameter_count = whole.setting_count };
    double values[THAW_MAX_HYPERPARAMETERS] = { 0 };
    const thaw_status status = thaw_settings_parse(context, &table, settings, values);
    if (status != THAW_OK)
        return status;
    thaw_policy *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_policy){ .context = context, .module = whole, .name = thaw_copy_text(context, name) };
    memcpy(made->settings, values, sizeof values);
    if (!made->name) {
        thaw_release(context, made);
        return THAW_OUT_OF_MEMORY;
    }
    made->library = library;
    *policy = made;
    return THAW_OK;
}

/* The length of the name or path at the beginning of a description: up to the colon after the last slash. */
static size_t head_length(const char *description)
{
    const char *slash = strrchr(description, '/'), *name = slash ? slash : description;
    return (size_t)(name - description) + strcspn(name, ":");
}

static thaw_status open_module(thaw_context *context, const char *path, const thaw_policy_module **module,
                               void **library)
{
    static const thaw_module_file_kind wanted = { .what = "policy module",
                                                  .type = "thaw_policy_module",
                                                  .abi = THAW_POLICY_ABI,
                                                  .alignment = _Alignof(thaw_policy_module),
                                                  .error = module_error };
    const void *found = NULL;
    const thaw_status status = thaw_module_file_open(context, path, &wanted, &found, library);
    if (status == THAW_OK)
        *module = found;
    return status;
}

thaw_status thaw_policy_create(thaw_context *context, const char *description, thaw_policy **policy)
{
    *policy = NULL;
    if (!description)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "a policy's description is missing");
    char *name = thaw_copy_text(context, description);
    if (!name)
        return THAW_OUT_OF_MEMORY;
    const size_t length = head_length(description);
    const thaw_policy_module *module = NULL;
    void *library = NULL;
    name[length] = '\0';
    thaw_status status =
        strchr(name, '/') ? open_module(context, name, &module, &library) : find_builtin(context, name, &module);
    if (status == THAW_OK)
        status =
            create(context, module, description, description + length + (description[length] == ':'), library, policy);
    if (status != THAW_OK)
        thaw_module_file_close(library);
    thaw_release(context, name);
    return status;
}

thaw_status thaw_policy_create_from(thaw_context *context, const thaw_policy_module *module, const char *settings,
                                    thaw_policy **policy)
{
    *policy = NULL;
    char message[THAW_HEAD_MESSAGE_BYTES];
    const char *error = module ? module_error(module, message) : "it is missing";
    if (error)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "a policy's module: %s", error);
    thaw_text text = { .context = context };
    char *name;
    thaw_text_append(&text, "%s%s%s", module->name, settings && *settings ? ":" : "", settings ? settings : "");
    thaw_status status = thaw_text_finish(&text, &name);
    if (status == THAW_OK)
        status = create(context, module, name, settings, NULL, policy);
    thaw_text_destroy(context, name);
    return status;
}

void thaw_policy_destroy(thaw_policy *policy)
{
    if (!policy)
        return;
    thaw_module_file_close(policy->library);
    thaw_release(policy->context, policy->name);
    thaw_release(policy->context, policy);
}

const char *thaw_policy_name(const thaw_policy *policy)
{
    return policy->name;
}

double thaw_policy_get(const thaw_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->module.setting_count; i++)
        if (strcmp(policy->module.settings[i].name, name) == 0)
            return policy->settings[i];
    return NAN;
}

const char *thaw_policy_act_name(thaw_policy_act act)
{
    static const char *const names[] = { "freeze", "unfreeze", "rate", "limit" };
    return (size_t)act < THAW_COUNT(names) ? names[act] : NULL;
}
