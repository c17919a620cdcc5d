/* What passes decide about a node of the plan. */
#ifndef THAW_PLAN_NODE_H
#define THAW_PLAN_NODE_H

#include <thaw/plan.h>

#include "plan/packed_block.h"
#include "plan/places.h"

/* What a layer uses for one of its parameters, or for a factor of a low-rank change to one. */
typedef struct thaw_plan_use {
    thaw_expression *expression;
    thaw_expression **order; /* the operations that compute it, operands first, itself last */
    size_t order_count;
    size_t scratch_bytes;         /* for computing these and their gradients */
    bool gradient;                /* the layer computes its gradient */
    int buffer;                   /* its place, in plan->gradient_buffers; -1: the stored tensor's own gradient */
    size_t first_term, past_term; /* propagate it to the stored tensors */
} thaw_plan_use;

/* A term of a gradient, in the order of computing them. */
typedef struct thaw_plan_term {
    const thaw_expression *expression; /* whose gradient is propagated; NULL: it is added unchanged */
    size_t operand;                    /* of the expression: the term is part of its gradient */
    int from, into;                    /* in plan->gradient_buffers; `into` -1: the stored tensor's */
    thaw_parameter *parameter;
    bool adds;
} thaw_plan_term;

/* An edge of the graph: input `slot` of node `reader`. reader -1: no edge. */
typedef struct thaw_reader {
    thaw_node reader;
    size_t slot;
} thaw_reader;

/* What passes decide about a node. */
typedef struct thaw_plan_node {
    /* trainability */
    bool used;                     /* what the plan computes depends on it */
    bool carries;                  /* the gradient of its output is needed: a parameter at or below it trains */
    bool could_train, could_carry; /* would train and would carry if nothing were frozen */
    bool above_trained;            /* would carry in a training plan: not in the model's frozen prefix */
    bool input_gradient[THAW_MAX_INPUTS];
    bool parameter_gradient[THAW_MAX_PARAMETERS];

    bool trains;  /* one of its own parameters trains */
    bool follows; /* its statistics follow the batches */
    bool draws;   /* its forward kernel draws random numbers */
    bool live;    /* carries, or depends on random numbers: not in the prefix */

    /* combination */
    thaw_plan_use *uses; /* of its parameters, then of the two factors of a low-rank change */
    size_t use_count;
    thaw_low_rank_demand low_rank; /* rank 0: the layer computes none */
    double combination_flops;      /* per step, for expressions and low-rank changes */

    /* regions */
    thaw_region region;
    bool constant; /* in the prefix, and computed from constants only */
    bool close;    /* in the prefix, with no parameters between it and the live part */
    bool sequence; /* its shape follows from the length of sequences; not found if the plan cannot cut */
    bool boundary; /* the feature cache keeps it: in the prefix, not constant, and read after the cut; or lengths */

    /* precision: of inputs, output and their gradients; but inputs whose bit is set are floats */
    thaw_dtype precision;
    uint32_t float_inputs;

    /* tiles */
    bool tiled;   /* runs on a tile of the batch at a time */
    bool partial; /* its buffer holds one tile: nothing reads its output for the whole batch */

    /* fusion */
    thaw_epilogue epilogue;             /* the work of later nodes that its kernel does */
    thaw_node fused_into;               /* the node whose kernel does its forward work; -1: itself */
    bool absorbed;                      /* that kernel does its backward work, too */
    thaw_node channel_map;              /* the node whose scale and shift its kernel applies; -1: none */
    thaw_node sources[THAW_MAX_INPUTS]; /* the nodes whose values its kernels read: its inputs, or the nodes that
                                           absorbed them; then the epilogue's residual. None if absorbed itself */
    size_t source_count;

    /* kernels */
    bool prepared;
    thaw_layer_needs needs;                    /* without capabilities */
    size_t wanted_rows[THAW_MAX_PARAMETERS];   /* see thaw_capability_needs.gradient_rows */
    size_t forward_sums, backward_sums;        /* numbers that shards share before it runs; see shared_sums.c */
    bool lets_go, leaves[THAW_MAX_PARAMETERS]; /* whether a parameter may leave memory, and which */

    /* sharing, masks, recomputation */
    thaw_node origin;         /* the node whose kernel computes its value: itself, or an earlier one */
    thaw_node root;           /* the node whose buffer holds its output: itself, or one that it shares with */
    thaw_node gradient_root;  /* the same for the gradient of its output */
    thaw_reader first_writer; /* the edge whose backward kernel runs first and writes that gradient; others add to it */
    bool masks;               /* a ReLU that keeps bits for backward instead of its output: see masks.c */
    bool recomputed;          /* a root whose value backward computes again */
    bool adds_gradient[THAW_MAX_INPUTS]; /* the input's gradient has been written by another node */
    bool converts_fed;                   /* of an origin: its fed values are read in bfloat16 */

    bool packs_once; /* its packed copies are made when parameters have changed, not in each step */

    thaw_plan_places places;
    thaw_packed_block *packed; /* NULL: it packs nothing, or the plan is only described */
    thaw_plan_binding bound;
} thaw_plan_node;

/* The precision of an input, and of its gradient. */
static inline thaw_dtype thaw_input_precision(const thaw_plan_node *reader, size_t slot)
{
    return reader->float_inputs >> slot & 1 ? THAW_F32 : reader->precision;
}

#endif
