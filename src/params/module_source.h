/* Sources of optimizer modules: the registry of built-in ones, and shared objects. */
#ifndef THAW_PARAMS_MODULE_SOURCE_H
#define THAW_PARAMS_MODULE_SOURCE_H

#include <thaw/optimizer_module.h>

#include "core/cpu.h"

/* The built-in modules, in alphabetical order, and then the wrappers; NULL past the end. Results are the same bits at each level. */
const thaw_optimizer_module *thaw_builtin_module(thaw_cpu_level level, size_t index);

/* The build of a built-in module for `level`; other modules unchanged. */
const thaw_optimizer_module *thaw_module_at_level(thaw_cpu_level level, const thaw_optimizer_module *module);

/* Errors: THAW_NOT_FOUND, with the names in the message. */
thaw_status thaw_builtin_module_find(thaw_context *context, const char *name, const thaw_optimizer_module **module);

/* Loads the shared object at `path`, as thaw_module_file_open does. */
thaw_status thaw_module_open(thaw_context *context, const char *path, const thaw_optimizer_module **module,
                             void **library);

#endif
