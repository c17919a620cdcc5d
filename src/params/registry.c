#include <string.h>
#include <thaw/runtime.h>

#include "core/context.h"
#include "core/nearest.h"
#include "params/module_source.h"

const thaw_optimizer_module *thaw_optimizer_builtin(size_t index)
{
    const thaw_optimizer_module *module = thaw_builtin_module(thaw_cpu_detect(), index);
    return module && !module->wraps ? module : NULL;
}

const thaw_optimizer_module *thaw_optimizer_builtin_wrapper(size_t index)
{
    size_t optimizers = 0;
    while (thaw_optimizer_builtin(optimizers))
        optimizers++;
    return thaw_builtin_module(thaw_cpu_detect(), optimizers + index);
}

const thaw_optimizer_module *thaw_module_at_level(thaw_cpu_level level, const thaw_optimizer_module *module)
{
    for (size_t i = 0; thaw_builtin_module(level, i); i++)
        for (thaw_cpu_level built = THAW_CPU_BASELINE; built <= THAW_CPU_V4; built++)
            if (module == thaw_builtin_module(built, i))
                return thaw_builtin_module(level, i);
    return module;
}

static thaw_status unknown_module(thaw_context *context, const char *name, size_t count)
{
    const char **known = thaw_allocate_array(context, count, sizeof *known);
    if (!known)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        known[i] = thaw_builtin_module(context->level, i)->name;
    const char *what = strstr(name, ".so") ? "optimizer (the path of a shared object contains a '/')" : "optimizer";
    const thaw_status status = thaw_fail_unknown(context, what, name, known, count);
    thaw_release(context, known);
    return status;
}

thaw_status thaw_builtin_module_find(thaw_context *context, const char *name, const thaw_optimizer_module **module)
{
    const thaw_optimizer_module *known;
    size_t count = 0;
    for (; (known = thaw_builtin_module(context->level, count)); count++) {
        if (strcmp(known->name, name) != 0)
            continue;
        *module = known;
        return THAW_OK;
    }
    return unknown_module(context, name, count);
}
