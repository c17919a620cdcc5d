#include <string.h>

#include "core/allocation.h"
#include "core/cpu.h"
#include "core/nearest.h"
#include "params/module_source.h"
#include "params/optimizer.h"

const thaw_optimizer_module *const *thaw_builtin_modules(void)
{
#ifdef __x86_64__
    static const thaw_optimizer_module *const *const builds[] = {
        [THAW_CPU_BASELINE] = thaw_optimizer_modules_baseline,
        [THAW_CPU_V3] = thaw_optimizer_modules_v3,
        [THAW_CPU_V4] = thaw_optimizer_modules_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return thaw_optimizer_modules_baseline;
#endif
}

const thaw_optimizer_module *thaw_optimizer_builtin(size_t index)
{
    const thaw_optimizer_module *const *module = thaw_builtin_modules();
    while (*module && index--)
        module++;
    return *module;
}

static thaw_status unknown_module(thaw_context *context, const char *name, size_t count)
{
    const char **known = thaw_allocate_array(context, count, sizeof *known);
    if (!known)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        known[i] = thaw_optimizer_builtin(i)->name;
    const char *what = strstr(name, ".so") ? "optimizer (the path of a shared object contains a '/')" : "optimizer";
    const thaw_status status = thaw_fail_unknown(context, what, name, known, count);
    thaw_release(context, known);
    return status;
}

thaw_status thaw_builtin_module_find(thaw_context *context, const char *name, const thaw_optimizer_module **module)
{
    const thaw_optimizer_module *const *known = thaw_builtin_modules();
    size_t count = 0;
    for (; known[count]; count++) {
        if (strcmp(known[count]->name, name) != 0)
            continue;
        *module = known[count];
        return THAW_OK;
    }
    return unknown_module(context, name, count);
}
