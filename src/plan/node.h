/* What passes decide about a node of the plan. */
#ifndef THAW_PLAN_NODE_H
#define THAW_PLAN_NODE_H

#include <thaw/plan.h>

#include "plan/places.h"

/* What a layer gets for one of its parameters, or for a factor of a low-rank change to one. */
typedef struct thaw_plan_use {
    thaw_expression *expression;
    thaw_expression *
        *order; /* what it is computed from and has to be computed itself, operands first; it is the last */
    size_t order_count;
    size_t scratch_bytes; /* of computing these, and their gradients */
    bool gradient;        /* the layer computes its gradient */
    int buffer;           /* where it does, in plan->gradient_buffers; -1: in the stored tensor's own gradient */
    size_t first_term, past_term; /* what hands it on to the stored tensors */
} thaw_plan_use;

/* A term of a gradient, in the order of computing them. */
typedef struct thaw_plan_term {
    const thaw_expression *expression; /* whose gradient is handed on; NULL: it is added as it stands */
    size_t operand;                    /* whose gradient it is a term of */
    int from, into;                    /* in plan->gradient_buffers; `into` -1: the stored tensor's */
    thaw_parameter *parameter;
    bool adds;
} thaw_plan_term;

/* An edge of the graph: node `reader` reads another as its input number `slot`. reader -1: there is none. */
typedef struct thaw_reader {
    thaw_node reader;
    size_t slot;
} thaw_reader;

/* What passes decide about a node. */
typedef struct thaw_plan_node {
    /* trainability */
    bool used;                     /* what the plan computes depends on it */
    bool carries;                  /* the gradient of its output is wanted: a parameter at or below it trains */
    bool could_train, could_carry; /* whether one of its own, or one at or below it, would if nothing were frozen */
    bool above_trained; /* carries, or would if the plan trained: not in what the model has as its frozen prefix */
    bool input_gradient[THAW_MAX_INPUTS];
    bool parameter_gradient[THAW_MAX_PARAMETERS];

    bool trains;  /* one of its own parameters does */
    bool follows; /* its statistics follow the batches */
    bool draws;   /* its forward kernel draws random numbers */
    bool live;    /* carries, or depends on what draws: not in the prefix */

    /* combination */
    thaw_plan_use *uses; /* of its parameters; then, where there is a low-rank change, of its two factors */
    size_t use_count;
    thaw_low_rank_demand low_rank; /* rank 0: the layer knows of none */
    double combination_flops;      /* a step: of expressions and of low-rank changes, beyond the layer's own */

    /* regions */
    thaw_region region;
    bool constant; /* in the prefix, and made of constants alone: the same for all samples */
    bool close;    /* in the prefix, and the live part reads it through nothing that has parameters, if at all */
    bool boundary; /* in the prefix, not constant, and read behind the cut: what the feature cache keeps */

    /* precision: of inputs, output and their gradients */
    thaw_dtype precision;

    /* tiles */
    bool tiled;   /* runs on a tile of the batch at a time */
    bool partial; /* and nobody reads its output for the whole batch: its buffer holds a tile's */

    /* fusion */
    thaw_epilogue epilogue;             /* the work of nodes after it, that its kernel does */
    thaw_node fused_into;               /* whose kernel does this node's forward work; -1: its own */
    bool absorbed;                      /* and its backward work, if there is any */
    thaw_node channel_map;              /* the node whose scale and shift its kernel applies; -1: none */
    thaw_node sources[THAW_MAX_INPUTS]; /* whose values its kernels read: its inputs, or what those were absorbed by;
                                           then the epilogue's residual. None, where it was absorbed itself */
    size_t source_count;

    /* kernels */
    bool prepared;
    thaw_layer_needs needs;                    /* without capabilities */
    size_t wanted_rows[THAW_MAX_PARAMETERS];   /* thaw_capability_needs.gradient_rows */
    bool lets_go, leaves[THAW_MAX_PARAMETERS]; /* of any parameter; of which */

    /* sharing, masks, recomputation */
    thaw_node origin;        /* the node whose kernel makes its value: itself, or one before it where it runs none */
    thaw_node root;          /* the node whose buffer holds its output: itself, or the one it shares with */
    thaw_node gradient_root; /* likewise for the gradient of its output */
    thaw_reader
        first_writer; /* the edge whose backward kernel, the first to run, writes that gradient; others add to it */
    bool masks;       /* ReLU, of which backward reads bits in place of the output: see masks.c */
    bool recomputed;  /* a root whose value is not kept until backward: it is computed again */
    bool adds_gradient[THAW_MAX_INPUTS]; /* to an input's gradient that another node has written already */
    bool converts_fed;                   /* of an origin: somebody reads what it is fed with in bfloat16 */

    thaw_plan_places places;
    thaw_plan_binding bound;
} thaw_plan_node;

#endif
