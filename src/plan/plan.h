/* The plan's insides, and the passes that fill it. Passes run in the order of this file; each reads what those before
   it wrote. Nodes of the plan stand for the nodes of the model, index by index. */
#ifndef THAW_PLAN_PLAN_H
#define THAW_PLAN_PLAN_H

#include <thaw/plan.h>

#include "graph/model.h"
#include "plan/node.h"

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

    thaw_note *trainability; /* of expressions, by number: see thaw_plan_trainability */

    thaw_plan_use *uses; /* of all nodes, in the order of running */
    size_t use_count;
    thaw_plan_term *terms;
    size_t term_count, term_capacity;
    thaw_plan_buffer *gradient_buffers;
    size_t gradient_buffer_count, gradient_buffer_capacity;
    thaw_parameter **trained; /* what the plan computes gradients for */
    size_t trained_count;
    bool *trains; /* whether it does, by the number of the stored tensor */

    thaw_memory_request *requests;
    size_t request_count, request_capacity;
    bool requests_failed; /* one found no memory */
    size_t arena_bytes;
    size_t scratch_bytes; /* the most at one time, at the beginning of the arena */
    size_t packed_bytes;
    size_t value_bytes; /* of expressions that it computes */

    bool ready; /* has what running takes: see thaw_plan_make_ready */
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

/* Warns of each layer that would draw random numbers right below the live part, and does not; once, as `told` keeps for
   each node whether the log knows of it. */
void thaw_plan_warn(const thaw_plan *plan, bool *told);

/* Moves the feature cache's cut from the end of the prefix to an earlier place when the model's limit asks for it. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_cut(thaw_plan *plan);

/* What each layer gets for its parameters: a stored tensor, or the value of an expression; which low-rank changes its
   kernels make beside the weight; and how gradients reach the stored tensors. Reads the order of running; lists the
   parameters that train. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_combination(thaw_plan *plan);

/* The trainability of an expression that a layer gets, or of a part of it, when the plan was compiled. */
thaw_trainability thaw_plan_trainability(const thaw_plan *plan, thaw_expression *expression);

/* Grows whenever something changes that the node's parameters are computed from; without the factors of a low-rank change
   beside the layer. */
uint64_t thaw_plan_version(const thaw_plan *plan, thaw_node node);

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

/* Gives a compiled plan what running takes: memory for packed copies, room for values of expressions and for lists of
   rows. Nothing happens when it has all that. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_make_ready(thaw_plan *plan);

/* Makes room in parameters for the lists of rows that layers asked for, where the plan can keep one. Forgets the rows that
   are listed: what the gradients hold is another plan's. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_reserve_rows(thaw_plan *plan);

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

/* The plan, compiled if need be, ready to run and bound to the model's arena; for the model's budget for the feature
   cache. */
thaw_status thaw_plan_find(thaw_model *model, int64_t batch, bool training, thaw_plan **plan);

/* Lists what a plan's steps update: what it trains has gradients and state of optimizers then, and nothing else has a
   gradient. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_list_updates(const thaw_plan *plan, thaw_update_list **updates);

/* What training plans update; NULL before there is one. */
thaw_update_list *thaw_plan_updates(const thaw_model *model);

#endif
