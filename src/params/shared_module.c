#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "params/module_source.h"
#include "params/settings.h"

thaw_status thaw_module_open(thaw_context *context, const char *path, const thaw_optimizer_module **module,
                             void **library)
{
    if (access(path, R_OK) != 0)
        return thaw_fail(context, THAW_IO_ERROR, "optimizer module %s: %s", path, strerror(errno));
    void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened)
        return thaw_fail(context, THAW_BAD_FORMAT, "optimizer module %s does not load: %s", path, dlerror());
    const thaw_optimizer_module *found = dlsym(opened, "thaw_module");
    const char *error = found ? thaw_module_error(found) : "it does not define thaw_module";
    if (error) {
        dlclose(opened);
        return thaw_fail(context, THAW_BAD_FORMAT, "optimizer module %s: %s", path, error);
    }
    *module = found;
    *library = opened;
    return THAW_OK;
}

void thaw_module_close(void *library)
{
    if (library)
        dlclose(library);
}
