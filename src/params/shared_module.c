#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "params/module_source.h"
#include "params/settings.h"

/* Why what the shared object calls `thaw_module` cannot be read as a module, or NULL. Its own `size` is checked against
   the symbol's, so that nothing behind it is read. */
static const char *object_error(const void *found, char message[THAW_HEAD_MESSAGE_BYTES])
{
    if (!found)
        return "it does not define thaw_module";
    Dl_info unused;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(found, &unused, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
        ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
        return "its thaw_module is not an object, must be a const thaw_optimizer_module";
    const size_t bytes = (size_t)symbol->st_size;
    if (bytes < sizeof(thaw_module_head)) {
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its thaw_module has %zu bytes, must have at least %zu", bytes,
                 sizeof(thaw_module_head));
        return message;
    }
    const thaw_module_head *head = found;
    if (head->abi == THAW_OPTIMIZER_ABI && head->size > bytes) {
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its thaw_module has %zu bytes, its size says %zu", bytes,
                 head->size);
        return message;
    }
    return NULL;
}

thaw_status thaw_module_open(thaw_context *context, const char *path, const thaw_optimizer_module **module,
                             void **library)
{
    if (access(path, R_OK) != 0)
        return thaw_fail(context, THAW_IO_ERROR, "optimizer module %s: %s", path, strerror(errno));
    void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened)
        return thaw_fail(context, THAW_BAD_FORMAT, "optimizer module %s does not load: %s", path, dlerror());
    const void *found = dlsym(opened, "thaw_module");
    char message[THAW_HEAD_MESSAGE_BYTES];
    const char *error = object_error(found, message);
    if (!error)
        error = thaw_module_error(found, message);
    if (error) {
        const thaw_status status = thaw_fail(context, THAW_BAD_FORMAT, "optimizer module %s: %s", path, error);
        dlclose(opened);
        return status;
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
