/* What a layer can optionally do: the work of the layers after it (an epilogue), bfloat16, a low-rank change beside a
   weight, gradients of a few rows, a weight that is kept only in packed form, gradients known to be finite, sums over
   all shards of a step. The field `capabilities` of thaw_layer_module points to what a layer offers. A layer that
   offers none of these leaves it NULL; it needs neither this header nor the fields of that name in thaw_layer_demand,
   thaw_layer_needs and thaw_layer_run. Parameters are named by their index, in the order in which `build` registers
   them. */
#ifndef THAW_LAYER_CAPABILITIES_H
#define THAW_LAYER_CAPABILITIES_H

#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The arguments of a layer's functions; see thaw/layer_module.h. */
typedef struct thaw_layer_demand thaw_layer_demand;
typedef struct thaw_layer_run thaw_layer_run;

/* A parameter of the layer; see thaw/parameter.h. */
typedef struct thaw_parameter thaw_parameter;

/* ---- epilogues: takes_epilogue, activation, adds, maps_channels ---- */

/* An element-wise function. The gradient of the first four follows from their output. */
typedef enum thaw_activation {
    THAW_ACTIVATION_NONE = 0,
    THAW_ACTIVATION_RELU,
    THAW_ACTIVATION_RELU6,
    THAW_ACTIVATION_SIGMOID,
    THAW_ACTIVATION_TANH,
    THAW_ACTIVATION_GELU, /* by the error function */
    THAW_ACTIVATION_SILU,
    THAW_ACTIVATION_GELU_TANH /* GELU's approximation by tanh */
} thaw_activation;

/* A tensor of the output's shape to add: in its own memory, or in the output's, which contains it before forward. */
typedef enum thaw_residual { THAW_RESIDUAL_NONE = 0, THAW_RESIDUAL_BESIDE, THAW_RESIDUAL_IN_PLACE } thaw_residual;

/* The work of later layers that the kernel does on each value before it stores it, in this order. `output` is the
   final result. */
typedef struct thaw_epilogue {
    bool maps_channels;         /* multiply by channel_scale[c] and add channel_shift[c] of thaw_capability_run, where c
                               is the index in the last dimension. They change only when parameters do, so `pack` may
                               read them. Their gradients are never wanted; output_gradient is that of the result */
    thaw_residual residual;     /* add inputs[input_count]; backward writes its gradient into
                               input_gradients[input_count] if input_gradient[input_count] is set */
    thaw_activation activation; /* apply this. If backward follows, output_gradient is that of the activation's
                                   input, except for modules that differentiate activations */
} thaw_epilogue;

/* ---- precision: bfloat16, takes_bfloat16 ---- */

/* Whether `prepare` supports the demanded precision, and where a plan in bfloat16 asks for it. */
typedef enum thaw_bfloat16_use {
    THAW_BFLOAT16_NEVER = 0, /* the plan converts what the layer reads and writes */
    THAW_BFLOAT16_CHOSEN,    /* everywhere: its kernels are faster */
    THAW_BFLOAT16_FOLLOWS,   /* only if all its inputs are bfloat16 already */
    THAW_BFLOAT16_FROZEN     /* only in the frozen prefix: it has faster kernels, but no gradients */
} thaw_bfloat16_use;

/* ---- low-rank changes: takes_low_rank ---- */

/* A weight W of the layer, of shape [outputs, ...], has a low-rank change s B A. Its factors train, and W does not: B
   is [outputs, rank] and A [rank, all other dimensions]. The gradient of W is never wanted, and those of B and A do not
   need it: dB = s dy^T (x A^T), dA = s (dy B)^T x. */
typedef struct thaw_low_rank_demand {
    int64_t rank;     /* 0: no such change */
    float scale;      /* s */
    size_t parameter; /* index of W */
    bool beside;      /* the parameter is W, and the layer adds s B (A x) to the output, and the corresponding term to
                         the input's gradient; otherwise the parameter is W + s B A already */
    bool up_gradient, down_gradient; /* of B and A: which ones backward must write */
} thaw_low_rank_demand;

/* The factors of a low-rank change; NULL if there is none. Gradients are also NULL if not wanted. */
typedef struct thaw_low_rank_run {
    const float *up, *down;             /* B and A */
    float *up_gradient, *down_gradient; /* of B and A */
} thaw_low_rank_run;

/* ---- gradients of a few rows: needs.gradient_rows ---- */

/* The rows of a gradient, along its parameter's first dimension, that may be nonzero, each listed once. If each step
   uses few rows of a table, the others need not be visited. */
typedef struct thaw_gradient_rows {
    bool known;     /* false: any row may */
    size_t count;   /* of `rows` */
    uint32_t *rows; /* their indices */
} thaw_gradient_rows;

/* ---- a weight only in packed form: needs.lets_go, unpack ---- */

/* For `pack` of a layer with lets_go[parameter]: elements [first, first + count) of that parameter may be dropped from
   memory, since `unpack` restores them. Only whole pages are released, so pass long ranges. */
THAW_API void thaw_let_go(const thaw_layer_run *run, size_t parameter, size_t first, size_t count);

/* ---- sums over all shards: measure, measure_gradients ---- */

/* A layer that follows its batches can follow the whole step instead of its own shard (thaw_model_set_sync_batch_norm).
   Before forward, `measure` writes its shard's sums to `own`. Then each shard gets those of all, and forward computes
   with them. The same before backward, with `measure_gradients`. What numbers are in them is the layer's affair: all
   shards get the same ones, in the same order, and must come to the same result. */
typedef struct thaw_shared_sums {
    double *own;       /* of this shard; stay as measured until the next measurement */
    const double *all; /* of each shard of the step, one after another; zeros for a shard without samples */
    size_t shards;     /* of the step */
} thaw_shared_sums;

/* ---- what a layer offers ---- */

/* Fields that `size` does not reach are zero. */
typedef struct thaw_layer_capabilities {
    size_t size; /* sizeof(thaw_layer_capabilities), as the module was compiled */

    /* What this layer computes, if the layer before it may do that in an epilogue. */
    thaw_activation activation;
    bool adds;          /* the sum of its two inputs, if they have the same shape */
    bool maps_channels; /* if none of its parameters trains and it follows no batches: input times a scale plus a shift,
                           with a number of each per channel; see thaw_capability_demand.folded */

    /* Whether `prepare` would honour this demand with its epilogue, in place or not. NULL: never. */
    bool (*takes_epilogue)(const thaw_layer_demand *demand);
    bool differentiates_activation; /* backward also differentiates it: output_gradient is that of the final result */

    /* Precision. `takes_bfloat16` says whether the layer supports it with these options and inputs; NULL: with all. */
    thaw_bfloat16_use bfloat16;
    bool (*takes_bfloat16)(const void *options, const thaw_shape *inputs, size_t input_count); /* see `bfloat16` */

    /* Whether `prepare` honours a low-rank change of this parameter with these options. NULL: never. */
    bool (*takes_low_rank)(const void *options, size_t parameter);

    /* Writes elements [first, first + count) of a parameter as `pack` last read them, to the bit, whether it let go of
       them or not. Reads packed memory and the parameter. `values` may be the elements' own place in the parameter. */
    void (*unpack)(const thaw_layer_run *run, size_t parameter, size_t first, size_t count, float *values);

    /* Write capabilities->sums.own of the run. Called right before forward and backward if `prepare` answered
       forward_sums and backward_sums. They may write what forward and backward may. Both NULL: the layer follows its
       own shard only. */
    thaw_status (*measure)(const thaw_layer_run *run);
    thaw_status (*measure_gradients)(const thaw_layer_run *run); /* see `measure` */

    /* The inputs that stay floats, with their gradients, where the layer computes in bfloat16: bit k is input k. For
       numbers that bfloat16 would spoil, such as lengths, which it only has exactly up to 256. Such an input may have
       any precision where a layer follows its inputs. NULL: none. */
    uint32_t (*keeps_floats)(const void *options, size_t input_count);

    /* Whether `pack` writes the same packed memory for two plans, given what `prepare` answered for this layer in each:
       as many bytes, all of them equal, if parameters and channel map are. The plans then share it: only one of them
       packs, forward and backward of both read it, and `unpack` of either. Called before either has run. May depend on
       the layouts that kernels chose for the batch and the length of sequences. NULL: never. */
    bool (*packs_alike)(const void *state, const void *other);

    bool mixes_targets; /* a loss of labels that honours thaw_layer_run.mixed */
} thaw_layer_capabilities;

/* ---- what a plan asks of the layer, what it answers, and what it gets in a step ---- */

/* thaw_layer_demand.capabilities: zero except for what the module offers. */
typedef struct thaw_capability_demand {
    thaw_dtype precision;   /* of inputs (see keeps_floats), output and their gradients: THAW_F32, or THAW_BF16 for
                               modules that offer it.
                               Parameters, their gradients and statistics are always floats */
    thaw_epilogue epilogue; /* only work that takes_epilogue accepted */
    bool folded;            /* for modules that map channels: the layer before does that. Only `pack` is called; it
                               writes each channel's scale, then each channel's shift, to run->packed */
    thaw_low_rank_demand low_rank; /* of at most one parameter, for which takes_low_rank accepted it */
    const bool *may_leave; /* for each parameter: it is frozen, and its values may be kept elsewhere: see lets_go */
    bool save_memory;      /* the frozen weights take more memory than what trains: prefer small to fast */
    bool shares_sums;      /* for modules with `measure`, where the layer follows its batches: compute with the sums of
                              all shards */
} thaw_capability_demand;

/* thaw_layer_needs.capabilities, all zero on entry. Each array has an element per parameter of the layer. */
typedef struct thaw_capability_needs {
    size_t *gradient_rows; /* the most rows that backward lists in gradient_rows of thaw_capability_run; 0: no list */
    bool *lets_go; /* only `pack` reads the parameter, and lets go of it (thaw_let_go). Packed memory is then not
                              cleared: `pack` clears what it does not write */
    size_t forward_sums, backward_sums; /* if the demand shares sums: numbers that `measure` and `measure_gradients`
                              write. 0: forward or backward needs none, and the function is not called */
} thaw_capability_needs;

/* thaw_layer_run.capabilities. */
typedef struct thaw_capability_run {
    const float *channel_scale, *channel_shift; /* for an epilogue that maps channels; else NULL */
    thaw_low_rank_run low_rank;                 /* if the demand has one */
    /* For each parameter: the rows of its gradient that the last step wrote. Backward clears these rows, or all if they
       are not known, and lists its own. NULL: there is no list, and backward writes all rows. */
    thaw_gradient_rows *const *gradient_rows;
    thaw_parameter *const *leaving; /* for thaw_let_go: each parameter that the layer lets go of, else NULL */
    /* For each parameter: backward may set this to true if it can tell, without reading the gradient, that all of it is
       finite. The step reads all other gradients before it updates. NULL: the layer is not asked. */
    bool *const *finite;
    thaw_shared_sums sums; /* if `prepare` answered with numbers of sums; else NULL */
} thaw_capability_run;

#ifdef __cplusplus
}
#endif

#endif
