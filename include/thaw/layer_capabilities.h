/* What a layer can optionally do: the work of the layers after it (an epilogue), bfloat16, a low-rank change beside
   its weight, gradients of a few rows, a weight that is kept only in packed form. A field of thaw_layer_module or
   thaw_layer_needs under "capabilities" offers each of these. A layer that offers none leaves the fields zero, and
   does not read the fields under that heading in thaw_layer_demand and thaw_layer_run. */
#ifndef THAW_LAYER_CAPABILITIES_H
#define THAW_LAYER_CAPABILITIES_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The arguments of a layer's functions in a step; see thaw/layer_module.h. */
typedef struct thaw_layer_run thaw_layer_run;

/* ---- epilogues: takes_epilogue, activation, adds, maps_channels ---- */

/* An element-wise function. The gradient of the first four follows from their output. */
typedef enum thaw_activation {
    THAW_ACTIVATION_NONE = 0,
    THAW_ACTIVATION_RELU,
    THAW_ACTIVATION_RELU6,
    THAW_ACTIVATION_SIGMOID,
    THAW_ACTIVATION_TANH,
    THAW_ACTIVATION_GELU, /* by the error function */
    THAW_ACTIVATION_SILU
} thaw_activation;

/* A tensor of the output's shape to add: in its own memory, or in the output's, which contains it before forward. */
typedef enum thaw_residual { THAW_RESIDUAL_NONE = 0, THAW_RESIDUAL_BESIDE, THAW_RESIDUAL_IN_PLACE } thaw_residual;

/* The work of later layers that the kernel does on each value before it stores it, in this order. `output` is the
   final result. */
typedef struct thaw_epilogue {
    bool maps_channels;         /* multiply by run->channel_scale[c] and add run->channel_shift[c], where c is the index
                               in the last dimension. They change as parameters do: `pack` may read them. Their own
                               gradients are never wanted; output_gradient is that of the result */
    thaw_residual residual;     /* add inputs[input_count]; backward writes its gradient into
                               input_gradients[input_count] if input_gradient[input_count] is set */
    thaw_activation activation; /* apply this. If backward follows, output_gradient is that of the activation's
                                   input, except for modules that differentiate activations */
} thaw_epilogue;

/* ---- precision: bfloat16, takes_bfloat16 ---- */

/* Whether `prepare` supports demand.precision, and where a plan in bfloat16 asks for it. */
typedef enum thaw_bfloat16_use {
    THAW_BFLOAT16_NEVER = 0, /* the plan converts what the layer reads and writes */
    THAW_BFLOAT16_CHOSEN,    /* everywhere: its kernels are faster */
    THAW_BFLOAT16_FOLLOWS,   /* only if all its inputs are bfloat16 already */
    THAW_BFLOAT16_FROZEN     /* only in the frozen prefix: it has faster kernels, but no gradients */
} thaw_bfloat16_use;

/* ---- changes of low rank: takes_low_rank ---- */

/* The layer's first parameter, a weight W of shape [outputs, ...], has a low-rank change s B A. Its factors train,
   and W does not: B is [outputs, rank] and A [rank, all other dimensions]. The gradient of W is never wanted, and
   those of B and A do not need it: dB = s dy^T (x A^T), dA = s (dy B)^T x. */
typedef struct thaw_low_rank_demand {
    int64_t rank; /* 0: no such change */
    float scale;  /* s */
    bool beside;  /* parameters[0] is W, and the layer adds s B (A x) to the output, and the corresponding term to the
                    input's gradient; otherwise parameters[0] is W + s B A already */
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

/* For `pack` of a layer with lets_go: elements [first, first + count) of the first parameter may be dropped from
   memory, since `unpack` restores them. Only whole pages are released, so pass long ranges. */
THAW_API void thaw_let_go(const thaw_layer_run *run, size_t first, size_t count);

#ifdef __cplusplus
}
#endif

#endif
