/* The internal view of parameters and groups, and the set that a model holds. */
#ifndef THAW_PARAMS_PARAMETER_H
#define THAW_PARAMS_PARAMETER_H

#include <thaw/combine.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/optimizer_module.h>

/* A parameter's override of its group's flag. */
typedef enum thaw_override { THAW_OVERRIDE_NONE, THAW_OVERRIDE_FROZEN, THAW_OVERRIDE_TRAINABLE } thaw_override;

/* The state arrays of a parameter: those of its module, and behind them those of its optimizer's wrappers. */
enum { THAW_MOST_SLOTS = 2 * THAW_MAX_SLOTS };

struct thaw_parameter {
    char *name;
    thaw_role role;
    thaw_shape shape;
    size_t count;
    thaw_group *group;
    thaw_override override;

    float *data;
    bool absent; /* `data` is out of date; its keeper has the values: see keeping.h */
    bool lent;   /* the host may hold a pointer to `data`: values must stay there */
    const thaw_layer_capabilities *keeper;
    const thaw_layer_run *kept; /* an argument of the keeper's `unpack` */
    size_t kept_as;             /* another: its index there */
    float *gradient;            /* in the memory of an update list, while it trains; else NULL */
    thaw_gradient_rows gradient_rows;
    size_t gradient_row_capacity;
    void *slot[THAW_MOST_SLOTS];          /* only those its optimizer uses, created when it first trains: floats, or
                                             what thaw_parameter_kept_slot says */
    uint64_t slot_steps[THAW_MOST_SLOTS]; /* in which each was used */
    uint64_t steps;
    float *trained; /* the values that train, while `data` has the optimizer's view of them; else NULL */
    uint64_t trained_version;
    uint64_t version; /* counts changes of the data, so that packed copies can tell when they are stale */

    thaw_expression *stored; /* the tensor as a leaf of expressions */
    thaw_expression *bound;  /* what its layer uses instead, or NULL */
    bool is_operand;         /* a binding of a layer's parameter contains it */
    bool in_use;             /* of a layer and unbound, or in such a binding: counted, saved and loaded */
    bool removed;            /* from the model, by a merge */

    uint64_t *frozen_elements; /* one bit per element: 1 in frozen slices; NULL if none */

    thaw_initializer initializer;
    double fan_in, fan_out, constant;
    double initial_scale;    /* multiplies random initial values */
    thaw_position_grid grid; /* all 0: none */
    bool transposed;         /* in files of weights */
    bool table;
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
    bool added; /* belongs to no layer: its parameters were added for expressions */
};

typedef struct thaw_parameter_set {
    thaw_context *context;
    thaw_group **groups;
    size_t group_count, group_capacity;
    thaw_parameter **parameters; /* owned, in the order of registration */
    size_t parameter_count, parameter_capacity;
    thaw_expression **expressions; /* owned, without the leaves */
    size_t expression_count, expression_capacity;
    thaw_group **removed; /* groups that merges have removed */
    size_t removed_count, removed_capacity;
    size_t number_count; /* of expressions and stored tensors, including removed ones */
    uint32_t *notes;     /* for walks: a note for each number */
    size_t note_capacity;
    uint64_t bindings;  /* counts changes of bindings */
    uint64_t revision;  /* counts the changes that make plans stale */
    uint64_t freezings; /* of these, changes of nothing but what trains, by a policy */
    bool recurs;        /* what trains comes back: plans of other states are kept, and values stay in memory */
    uint64_t absences;  /* counts how often a layer released values that other plans may read */
    bool viewed;        /* see view.h */
    uint64_t finite;    /* state in which all values were finite: see finite.h; 0: never */
} thaw_parameter_set;

/* Appends an empty, trainable group. */
thaw_status thaw_set_add_group(thaw_parameter_set *set, const char *name, thaw_group **group);

/* Appends a parameter to the set's last group and initialises it. `node` keys its random numbers. */
thaw_status thaw_set_add_parameter(thaw_parameter_set *set, const thaw_parameter_specification *specification,
                                   uint32_t node);

/* The same for any group, under a full name. */
thaw_status thaw_set_add_named(thaw_parameter_set *set, thaw_group *group, const char *name,
                               const thaw_parameter_specification *specification, uint32_t node,
                               thaw_parameter **parameter);

/* The `node` for the next parameter that belongs to no layer; it differs from all layers' nodes. */
uint32_t thaw_set_random_node(const thaw_parameter_set *set);

/* Adds a parameter that belongs to no layer, to an added group, or to a new group of this name if `group` is NULL.
   Errors: THAW_DUPLICATE, THAW_INVALID_ARGUMENT (more than THAW_MAX_PARAMETERS), THAW_OUT_OF_MEMORY. */
thaw_status thaw_set_add(thaw_parameter_set *set, thaw_group *group, const char *group_name,
                         const thaw_parameter_specification *specification, thaw_parameter **parameter);

/* Reserves memory for the removal of all groups. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_set_prepare_removal(thaw_parameter_set *set);

/* Removes a group from the set, after the call above. The group and its parameters stay allocated, out of use, until
   the set is released. */
void thaw_set_remove_group(thaw_parameter_set *set, thaw_group *group);

/* Removes the last group with its parameters: used when a layer failed to build. */
void thaw_set_drop_group(thaw_parameter_set *set);

void thaw_set_release(thaw_parameter_set *set);

/* Why initial values cannot be drawn like this, as the end of a sentence that begins with the parameter's name; NULL
   if they can. */
const char *thaw_initializer_error(thaw_initializer initializer, double fan_in, double fan_out);

/* Draws the initial values again and resets optimizer state. */
void thaw_parameter_initialize(thaw_context *context, thaw_parameter *parameter);

/* The same, with random values times `scale` from now on. */
void thaw_parameter_scale_initial(thaw_context *context, thaw_parameter *parameter, double scale);

/* The same, with new random values. */
void thaw_parameter_reset(thaw_context *context, thaw_parameter *parameter);

/* Frees optimizer state and sets the step count to zero. */
void thaw_parameter_release_state(thaw_context *context, thaw_parameter *parameter);

/* ---- selection ---- */

/* What a pattern selects, one at a time: a whole group (parameter NULL), or a single parameter. */
typedef struct thaw_selected {
    thaw_group *group;
    thaw_parameter *parameter;
} thaw_selected;

/* Calls `visit` on everything that matches. Errors, before any call: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT
   (pattern). */
thaw_status thaw_set_select(const thaw_parameter_set *set, const char *pattern,
                            void (*visit)(void *argument, thaw_selected selected), void *argument);

/* Calls `visit` on the selected parameter, or on each of the selected group. */
void thaw_selected_visit(thaw_selected selected, void (*visit)(void *argument, thaw_parameter *parameter),
                         void *argument);

/* Whether a pattern selects this parameter, by its group's name or its own. The pattern must be well formed. */
bool thaw_parameter_selected(const thaw_parameter *parameter, const char *pattern);

#endif
