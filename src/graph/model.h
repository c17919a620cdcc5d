/* The network as the user built it. */
#ifndef THAW_GRAPH_MODEL_H
#define THAW_GRAPH_MODEL_H

#include <thaw/precision.h>

#include "io/notes.h"
#include "params/parameter.h"

/* Copies of structs of an older module, in which the fields that they lack are zero. */
typedef struct thaw_completed_module {
    thaw_layer_module module;
    thaw_layer_capabilities capabilities;
} thaw_completed_module;

/* When a layer's statistics follow the batches. */
typedef enum thaw_tracking { THAW_TRACKS_NOTHING, THAW_TRACKS_TRAINED, THAW_TRACKS_ALWAYS } thaw_tracking;

typedef struct thaw_graph_node {
    char *name;
    const thaw_layer_module *module;             /* NULL: the model's input */
    const thaw_layer_capabilities *capabilities; /* the module's; zero where it has none, never NULL */
    thaw_completed_module *completed; /* what both point to when they were compiled for older, shorter structs */
    void *options;
    thaw_node inputs[THAW_MAX_INPUTS];
    size_t input_count;
    thaw_shape output; /* of one sample */
    thaw_group *group; /* NULL: no parameters */
    thaw_tracking tracking;
    bool draws, draws_when_frozen; /* uses random numbers: see thaw_builder_draw */
    double flops;                  /* forward, one sample */
    bool targeted;                 /* a loss that reads targets */
    thaw_dtype target_dtype;
    thaw_shape target;
    bool sums;    /* of a loss: see thaw_builder_sum_loss */
    bool ignores; /* the label that a loss ignores: see thaw_builder_ignore_label */
    int32_t ignored_label;
} thaw_graph_node;

/* What the feature cache can keep: plans choose the cut of the frozen prefix by it. */
typedef struct thaw_cache_budget {
    size_t sample_bytes; /* 0: no limit */
    bool random;         /* nothing can be kept: the samples differ from epoch to epoch */
    thaw_dtype dtype;    /* THAW_F32, or THAW_BF16: values of layers are kept rounded */
} thaw_cache_budget;

/* A named input, and where it is in a sample. */
typedef struct thaw_graph_input {
    thaw_dtype dtype;
    thaw_node node;
    size_t first, count; /* floats */
    bool sequence;       /* its first dimension may be shorter in a batch */
    bool optional;       /* zeros where the data have none */
} thaw_graph_input;

/* Batches run at few lengths, so that there are few plans. Lengths are rounded up in steps of a sixteenth of the power
   of two that is not below them, but of at least a 128th of the power of two that is not below the longest. That makes
   16 steps for the shortest, and 8 for each of three more powers of two. */
enum { THAW_LENGTH_STEPS = 16, THAW_LEAST_LENGTH_STEPS = 128, THAW_MOST_LENGTHS = 40 };

/* Compiled from a model; opaque here, defined in src/plan. */
typedef struct thaw_plan_store thaw_plan_store;

struct thaw_model {
    thaw_context *context;
    thaw_graph_node *nodes;
    size_t node_count, node_capacity;
    thaw_graph_input inputs[THAW_MOST_MODEL_INPUTS];
    size_t input_count;
    int64_t longest;                 /* of its sequences; 0: it has none */
    const thaw_graph_input *lengths; /* the input that tells the length of each sample; NULL: none */
    size_t first_layer;              /* the nodes before it are the sample and its named inputs */
    float *packed; /* a batch of samples of several inputs, in whose memory the next batch is packed */
    size_t packed_capacity;
    thaw_parameter_set parameters;
    bool unfused;    /* plans run each layer's kernel separately */
    bool recomputes; /* plans recompute some values for backward instead of keeping them */
    bool syncs;      /* layers follow the batch of the whole step, where they can: see thaw_model_set_sync_batch_norm */
    thaw_precision precision;
    thaw_notes notes; /* for files of its weights */
    uint64_t steps;   /* training steps taken: keys random numbers of layers */
    thaw_cache_budget cache;
    thaw_plan_store *plans;
    void (*release_plans)(thaw_model *model);
    void *library; /* a shared object that layers may be of; closed last. NULL: none */
};

/* A layer's name has fewer bytes. */
enum { THAW_NAME_BYTES = 128 };

/* Writes the kind followed by the smallest number that gives a name no node or compound of nodes has. Returns the
   name. */
const char *thaw_model_make_name(const thaw_model *model, const char *kind, char name[THAW_NAME_BYTES]);

/* Whether anything follows the inputs. */
bool thaw_model_has_layers(const thaw_model *model);

/* Whether the loss has a label for each of several places of a sample, such as its tokens. */
bool thaw_model_labels_tokens(const thaw_model *model);

/* The classes of the loss's labels; 0: it has none. */
size_t thaw_model_label_classes(const thaw_model *model);

/* Whether a node is the sample, or a named input. */
bool thaw_model_is_input(const thaw_model *model, thaw_node node);

/* The input that has this float of a sample. */
const thaw_graph_input *thaw_model_input_of(const thaw_model *model, size_t value);

/* The embedding that reads an input, and its rows; of several, the one with the fewest. NULL: none reads it. */
const thaw_graph_node *thaw_model_table_of(const thaw_model *model, thaw_node input, int64_t *rows);

/* The length at which a batch runs whose longest sequence is this: one of a few; 0 if that is the whole length. */
int64_t thaw_model_round_length(const thaw_model *model, int64_t length);

/* The length at which a batch of samples runs, whose sequences end at `most`: that of the longest sample, rounded, as
   the input of lengths tells. Without that input, `most`. 0: the whole length. */
int64_t thaw_model_batch_length(const thaw_model *model, const float *samples, size_t count, int64_t most);

/* The same for a list of lengths, `stride` floats apart. */
int64_t thaw_model_lengths_length(const thaw_model *model, const float *lengths, size_t stride, size_t count,
                                  int64_t most);

/* Adds what such a batch has of steps: those of samples, and those that run if the batch has this length. */
void thaw_model_count_steps(const thaw_model *model, const float *samples, size_t count, int64_t length, size_t *own,
                            size_t *all);

/* Lets all layers derive the shapes of their outputs for sequences of a length, and a loss that of its targets. Errors:
   those of `build`; THAW_SHAPE_MISMATCH (a layer whose parameters depend on the length). */
thaw_status thaw_model_find_shapes(thaw_model *model, int64_t length, thaw_shape *shapes, thaw_shape *target);

/* Appends the node that holds whole samples; the caller counts it. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_model_reserve_sample(thaw_model *model, const char *name, thaw_graph_node **node);

/* Removes the last nodes, with their groups, down to `node_count`: used when a compound could not be completed. */
void thaw_model_truncate(thaw_model *model, size_t node_count);

/* Makes a layer the last: removes all that follow it, and their parameters. No plan may have been compiled.
   Errors: THAW_NOT_FOUND (no such layer, or the loss; the message has the nearest name), THAW_OUT_OF_MEMORY. */
thaw_status thaw_model_end_at(thaw_model *model, const char *name);

/* Frees what the node owns: its name, its options and what they own. */
void thaw_node_release(thaw_context *context, thaw_graph_node *node);

/* thaw_set_select for visits that change what plans depend on: plans become stale, unless it fails. */
thaw_status thaw_model_change(thaw_model *model, const char *pattern,
                              void (*visit)(void *argument, thaw_selected selected), void *argument);

/* thaw_model_trainability of one group. */
thaw_trainability thaw_group_trainability(thaw_group *group);

struct thaw_layer_builder {
    thaw_model *model;
    const char *name;
    const thaw_node *inputs;
    size_t input_count;
    bool loss;
    bool has_output;
    thaw_graph_node *node;    /* being filled */
    const thaw_shape *shapes; /* of all nodes, if only shapes are derived: then parameters are compared */
    size_t compared;
};

#endif
