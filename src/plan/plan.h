/* The plan's insides, and the passes that fill it. Passes run in the order of this file; each reads what those before
   it wrote. Nodes of the plan stand for the nodes of the model, index by index. */
#ifndef THAW_PLAN_PLAN_H
#define THAW_PLAN_PLAN_H

#include <thaw/plan.h>

#include "graph/model.h"
#include "plan/program.h"

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

/* The gradient of an expression, needed while one node runs backward. */
typedef struct thaw_plan_buffer {
    size_t count;
    thaw_node node;
    int request;
    float *memory;
} thaw_plan_buffer;

/* An edge of the graph: node `reader` reads another as its input number `slot`. reader -1: there is none. */
typedef struct thaw_reader {
    thaw_node reader;
    size_t slot;
} thaw_reader;

/* Where a node's values lie: indices of the plan's memory requests, or -1. */
typedef struct thaw_plan_places {
    int output, gradient, workspace, mask, statistics;
    int copy;                   /* of an origin: its value in the other precision */
    int again;                  /* of a root whose value is computed again: where */
    int spare[THAW_MAX_INPUTS]; /* where the term to add to an input's gradient, or to convert, is written */
} thaw_plan_places;

/* What a node's run functions get, once the plan is bound to its arena. */
typedef struct thaw_plan_binding {
    float *gradient;  /* of the output */
    const float *fed; /* of an origin: values from outside the arena, when there are any */
    void *copy;       /* of an origin: see thaw_plan_places */
    uint32_t *mask;
    const void *inputs[THAW_MAX_INPUTS];
    void *input_gradients[THAW_MAX_INPUTS];
    const float *parameters[THAW_MAX_PARAMETERS];
    float *parameter_gradients[THAW_MAX_PARAMETERS];
    float *statistics[THAW_MAX_PARAMETERS]; /* copies that forward updates: see statistics.c */
    thaw_parameter *leaving[THAW_MAX_PARAMETERS];
    thaw_capability_run capabilities;
    thaw_layer_run run;
    thaw_second_run *second; /* what backward runs with in place of that, where values have moved; else NULL */
} thaw_plan_binding;

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
    thaw_layer_needs needs;                                 /* without capabilities */
    size_t wanted_rows[THAW_MAX_PARAMETERS];                /* thaw_capability_needs.gradient_rows */
    bool lets_go, leaves[THAW_MAX_PARAMETERS];              /* of any parameter; of which */
    thaw_gradient_rows *gradient_rows[THAW_MAX_PARAMETERS]; /* where the plan keeps the list; else NULL */
    uint64_t packed_version; /* the parameters' versions when they were packed, or 1 of each step; 0: never */

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

/* A piece of the arena, needed from time `first` to time `last`, both included. */
typedef struct thaw_memory_request {
    size_t bytes;
    size_t first, last;
    bool scratch;  /* one at a time: at offset 0 */
    size_t offset; /* answered by thaw_memory_place */
} thaw_memory_request;

struct thaw_plan {
    const thaw_model *model;
    int64_t batch;
    int threads; /* of the team that its kernels are made for */
    bool training;
    bool unfused; /* each node runs its own kernels */
    thaw_cache_budget cache;

    thaw_plan_node *nodes;
    size_t node_count;
    thaw_node target; /* what is computed: the loss, or the output */
    thaw_node *order; /* nodes that are used: the prefix, constant nodes first, then the live part */
    size_t order_count, prefix_count, constant_count;
    size_t cut_count;    /* the feature cache stands for order[constant_count .. cut_count) */
    size_t prefix_bytes; /* a sample, of what the whole prefix hands to the live part */
    bool too_large;      /* the model's limit lets no cut be cached */
    size_t *position;    /* of a node in `order` */
    int64_t tile;        /* samples a tile; `batch` where nothing is tiled */
    size_t tiled_count;  /* order[constant_count .. tiled_count) runs tile by tile; 0: nothing does */

    thaw_plan_use *uses; /* of all nodes, in the order of running */
    size_t use_count;
    thaw_plan_term *terms;
    size_t term_count, term_capacity;
    thaw_plan_buffer *gradient_buffers;
    size_t gradient_buffer_count, gradient_buffer_capacity;
    thaw_parameter **trained; /* what the plan computes gradients for */
    size_t trained_count;

    thaw_memory_request *requests;
    size_t request_count, request_capacity;
    bool requests_failed; /* one found no memory */
    size_t arena_bytes;
    size_t scratch_bytes; /* the most at one time, at the beginning of the arena */
    size_t packed_bytes;
    char *packed;
    const char *arena; /* what the nodes are bound to; not owned */
    uint64_t last_use; /* by which the store forgets plans */
    thaw_program program;
};

/* ---- compiling ---- */

/* What a plan is wanted for. */
typedef struct thaw_plan_request {
    int64_t batch;
    bool training;
    thaw_cache_budget cache;
} thaw_plan_request;

typedef struct thaw_pass {
    const char *name;
    thaw_status (*run)(thaw_plan *plan);
} thaw_pass;

/* All passes, in order. */
extern const thaw_pass thaw_passes[];
extern const size_t thaw_pass_count;

/* Makes a plan that no pass has seen. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_create(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan);

/* Runs the passes up to the one of this name; NULL: all. Errors: theirs. */
thaw_status thaw_plan_compile(thaw_plan *plan, const char *last);
void thaw_plan_release(thaw_plan *plan);

/* ---- passes ---- */

/* Which nodes are used, which carry gradient, which gradients each computes, and which draw random numbers. Invariant:
   nothing below the lowest trainable parameter carries. Errors: THAW_NOTHING_TRAINABLE for a training plan. */
thaw_status thaw_pass_trainability(thaw_plan *plan);

/* Prefix, live part, frozen layers inside it; the order of running; where the feature cache cuts. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_regions(thaw_plan *plan);

/* Warns once of each layer that would draw random numbers right below the live part, and does not. */
void thaw_plan_warn(const thaw_plan *plan);

/* Moves the feature cache's cut from the end of the prefix to an earlier place when the model's limit asks for it. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_cut(thaw_plan *plan);

/* What each layer gets for its parameters: a stored tensor, or the value of an expression; which low-rank changes its
   kernels make beside the weight; and how gradients reach the stored tensors. Reads the order of running; lists the
   parameters that train. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_combination(thaw_plan *plan);

/* Whether a step of the plan updates the parameter. */
bool thaw_plan_trains(const thaw_plan *plan, const thaw_parameter *parameter);

/* Decides on the low-rank change of a node's weight, when it is one: see low_rank_choice.c. Returns whether the node's weight
   has one that its kernels know of. */
bool thaw_plan_choose_low_rank(const thaw_plan *plan, thaw_node node, thaw_low_rank_demand *demand);

/* The operations that the layer takes for it in a step. */
double thaw_plan_low_rank_change_flops(const thaw_plan *plan, thaw_node node, const thaw_expression *sum);

/* Points nodes at their parameters, once buffers have their places. */
void thaw_plan_bind_parameters(thaw_plan *plan, char *arena);

/* In which precision each node computes, after what the model wants and what modules can. */
thaw_status thaw_pass_precision(thaw_plan *plan);

/* Where in the order the last reader of each node of the prefix stands; 0: nobody reads it. */
void thaw_plan_find_last_readers(const thaw_plan *plan, size_t *last);

/* Which nodes of the prefix run on a tile of the batch at a time, so that what passes between them stays in the caches,
   and takes a tile's memory: see execute.c. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_tiles(thaw_plan *plan);

/* Takes that back. */
void thaw_plan_untile(thaw_plan *plan);

/* Which nodes become part of the kernel before them, and whose values the others read then. Invariant: what no longer
   gets a value of its own has one reader, in the same region and the same tiles. */
thaw_status thaw_pass_fusion(thaw_plan *plan);

/* What a node's layer is to be asked for, with the arrays that it points to. */
typedef struct thaw_plan_demand {
    thaw_layer_demand demand;
    thaw_capability_demand capabilities;
    bool may_leave[THAW_MAX_PARAMETERS];
    thaw_shape inputs[THAW_MAX_INPUTS], parameters[THAW_MAX_PARAMETERS];
} thaw_plan_demand;

void thaw_plan_fill_demand(const thaw_plan *plan, thaw_node node, thaw_plan_demand *filled);

/* Has every used node prepare the kernels that it is asked for, and no others. Errors: what `prepare` returns. */
thaw_status thaw_pass_kernels(thaw_plan *plan);

/* Makes room in parameters for the lists of rows that layers asked for, where the plan can keep one: when it is to run.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_reserve_rows(thaw_plan *plan);

/* What the gradients hold is another plan's. */
void thaw_plan_forget_rows(const thaw_plan *plan);

/* Frees what the nodes prepared. */
void thaw_plan_release_kernels(thaw_plan *plan);

/* Each used node's `origin` and `root`, and its `gradient_root`: which outputs and gradients share a buffer. What runs no
   kernel takes its origin's precision. */
thaw_status thaw_pass_sharing(thaw_plan *plan);

/* Which activations leave bits for backward in place of their output. */
thaw_status thaw_pass_masks(thaw_plan *plan);
size_t thaw_plan_mask_bytes(const thaw_plan *plan, thaw_node node); /* 0: it leaves none */

/* Which values are computed again in backward, if the model wants that. */
thaw_status thaw_pass_recompute(thaw_plan *plan);

/* How large each buffer is, and from when to when it is needed. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_buffers(thaw_plan *plan);

/* Where in the arena each buffer lies. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_memory(thaw_plan *plan);

/* Writes the program. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_emit(thaw_plan *plan);

/* Gives each request an offset such that no two that are needed at one time overlap, and *bytes in all. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_memory_place(thaw_context *context, thaw_memory_request *requests, size_t count, size_t *bytes);

/* ---- running ---- */

/* Points the nodes at an arena of plan->arena_bytes; nothing happens when it is the one they know. */
void thaw_plan_bind(thaw_plan *plan, char *arena);

/* Whether a backward kernel of this node runs. */
bool thaw_plan_runs_backward(const thaw_plan *plan, thaw_node node);

/* What the plan's values would take if each had memory of its own, in floats; and what of them is computed again. */
size_t thaw_plan_separate_bytes(const thaw_plan *plan);
size_t thaw_plan_recomputed_bytes(const thaw_plan *plan);

/* In which type the feature cache keeps a node's values: samples, which layers read as they are, as floats always. */
thaw_dtype thaw_plan_cache_dtype(const thaw_plan *plan, thaw_node node);

/* Bytes of these for a sample. */
size_t thaw_plan_cached_bytes(const thaw_plan *plan, thaw_node node);

/* Bytes a sample of what the feature cache would keep; 0 when it would save nothing, or no cut is small enough. */
size_t thaw_plan_cache_bytes(const thaw_plan *plan);

/* The values of an origin in one precision: made by its kernel, converted, or fed; pointers to bfloat16 are
   cast. NULL where nobody wants them. */
const float *thaw_plan_value(const thaw_plan *plan, thaw_node origin, thaw_dtype precision);

/* The values of a node after a forward run, as floats: of one that the prefix hands on, or that the plan ends in. */
const float *thaw_plan_output(const thaw_plan *plan, thaw_node node);

/* ---- the store: a model's plans ---- */

/* The plan, compiled if need be, and bound to the model's arena; for the model's budget for the feature cache. */
thaw_status thaw_plan_find(thaw_model *model, int64_t batch, bool training, thaw_plan **plan);

/* Lists what a plan's steps update: what it trains has gradients and state of optimizers then, and nothing else has a
   gradient. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_list_updates(const thaw_plan *plan, thaw_update_list **updates);

/* What training plans update; NULL before there is one. */
thaw_update_list *thaw_plan_updates(const thaw_model *model);

#endif
