/* Adaptive policies: what trains is decided while a run goes on, by looking at it. A strategy (thaw/strategy.h) says it
   beforehand. thaw_fit_options.policy takes one; thaw/policy_module.h describes what they are made of. */
#ifndef THAW_POLICY_H
#define THAW_POLICY_H

#include <thaw/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A policy module with values for its settings. It holds nothing of a run, so several runs may share it. */
typedef struct thaw_policy thaw_policy;
typedef struct thaw_policy_module thaw_policy_module;

/* Creates a policy from its description: a built-in module's name (thaw_policy_builtin) or the path of a shared object,
   followed by settings: "auto", "auto:tolerance=0.5%", "./mine.so:every=20". A number may end in %. The path must
   contain a '/', and the object must define `const thaw_policy_module thaw_module`. The caller owns the policy
   (thaw_policy_destroy).
   Errors: THAW_NOT_FOUND (unknown name or setting; the message lists the known ones), THAW_INVALID_ARGUMENT (a value
   that is no finite number or out of range), THAW_IO_ERROR (the file cannot be read), THAW_BAD_FORMAT (no shared object,
   or its module is not one: another abi, a struct that is too short or too long), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_policy_create(thaw_context *context, const char *description, thaw_policy **policy);

/* The same with a module of the caller's, which must outlive the policy. `settings` is "every=20,blocks=2", NULL or ""
   for the defaults. Errors: as for settings above; THAW_INVALID_ARGUMENT (the module). */
THAW_API thaw_status thaw_policy_create_from(thaw_context *context, const thaw_policy_module *module,
                                             const char *settings, thaw_policy **policy);

/* NULL is allowed. No run may use it any more. */
THAW_API void thaw_policy_destroy(thaw_policy *policy);

/* As it was described: "auto:tolerance=0.5%". It belongs to the policy. */
THAW_API const char *thaw_policy_name(const thaw_policy *policy);

/* The value of a setting; NAN if the module has none of that name. */
THAW_API double thaw_policy_get(const thaw_policy *policy, const char *name);

/* The built-in modules, in alphabetical order; NULL past the end. Static storage; thread-safe. */
THAW_API const thaw_policy_module *thaw_policy_builtin(size_t index);

/* What a policy does to blocks of a network (thaw/strategy.h). */
typedef enum thaw_policy_act {
    THAW_POLICY_FREEZE,
    THAW_POLICY_UNFREEZE,
    THAW_POLICY_RATE, /* the learning rate becomes `value` times what it was when the run began */
    THAW_POLICY_LIMIT /* told to hosts alone: the run has compiled as often as it may, and the policy rests from now on */
} thaw_policy_act;

/* "freeze", "unfreeze", "rate" or "limit"; NULL for another value. Static. */
THAW_API const char *thaw_policy_act_name(thaw_policy_act act);

/* An action of a policy, as a run tells it. Strings are valid during the call that receives this. */
typedef struct thaw_policy_effect {
    int epoch;                   /* the epoch that goes on or begins, from 1 */
    size_t step;                 /* steps of the run before it */
    thaw_policy_act act;         /* what was done */
    size_t first, last;          /* to these blocks, from 0 at the bottom */
    size_t blocks;               /* of the network */
    const char *first_name;      /* the names of the two */
    const char *last_name;       /* as above */
    double value;                /* of THAW_POLICY_RATE; else 0 */
    const char *reason;          /* the policy's, one line */
    size_t trainable_parameters; /* trainable elements of the whole model, after all actions of this decision */
} thaw_policy_effect;

#ifdef __cplusplus
}
#endif

#endif
