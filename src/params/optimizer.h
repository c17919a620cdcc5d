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
    thaw_dtype state; /* of slots that have a range: THAW_F32, THAW_BF16, or THAW_U8 for blocks of 8 bits */
    size_t references;
    uint64_t revision; /* counts changes of the set of used slots, and of what sizes memory */
    void *library;     /* the shared object it came from, or NULL */
    char *name;        /* with those of its wrappers, and its state if not in floats: "lookahead/adamw:state=8bit" */
    thaw_optimizer
        *wrapper; /* the innermost, which has the next one out; NULL: none. Owned, and held by nothing else */
};

thaw_optimizer *thaw_optimizer_retain(thaw_optimizer *optimizer);

/* Index of a hyper-parameter by name, or -1. */
int thaw_hyperparameter_index(const thaw_optimizer_module *module, const char *name);

bool thaw_module_uses_slot(const thaw_optimizer_module *module, const double *values, size_t slot);

/* Whether the slot may be kept in fewer bits than 32. */
bool thaw_module_rounds_slot(const thaw_optimizer_module *module, size_t slot);

thaw_slot_shape thaw_module_slot_shape(const thaw_optimizer_module *module, size_t slot);

/* Whether the modules of two optimizers, and of their wrappers, are the same, and keep their state alike. */
bool thaw_optimizer_same_kind(const thaw_optimizer *left, const thaw_optimizer *right);

/* Whether a wrapper needs a copy of the parameters before a step: it compares, or puts them back. */
bool thaw_optimizer_copies(const thaw_optimizer *optimizer);

enum { THAW_SETTING_BYTES = 128 };

/* A hyper-parameter of an optimizer, or of a wrapper: "lookahead_k". */
typedef struct thaw_setting {
    char name[THAW_SETTING_BYTES];
    double *value;
} thaw_setting;

/* Number `index` of the hyper-parameters of an optimizer and of its wrappers, from the inside out. False past the
   end. */
bool thaw_optimizer_setting(const thaw_optimizer *optimizer, size_t index, thaw_setting *setting);

/* Puts `wrapper`, whose module is one, around an optimizer that nobody else holds, and takes it over. Errors:
   THAW_INVALID_ARGUMENT (the two do not go together), THAW_OUT_OF_MEMORY. */
thaw_status thaw_optimizer_wrap(thaw_optimizer *optimizer, thaw_optimizer *wrapper);

#endif
