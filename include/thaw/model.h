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

/* Declares the input of a model that has one, of floats: the shape of one sample. Its name is "input". It must be
   declared first. Errors: THAW_DUPLICATE, THAW_INVALID_ARGUMENT (rank 0, a dimension below 1). */
THAW_API thaw_status thaw_input(thaw_model *model, const thaw_shape *sample_shape, thaw_node *output);

/* The most inputs of a model. */
enum { THAW_MOST_MODEL_INPUTS = 16 };

/* An input with a name. */
typedef struct thaw_input_options {
    const char *name; /* of its node, unique in the model; NULL: "input" and a number */
    thaw_dtype dtype; /* THAW_F32, or THAW_I32: token ids, lengths, token types. Layers read whole numbers as floats, so
                         they must be from -2^24 to 2^24 */
    thaw_shape shape; /* of one sample; rank 0: one number, for layers [1] */
    bool sequence; /* its first dimension is that of a sequence, which may be shorter in a batch; the same in all such
                         inputs of a model. See below */
    bool lengths;  /* THAW_I32, one number: how much of its sequences a sample uses. At most one such input */
    bool optional; /* 0 everywhere for data that do not have it. Not the first input, nor lengths */
} thaw_input_options;

/* Declares one of a model's inputs. Call it for each, before any layer, and not beside thaw_input.

   Calls that take a batch of inputs, such as thaw_step and thaw_predict, take an array of as many tensors, in the order
   of these declarations: each of the input's dtype and shape behind the dimension of the batch, which all share. An
   input of one number may also be [batch]. The tensor of an optional input may have no data (NULL), whatever its shape.

   Sequences: the first dimension that is declared is the longest. A tensor may have a smaller one, the same for all
   sequences of the batch, which then runs at this length. If the model has an input of lengths, the batch is cut
   behind its longest sample. It then runs at that length rounded up to a multiple of a step, so that there are at
   most 40 lengths, each with a plan for training and one for evaluation. The step is a sixteenth of the power of two
   that is not below the length (1 up to 16, 2 up to 32, 4 up to 64, 8 up to 128 and so on), but at least a 128th of
   the power of two that is not below the longest. Plans for different lengths share packed copies of frozen weights.
   Behind the end of a tensor, sequences are 0. Targets and outputs keep their whole shapes: steps behind the batch's
   length do not count in the loss, and are 0 in the outputs of thaw_predict.

   Layers derive their shapes for a length by `build` (thaw/layer_module.h). A sample's outputs do not depend on the
   length at which its batch runs, nor on other samples, if no layer mixes steps behind a sample's own length into those
   before it. Layers that compute each step alone do not. Those that mix steps must read the lengths, as attention can;
   an LSTM or a convolution does not. A loss over steps must ignore those behind a sample's length. Gradients are sums
   over all steps, and may differ in rounding from those at another length.

   Inside, a sample is one row of floats: all inputs, one behind the other. Node 0 holds the rows, and the node of an
   input takes its part of them. With a single input that is the row itself, so nothing runs.
   Errors: THAW_DUPLICATE (the name; an input of thaw_input), THAW_INVALID_ARGUMENT (a layer comes before it; dtype,
   shape or name; too many inputs), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_named_input(thaw_model *model, const thaw_input_options *options, thaw_node *output);

/* An input of a model. The name belongs to the model. */
typedef struct thaw_model_input {
    const char *name;                 /* as declared */
    thaw_dtype dtype;                 /* of the tensors that hosts give */
    thaw_shape shape;                 /* of one sample, as layers see it */
    thaw_node node;                   /* what layers take */
    bool sequence, lengths, optional; /* as declared */
} thaw_model_input;

/* The inputs in the order of their declarations. Errors: THAW_INVALID_ARGUMENT (no such input). */
THAW_API size_t thaw_model_input_count(const thaw_model *model);
THAW_API thaw_status thaw_model_input_at(const thaw_model *model, size_t index, thaw_model_input *input);

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
    const char *optimizer;          /* thaw_optimizer_name; NULL without parameters or optimizer */
    const char *fallback; /* of the module that updates some of its own parameters instead; NULL: there are none */
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
