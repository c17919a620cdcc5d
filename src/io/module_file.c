#include "io/module_file.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "io/regular_file.h"

typedef struct byte_range {
    uintptr_t begin;
    size_t bytes;
} byte_range;

/* For dl_iterate_phdr: 1 if the range lies in one readable segment of the object. */
static int has_readable(struct dl_phdr_info *object, size_t unused, void *argument)
{
    (void)unused;
    const byte_range *range = argument;
    for (size_t i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        const uintptr_t begin = object->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && segment->p_flags & PF_R && range->begin >= begin &&
            range->begin - begin <= segment->p_memsz && range->bytes <= segment->p_memsz - (range->begin - begin))
            return 1;
    }
    return 0;
}

/* The size of the readable object that a symbol names; 0 if it names something else, such as a function. */
static size_t object_bytes(const void *found)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(found, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || info.dli_saddr != found ||
        ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
        return 0;
    byte_range range = { (uintptr_t)found, (size_t)symbol->st_size };
    return dl_iterate_phdr(has_readable, &range) ? range.bytes : 0;
}

/* Why the shared object's `thaw_module` is no module, or NULL. Reads nothing outside of the object that the name
   denotes: any shared object may define this name, for anything. */
static const char *object_error(const thaw_module_file_kind *kind, const void *found,
                                char message[THAW_HEAD_MESSAGE_BYTES])
{
    if (!found)
        return "it does not define thaw_module";
    const size_t bytes = object_bytes(found);
    if (!bytes) {
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its thaw_module is not a readable object, must be a const %s",
                 kind->type);
        return message;
    }
    thaw_module_head head;
    if (bytes < sizeof head) {
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its thaw_module has %zu bytes, must have at least %zu", bytes,
                 sizeof head);
        return message;
    }
    memcpy(&head, found, sizeof head);
    if (head.abi == kind->abi && head.size > bytes) {
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its thaw_module has %zu bytes, its size says %zu", bytes,
                 head.size);
        return message;
    }
    if ((uintptr_t)found % kind->alignment) {
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its thaw_module is not aligned as a %s is", kind->type);
        return message;
    }
    return kind->error(found, message);
}

thaw_status thaw_module_file_open(thaw_context *context, const char *path, const thaw_module_file_kind *kind,
                                  const void **module, void **library)
{
    int descriptor; /* dlopen would wait for a FIFO's writer */
    thaw_status status = thaw_regular_file_open(context, path, &descriptor, NULL);
    if (status != THAW_OK)
        return thaw_fail(context, status, "%s %s", kind->what, thaw_context_message(context));
    close(descriptor);
    void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s %s does not load: %s", kind->what, path, dlerror());
    const void *found = dlsym(opened, "thaw_module");
    char message[THAW_HEAD_MESSAGE_BYTES];
    const char *error = object_error(kind, found, message);
    if (error) {
        status = thaw_fail(context, THAW_BAD_FORMAT, "%s %s: %s", kind->what, path, error);
        dlclose(opened);
        return status;
    }
    *module = found;
    *library = opened;
    return THAW_OK;
}

void thaw_module_file_close(void *library)
{
    if (library)
        dlclose(library);
}
