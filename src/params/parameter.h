/* Parameters and groups as the library sees them, and the set that a model holds. */
#ifndef THAW_PARAMS_PARAMETER_H
#define THAW_PARAMS_PARAMETER_H

#include <thaw/combine.h>
#include <thaw/layer_module.h>
#include <thaw/optimizer_module.h>

/* A parameter's own word against its group's flag. */
typedef enum thaw_override { THAW_OVERRIDE_NONE, THAW_OVERRIDE_FROZEN, THAW_OVERRIDE_TRAINABLE } thaw_override;

struct thaw_parameter {
    char *name;
    thaw_role role;
    thaw_shape shape;
    size_t count;
    thaw_group *group;
    thaw_override override;

    float *data;
    bool absent; /* `data` has lost values, which its keeper writes: see keeping.h */
    bool lent;   /* the host may hold a pointer to `data`: values stay there */
    const thaw_layer_module *keeper;
    const thaw_layer_run *kept; /* what the keeper's `unpack` takes */
    float *gradient;            /* only while it trains */
    thaw_gradient_rows gradient_rows;
    size_t gradient_row_capacity;
    float *slot[THAW_MAX_SLOTS];         /* only what its optimizer uses, from when it first trained */
    uint64_t slot_steps[THAW_MAX_SLOTS]; /* in which each was used */
    uint64_t steps;
    uint64_t version; /* counts changes of the data, so that packed copies know when they are old */

    thaw_expression *stored; /* the tensor as a leaf of expressions */
    thaw_expression *bound;  /* what its layer gets in its place, or NULL */
    bool part;               /* of what some layer's parameter is bound to */
    bool in_use;             /* a layer's and unbound, or such a part: counted, saved and loaded */
    bool removed;            /* from the model, by a merge */

    uint64_t *frozen_elements; /* a bit for each element: 1 in frozen slices; NULL: there are none */
    uint64_t *held;            /* likewise: 1 where updates keep the value; made for the update list, NULL: nowhere */
    uint64_t counted;          /* stamp of the last count that met it */

    thaw_initializer initializer;
    double fan_in, fan_out;
    size_t zeros_at, zeros;
    thaw_stream random; /* of its initial values */
};

struct thaw_group {
    char *name;
    bool trainable;
    double learning_rate, weight_decay; /* NAN: the optimizer's */
    thaw_optimizer *optimizer;          /* a reference; NULL before one is set */
    thaw_parameter *parameters[THAW_MAX_PARAMETERS];
    size_t parameter_count;
    bool added; /* no layer's: its parameters were made for expressions */
};

typedef struct thaw_parameter_set {
    thaw_context *context;
    thaw_group **groups;
    size_t group_count, group_capacity;
    thaw_parameter **parameters; /* owned here, in the order of registration */
    size_t parameter_count, parameter_capacity;
    thaw_expression **expressions; /* owned here, leaves apart */
    size_t expression_count, expression_capacity;
    thaw_group **removed; /* groups that merges have removed */
    size_t removed_count, removed_capacity;
    uint64_t stamp;    /* of the last walk over expressions */
    uint64_t bindings; /* counts changes of what parameters are bound to */
    uint64_t revision; /* counts what makes plans stale */
    uint64_t absences; /* counts how often a layer let go of values, which other plans may read */
} thaw_parameter_set;

/* Appends an empty, trainable group. */
thaw_status thaw_set_add_group(thaw_parameter_set *set, const char *name, thaw_group **group);

/* Appends a parameter to the set's last group and initialises it. `node` keys its random numbers. */
thaw_status thaw_set_add_parameter(thaw_parameter_set *set, const thaw_parameter_specification *specification,
                                   uint32_t node);

/* What keys the random numbers of the next parameter that is no layer's: apart from all nodes. */
uint32_t thaw_set_random_node(const thaw_parameter_set *set);

/* The same for any group, under a full name of its own. */
thaw_status thaw_set_add_named(thaw_parameter_set *set, thaw_group *group, const char *name,
                               const thaw_parameter_specification *specification, uint32_t node,
                               thaw_parameter **parameter);

/* Adds a parameter of no layer to an added group, or where `group` is NULL to a new one of this name. Errors:
   THAW_DUPLICATE, THAW_INVALID_ARGUMENT (more than THAW_MAX_PARAMETERS), THAW_OUT_OF_MEMORY. */
thaw_status thaw_set_add(thaw_parameter_set *set, thaw_group *group, const char *group_name,
                         const thaw_parameter_specification *specification, thaw_parameter **parameter);

/* Makes room for the removal of all groups. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_set_prepare_removal(thaw_parameter_set *set);

/* Takes a group out of the set, after the call above; it and its parameters live on, out of use, until the set is
   released. */
void thaw_set_remove_group(thaw_parameter_set *set, thaw_group *group);

/* Removes the last group with its parameters: a layer that failed to build leaves nothing. */
void thaw_set_drop_group(thaw_parameter_set *set);

void thaw_set_release(thaw_parameter_set *set);

/* Why no initial values can be drawn like this, to follow the parameter's name; NULL when they can. */
const char *thaw_initializer_error(thaw_initializer initializer, double fan_in, double fan_out);

/* Writes the initial values again and forgets optimizer state. */
void thaw_parameter_initialize(thaw_context *context, thaw_parameter *parameter);

/* Likewise, with values that were not drawn before. */
void thaw_parameter_reset(thaw_context *context, thaw_parameter *parameter);

/* Frees optimizer state and starts counting steps at zero. */
void thaw_parameter_release_state(thaw_context *context, thaw_parameter *parameter);

/* ---- selection ---- */

/* What a pattern selects, one by one: a whole group (parameter NULL), or a single parameter. */
typedef struct thaw_selected {
    thaw_group *group;
    thaw_parameter *parameter;
} thaw_selected;

/* Calls `visit` on everything that matches. Errors: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT (pattern); before any call. */
thaw_status thaw_set_select(const thaw_parameter_set *set, const char *pattern,
                            void (*visit)(void *argument, thaw_selected selected), void *argument);

/* Whether a pattern selects this parameter, by its group or by its own name. The pattern must be well formed. */
bool thaw_parameter_selected(const thaw_parameter *parameter, const char *pattern);

#endif
