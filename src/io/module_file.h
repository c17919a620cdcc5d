/* Modules in shared objects, under the name `thaw_module`. */
#ifndef THAW_IO_MODULE_FILE_H
#define THAW_IO_MODULE_FILE_H

#include <thaw/context.h>

#include "core/module_head.h"

/* The kind of module that is wanted. */
typedef struct thaw_module_file_kind {
    const char *what; /* "optimizer module" */
    const char *type; /* "thaw_optimizer_module" */
    uint32_t abi;
    size_t alignment;
    /* Why the module is not usable, or NULL; it is readable up to its size. The text may be in `message`. */
    const char *(*error)(const void *module, char message[THAW_HEAD_MESSAGE_BYTES]);
} thaw_module_file_kind;

/* Loads the shared object at `path`; *library keeps it loaded (thaw_module_file_close). Errors: THAW_IO_ERROR
   (unreadable), THAW_BAD_FORMAT (not a shared object, or without a valid `thaw_module`). */
thaw_status thaw_module_file_open(thaw_context *context, const char *path, const thaw_module_file_kind *kind,
                                  const void **module, void **library);

/* NULL is allowed. */
void thaw_module_file_close(void *library);

#endif
