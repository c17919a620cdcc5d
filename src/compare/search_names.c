#include "compare/search_names.h"

#include <string.h>

#include "core/allocation.h"
#include "core/nearest.h"
#include "params/optimizer.h"

thaw_status thaw_search_names_add(thaw_search_names *names, const char *name)
{
    if (thaw_search_names_have(names, name, strlen(name)))
        return THAW_OK;
    char **grown = thaw_grow(names->context, names->list, &names->capacity, names->count + 1, sizeof *grown);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    names->list = grown;
    names->list[names->count] = thaw_copy_text(names->context, name);
    return names->list[names->count] && ++names->count ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_search_names_add_settings(thaw_search_names *names, const thaw_optimizer *optimizer)
{
    thaw_setting setting;
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && thaw_optimizer_setting(optimizer, i, &setting); i++)
        status = thaw_search_names_add(names, setting.name);
    return status;
}

thaw_status thaw_search_names_add_all_settings(thaw_search_names *names)
{
    const thaw_optimizer_module *module;
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && (module = thaw_optimizer_builtin(i)); i++)
        for (size_t k = 0; status == THAW_OK && k < module->hyperparameter_count; k++)
            status = thaw_search_names_add(names, module->hyperparameters[k].name);
    return status;
}

thaw_status thaw_search_names_add_modules(thaw_search_names *names)
{
    const thaw_optimizer_module *module;
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && (module = thaw_optimizer_builtin(i)); i++)
        status = thaw_search_names_add(names, module->name);
    for (size_t i = 0; status == THAW_OK && (module = thaw_optimizer_builtin_wrapper(i)); i++)
        status = thaw_search_names_add(names, module->name);
    return status;
}

bool thaw_search_names_have(const thaw_search_names *names, const char *name, size_t length)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->list[i]) == length && memcmp(names->list[i], name, length) == 0)
            return true;
    return false;
}

thaw_status thaw_search_names_refuse(const thaw_search_names *names, const char *what, const char *name)
{
    return thaw_fail_unknown(names->context, what, name, (const char *const *)names->list, names->count);
}

void thaw_search_names_release(thaw_search_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        thaw_release(names->context, names->list[i]);
    thaw_release(names->context, (void *)names->list);
    *names = (thaw_search_names){ .context = names->context };
}
