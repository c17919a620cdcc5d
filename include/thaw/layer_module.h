/* What a layer is made of: a `const` struct of functions. Built-in modules use the public headers, as yours do. */
#ifndef THAW_LAYER_MODULE_H
#define THAW_LAYER_MODULE_H

#include <thaw/layer_export.h>
#include <thaw/model.h>
#include <thaw/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { THAW_MAX_INPUTS = 8, THAW_MAX_PARAMETERS = 8 };

/* The kind of module that this header describes, in the upper 16 bits, and its version, in the lower 16. */
enum { THAW_LAYER_ABI = 0x4C410001 };

/* Short for the first fields of a thaw_layer_module:
   `static const thaw_layer_module swish = { THAW_LAYER_MODULE_HEAD, .name = "swish", ... };`. */
#define THAW_LAYER_MODULE_HEAD .size = sizeof(thaw_layer_module), .abi = THAW_LAYER_ABI

/* What the functions of a layer get. */
typedef struct thaw_layer_demand thaw_layer_demand;
typedef struct thaw_layer_run thaw_layer_run;

/* The layer that is being built; for the calls of `build`. */
typedef struct thaw_layer_builder thaw_layer_builder;
typedef struct thaw_layer_module thaw_layer_module;

/* Optional work of layers: see thaw/layer_capabilities.h. */
typedef struct thaw_layer_capabilities thaw_layer_capabilities;
typedef struct thaw_capability_demand thaw_capability_demand;
typedef struct thaw_capability_needs thaw_capability_needs;
typedef struct thaw_capability_run thaw_capability_run;

/* ---- building: called when the layer is appended ----

   For shorter sequences (thaw_named_input), `build` is called again to derive shapes. It then gets the inputs' shorter
   shapes, its calls change nothing, and parameters must have the shapes that they have. So the output's shape should
   follow from the inputs', and a parameter's from options or from what does not depend on the length. */

THAW_API size_t thaw_builder_input_count(const thaw_layer_builder *builder);                    /* the layer's inputs */
THAW_API const thaw_shape *thaw_builder_input(const thaw_layer_builder *builder, size_t index); /* of one sample */

/* The context of the model, such as for thaw_allocate. */
THAW_API thaw_context *thaw_builder_context(const thaw_layer_builder *builder);

/* Registers a parameter in the layer's group. The order is that of the arrays in thaw_layer_run. Errors: THAW_DUPLICATE
   (the full name is taken), THAW_INVALID_ARGUMENT (the name, which has the rules of layers' names; the shape; the
   initial values; more than THAW_MAX_PARAMETERS). */
THAW_API thaw_status thaw_builder_parameter(thaw_layer_builder *builder,
                                            const thaw_parameter_specification *specification);

/* Declares the output's shape for one sample; every layer does, exactly once. A loss declares rank 0. */
THAW_API thaw_status thaw_builder_output(thaw_layer_builder *builder, const thaw_shape *shape);

/* For a loss that reads targets: what they are, for one sample. Without this call it has none: thaw_step takes NULL for
   them, and those of data sets are not read. Labels are THAW_I32: of rank 0, or of a shape of their own such as
   [tokens], and then input 0 has that shape and one dimension more, whose numbers are the scores of the classes. Other
   targets are THAW_F32. Where the shape follows from the length of sequences, targets of a shorter batch are cut: they
   keep their first numbers. Errors: THAW_INVALID_ARGUMENT, THAW_SHAPE_MISMATCH (too large; not as input 0). */
THAW_API thaw_status thaw_builder_target(thaw_layer_builder *builder, thaw_dtype dtype, const thaw_shape *shape);

/* For a loss of labels: samples with this label add nothing to loss and gradient, and do not count in accuracies. A
   data set may contain it although it is outside the classes. See thaw_layer_module.weigh for a mean of such a loss. */
THAW_API void thaw_builder_ignore_label(thaw_layer_builder *builder, int32_t label);

/* For a loss: the loss of a batch is the sum of those of its parts. All others are means of them, with the weights that
   thaw_layer_module.weigh tells. A step of several shards depends on it (thaw_step_options.shards). */
THAW_API void thaw_builder_sum_loss(thaw_layer_builder *builder);

/* Floating-point operations of one forward pass over one sample; each gradient that is computed counts as many. */
THAW_API void thaw_builder_flops(thaw_layer_builder *builder, double flops);

/* Says that the layer's statistics follow the batches that it is trained on (thaw_layer_demand.follows). They follow
   while one of its parameters trains; if it has only statistics, while its group is trainable. With `when_frozen` they
   always follow in training, so the layer is never part of a frozen prefix. */
THAW_API void thaw_builder_follow_batches(thaw_layer_builder *builder, bool when_frozen);

/* Says that the layer draws random numbers in training (thaw_layer_demand.draws) while a gradient flows through it.
   With `when_frozen` it always draws in training, so it is never part of a frozen prefix. Without, a layer at the end
   of a frozen prefix, or at the beginning of the network, never draws: the context's log warns of that once. */
THAW_API void thaw_builder_draw(thaw_layer_builder *builder, bool when_frozen);

/* Refuses to build: returns `status` and leaves "<layer>: <message>" in the context. */
THAW_API thaw_status thaw_builder_fail(thaw_layer_builder *builder, thaw_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- preparing: called when a plan is compiled ---- */

/* What the plan wants of the layer. */
struct thaw_layer_demand {
    thaw_context *context;          /* the model's */
    const void *options;            /* the module's options, as given when the layer was appended */
    int64_t batch;                  /* samples per call */
    bool training;                  /* the layer is in the live part of a training plan: backward follows forward */
    bool draws;                     /* forward draws random numbers; see thaw_builder_draw */
    bool follows;                   /* forward computes with the batch's statistics and updates its own with them */
    size_t input_count;             /* of the layer's own */
    const thaw_shape *inputs;       /* of one sample */
    thaw_shape output;              /* of one sample */
    const bool *input_gradient;     /* which input gradients backward must write */
    size_t parameter_count;         /* of the arrays that follow */
    const thaw_shape *parameters;   /* their shapes */
    const bool *parameter_gradient; /* which parameter gradients backward must write */
    const thaw_capability_demand *capabilities; /* of what it offers */
};

/* What the layer answers. All zero on entry. */
typedef struct thaw_layer_needs {
    void *state;         /* the layer's own, given to run functions and `release`. Before backward, forward may run on
                               another part of the batch: what backward needs of it is in the workspace */
    size_t packed_bytes; /* copies of parameters that `pack` fills; kept as long as the plan */
    size_t workspace_bytes; /* written by forward, read by backward */
    size_t scratch_bytes;   /* free between calls */
    bool keeps_inputs;      /* backward reads `inputs` */
    bool keeps_output;      /* backward reads `output` */
    bool in_place;          /* forward may write its output over input 0 (same size) */
    bool gradient_in_place; /* backward may write input gradient 0 over the output's gradient */
    bool identity;          /* the output is input 0 unchanged: nothing runs, forward or backward */
    bool mixes_samples;     /* a sample's output depends on other samples of the batch. If no layer says so, a plan may
                               run a frozen prefix, and evaluation, on parts of the batch, one after the other */
    const char *kernel;     /* for plan descriptions; lives as long as `state` */
    thaw_capability_needs *capabilities; /* of what it offers */
} thaw_layer_needs;

/* ---- running: called in every step; nothing here may allocate ---- */

/* Inputs, output and their gradients are floats, or thaw_bfloat16 if the plan demands it of a layer that offers it. */
struct thaw_layer_run {
    thaw_context *context;             /* the model's */
    void *state;                       /* what `prepare` answered */
    const void *const *inputs;         /* the layer's own, then the epilogue's residual */
    void *output;                      /* a loss writes one float */
    const void *output_gradient;       /* NULL for a loss: its gradient is 1 */
    void *const *input_gradients;      /* entries that were not demanded are NULL; others are overwritten */
    const float *const *parameters;    /* in the order of registration */
    float *const *parameter_gradients; /* the same; entries that were not demanded are NULL */
    /* For statistics, where the layer follows its batches: copies of their values, which forward updates in place. The
       parameters get the new values if the step succeeds. NULL otherwise. */
    float *const *statistics;
    void *packed, *workspace, *scratch; /* aligned to 64 bytes; NULL when 0 bytes were asked for */
    const void *target;                 /* for a loss */
    /* This layer's, this step's: purpose and node are set. A layer draws at most one number for each element of its
       output, so that a sample's numbers depend on its place in the whole step. One that needs more sets `origin` to 0
       and counts by itself, from the place of its first sample: `origin` divided by the elements of a sample's output.
       Indices must stay below 2^50. */
    thaw_stream random;
    const thaw_capability_run *capabilities; /* of its capabilities */
    /* For a loss that mixes targets (thaw_layer_capabilities.mixes_targets): the share in each sample's targets of those
       of the sample before it in the batch, and of the last for the first. 0: a sample's targets are its own. */
    double mixed;
};

/* A kind of layer. Functions return THAW_OK, or leave a message with thaw_fail. Fields that a module's `size` does not
   reach are zero, which is their default; `release` must be within it. */
struct thaw_layer_module {
    size_t size;  /* sizeof(thaw_layer_module), as the module was compiled */
    uint32_t abi; /* THAW_LAYER_ABI */

    const char *name;    /* the kind, such as "conv2d" */
    size_t options_size; /* bytes of the options struct that a node keeps a copy of */
    bool loss;           /* reads targets; nothing may follow it */
    bool source;         /* has no inputs: `pack` writes the output, of the whole batch, which stays there until a
                            parameter changes; forward is not called and may be NULL */

    thaw_status (*build)(thaw_layer_builder *builder, const void *options);           /* see "building" above */
    thaw_status (*prepare)(const thaw_layer_demand *demand, thaw_layer_needs *needs); /* once per plan */
    thaw_status (*forward)(const thaw_layer_run *run);                                /* once per step */
    thaw_status (*backward)(const thaw_layer_run *run);  /* called if any gradient was demanded */
    void (*release)(thaw_context *context, void *state); /* frees `state`; NULL: nothing to do */

    /* For options that contain pointers. adopt_options is called before `build`; it replaces the pointers in the node's
       copy of the options by copies of its own, which release_options frees. Both NULL: there are no pointers. */
    thaw_status (*adopt_options)(thaw_layer_builder *builder, void *options);
    void (*release_options)(thaw_context *context, void *options); /* see adopt_options */

    thaw_status (*pack)(const thaw_layer_run *run); /* called after parameters have changed; NULL: nothing to pack */

    /* For plans that do not keep the output until backward: repeats what forward wrote in this step, including its
       epilogue, and changes nothing else. NULL: the output must be kept. */
    thaw_status (*recompute)(const thaw_layer_run *run);

    /* For a loss, called after forward: says how the batch enters the loss of a data set, which thaw_evaluate and
       thaw_fit report as sum(*total) / sum(*weight) over batches. On entry, *weight is the number of samples and
       *total the output times that number, which is right for a loss that is a mean over all samples. A loss that is a
       sum writes the sum to *total. A loss that ignores samples or weights them writes both. NULL: they stay as on
       entry. */
    void (*weigh)(const thaw_layer_run *run, double *total, double *weight);

    const thaw_layer_capabilities *capabilities; /* NULL: none */

    /* Writes the layer as operators of ONNX: see thaw/layer_export.h. Not for a loss. NULL: it cannot be exported. */
    thaw_status (*export_onnx)(const thaw_layer_export *layer);
};

/* Appends a layer. `name` may be NULL: the module's name and a number. The options are copied.
   Errors: THAW_INVALID_ARGUMENT (a module of another abi, or whose struct is too short or too long; an input that does
   not exist; the number of inputs; something after the loss), THAW_DUPLICATE, and those of `build`. After an error the
   model is unchanged. */
THAW_API thaw_status thaw_model_append(thaw_model *model, const thaw_layer_module *module, const char *name,
                                       const thaw_node *inputs, size_t input_count, const void *options,
                                       thaw_node *output);

#ifdef __cplusplus
}
#endif

#endif
