/* What a layer may be able to do beyond computing: the work of the layers behind it (an epilogue), bfloat16, a change of
   low rank beside its weight, gradients of a few rows, a weight that is kept in packed form alone. Each is offered by a
   field of thaw_layer_module or thaw_layer_needs under "capabilities". A layer that offers none leaves them zero, and
   does not read the fields of that heading in thaw_layer_demand and thaw_layer_run. */
#ifndef THAW_LAYER_CAPABILITIES_H
#define THAW_LAYER_CAPABILITIES_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the functions of a layer get in a step; see thaw/layer_module.h. */
typedef struct thaw_layer_run thaw_layer_run;

/* ---- epilogues: takes_epilogue, activation, adds, maps_channels ---- */

/* A function of single elements. The gradient of the first four follows from their output alone. */
typedef enum thaw_activation {
    THAW_ACTIVATION_NONE = 0,
    THAW_ACTIVATION_RELU,
    THAW_ACTIVATION_RELU6,
    THAW_ACTIVATION_SIGMOID,
    THAW_ACTIVATION_TANH,
    THAW_ACTIVATION_GELU, /* by the error function */
    THAW_ACTIVATION_SILU
} thaw_activation;

/* Something of the output's shape to add: in memory of its own, or in the output's, which holds it before forward. */
typedef enum thaw_residual { THAW_RESIDUAL_NONE = 0, THAW_RESIDUAL_BESIDE, THAW_RESIDUAL_IN_PLACE } thaw_residual;

/* The work of layers that follow, for the kernel to do on each value before it stores it; in this order. `output` is
   what comes out in the end. */
typedef struct thaw_epilogue {
    bool maps_channels;     /* multiply by run->channel_scale[c] and add run->channel_shift[c], where c is the index in
                               the last dimension. They change as parameters do: `pack` may read them. Their own
                               gradients are never wanted; output_gradient is that of what comes out */
    thaw_residual residual; /* add inputs[input_count]; backward writes its gradient, where input_gradient[input_count]
                               says so, into input_gradients[input_count] */
    thaw_activation activation; /* apply this. Where backward follows, output_gradient is that of its input, except for
                                   modules that differentiate activations */
} thaw_epilogue;

/* ---- precision: bfloat16, takes_bfloat16 ---- */

/* Whether `prepare` honours demand.precision, and where a plan that wants bfloat16 asks for it. */
typedef enum thaw_bfloat16_use {
    THAW_BFLOAT16_NEVER = 0, /* the plan converts what the layer reads and writes */
    THAW_BFLOAT16_CHOSEN,    /* everywhere: its kernels are faster */
    THAW_BFLOAT16_FOLLOWS,   /* where all its inputs are bfloat16 as they are made */
    THAW_BFLOAT16_FROZEN     /* in the frozen prefix: it has faster kernels, but no gradients */
} thaw_bfloat16_use;

/* ---- changes of low rank: takes_low_rank ---- */

/* The layer's first parameter, a weight W of shape [outputs, ...], comes with a change s B A of low rank whose factors
   train and which does not itself: B is [outputs, rank] and A [rank, all other dimensions]. The weight's own gradient is
   never wanted, and need not be formed for those of B and A: dB = s dy^T (x A^T), dA = s (dy B)^T x. */
typedef struct thaw_low_rank_demand {
    int64_t rank; /* 0: there is no such change */
    float scale;  /* s */
    bool beside; /* parameters[0] is W, and the layer adds s B (A x) to the output and the like to the input's gradient;
                    otherwise parameters[0] is W + s B A already */
    bool up_gradient, down_gradient; /* of B, of A: which backward must write */
} thaw_low_rank_demand;

/* The factors of a low-rank change; NULL where there is none, gradients also where they are not wanted. */
typedef struct thaw_low_rank_run {
    const float *up, *down;             /* B and A */
    float *up_gradient, *down_gradient; /* of B and A */
} thaw_low_rank_run;

/* ---- gradients of a few rows: needs.gradient_rows ---- */

/* Which rows of a gradient, of its parameter's first dimension, may hold anything but zeros, each once; so that a table of
   which each step uses a few rows need not be walked. */
typedef struct thaw_gradient_rows {
    bool known;     /* false: any row may */
    size_t count;   /* of `rows` */
    uint32_t *rows; /* their indices */
} thaw_gradient_rows;

/* ---- a weight in packed form alone: needs.lets_go, unpack ---- */

/* For `pack` of a layer with lets_go: elements [first, first + count) of the first parameter may lose their memory, since
   `unpack` writes them again. Whole pages do: many elements a call are more than few. */
THAW_API void thaw_let_go(const thaw_layer_run *run, size_t first, size_t count);

#ifdef __cplusplus
}
#endif

#endif
