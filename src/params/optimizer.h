/* The internals of an optimizer. */
#ifndef THAW_PARAMS_OPTIMIZER_H
#define THAW_PARAMS_OPTIMIZER_H

#include <thaw/optimizer_module.h>

struct thaw_optimizer {
    thaw_context *context;
    const thaw_optimizer_module *module;
    thaw_optimizer_module completed; /* what `module` points to when it was compiled for an older, shorter struct */
    const thaw_optimizer_module *fallback; /* for parameters that it does not suit, or NULL */
    double values[THAW_MAX_HYPERPARAMETERS];
    size_t references;
    uint64_t revision; /* counts changes of the set of used slots, and of what sizes memory */
    void *library;     /* the shared object it came from, or NULL */
};

thaw_optimizer *thaw_optimizer_retain(thaw_optimizer *optimizer);

/* Index of a hyper-parameter by name, or -1. */
int thaw_hyperparameter_index(const thaw_optimizer_module *module, const char *name);

bool thaw_module_uses_slot(const thaw_optimizer_module *module, const double *values, size_t slot);

thaw_slot_shape thaw_module_slot_shape(const thaw_optimizer_module *module, size_t slot);

#endif
