/* The internals of an adaptive policy. */
#ifndef THAW_POLICY_POLICY_H
#define THAW_POLICY_POLICY_H

#include <thaw/policy_module.h>

struct thaw_policy {
    thaw_context *context;
    thaw_policy_module module; /* a copy, with zeros where it was compiled for an older, shorter struct */
    double settings[THAW_MAX_HYPERPARAMETERS];
    char *name;    /* as it was described */
    void *library; /* the shared object it came from, or NULL */
};

/* The built-in modules: made by src/policy/meson.build. */
extern const thaw_policy_module *const thaw_policy_modules[];
extern const size_t thaw_policy_module_count;

#endif
