/* A model: the network as the user built it. Layer calls (thaw/layers.h) append nodes in topological order. Shapes
   of nodes are those of one sample, without the batch: [features], or [height, width, channels] (NHWC in memory). */
#ifndef THAW_MODEL_H
#define THAW_MODEL_H

#include <thaw/parameter.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A node of the model, by index in the order of appending. */
typedef int32_t thaw_node;

/* Creates an empty model. The caller owns it and must destroy it before the context. */
THAW_API thaw_status thaw_model_create(thaw_context *context, thaw_model **model);

/* Releases the model with its parameters, plans and optimizer state. NULL is allowed. */
THAW_API void thaw_model_destroy(thaw_model *model);

/* The context that the model was created with. */
THAW_API thaw_context *thaw_model_context(const thaw_model *model);

/* Declares the input: the shape of one sample. A model has one input, which must be declared first.
   Errors: THAW_DUPLICATE, THAW_INVALID_ARGUMENT (rank 0, a dimension below 1). */
THAW_API thaw_status thaw_input(thaw_model *model, const thaw_shape *sample_shape, thaw_node *output);

/* The node whose values thaw_predict returns: the loss's input, else the last node. */
THAW_API thaw_node thaw_model_output(const thaw_model *model);

/* The loss, which is the last node; -1 if the model has none yet. */
THAW_API thaw_node thaw_model_loss(const thaw_model *model);

/* The shape of a node's output for one sample; NULL if the node does not exist. */
THAW_API const thaw_shape *thaw_model_node_shape(const thaw_model *model, thaw_node node);

/* One row of the summary: one node. Strings belong to the model. */
typedef struct thaw_summary_entry {
    const char *name;        /* "conv1" */
    const char *kind;        /* "conv2d" */
    thaw_shape output_shape; /* of one sample */
    size_t parameters; /* elements of its parameters and of everything they are computed from, without statistics */
    size_t trainable;  /* those that train */
    size_t statistics; /* elements that are statistics */
    thaw_trainability trainability; /* of all its parameters */
    double learning_rate;           /* of its group; NAN without parameters or optimizer */
    const char *optimizer;          /* module name; NULL without parameters or optimizer */
} thaw_summary_entry;

/* Totals in elements; statistics are counted separately. What several layers share counts once. A stored tensor that
   no layer depends on (thaw/combine.h) does not count. */
typedef struct thaw_summary_totals {
    size_t total_parameters;         /* those that train and those that do not */
    size_t trainable_parameters;     /* those that train */
    size_t non_trainable_parameters; /* those that do not */
    size_t statistics;               /* such as running means */
} thaw_summary_totals;

/* The rows and totals of the summary. Errors: THAW_INVALID_ARGUMENT (no such row). */
THAW_API size_t thaw_model_node_count(const thaw_model *model);
THAW_API thaw_status thaw_model_summary_entry(thaw_model *model, size_t index, thaw_summary_entry *row);
THAW_API thaw_summary_totals thaw_model_summary_totals(const thaw_model *model);

/* The whole summary as a table. The caller owns `*text` (thaw_text_destroy). */
THAW_API thaw_status thaw_model_summary(thaw_model *model, char **text);

#ifdef __cplusplus
}
#endif

#endif
