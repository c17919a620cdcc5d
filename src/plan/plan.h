/* The inside of a plan, and the passes that fill it. Passes run in the order of this file; each reads what earlier ones
   wrote. Node i of the plan is node i of the model. */
#ifndef THAW_PLAN_PLAN_H
#define THAW_PLAN_PLAN_H

#include <thaw/plan.h>

#include "graph/model.h"
#include "plan/node.h"
#include "update/shard_sum.h"

struct thaw_plan {
    const thaw_model *model;
    int64_t batch;      /* of a shard, where a step has several */
    int64_t length;     /* of its sequences; 0: the whole length */
    thaw_shape *shapes; /* of nodes for this length, one sample; NULL: those of the model */
    thaw_shape target_shape;
    char *targets;   /* a batch of targets, cut to the length; NULL: they need no cutting */
    float *features; /* the same for a batch of the feature cache's rows */
    size_t shards;   /* of a step; 1: it runs whole */
    int threads;     /* in the team that its kernels were made for */
    bool training;
    bool cuts;    /* it can start at the feature cache: a training plan, or one that tests what is being trained */
    bool unfused; /* each node runs its own kernels */
    const bool *frozen; /* by the number of the stored tensor: supposed to be, whatever its flag; NULL: none */
    bool syncs;         /* the step's shards share sums in the middle of it, on this rank and others */
    thaw_cache_budget cache;

    thaw_plan_node *nodes;
    size_t node_count;
    thaw_node target; /* what is computed: the loss, or the output */
    thaw_node *order; /* the used nodes: constant ones, the rest of the prefix, the live part */
    size_t order_count, prefix_count, constant_count;
    size_t cut_count;    /* the feature cache replaces order[constant_count .. cut_count) */
    size_t prefix_bytes; /* per sample, of the values that pass from the prefix to the live part */
    bool too_large;      /* no cut fits the model's limit */
    size_t *position;    /* of a node in `order` */
    int64_t tile;        /* samples in a tile; `batch` if nothing is tiled */
    size_t tiled_count;  /* order[constant_count .. tiled_count) runs tile by tile; 0: nothing */

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
    bool *finite; /* of `trained`: whether the layer that wrote this step's gradient found all of it finite */

    thaw_memory_request *requests;
    size_t request_count, request_capacity;
    bool requests_failed; /* one found no memory */
    size_t arena_bytes;
    size_t scratch_bytes; /* the most at one time, at the beginning of the arena */
    size_t packed_bytes;
    size_t value_bytes; /* of expressions that it computes */

    bool ready;        /* to run: see thaw_plan_make_ready */
    const char *arena; /* what the nodes are bound to; not owned */
    uint64_t last_use; /* the clock of the kept plans then */
    thaw_program program;
};

/* ---- compiling ---- */

/* What a plan is for. */
typedef struct thaw_plan_request {
    int64_t batch;
    bool training;
    thaw_cache_budget cache;
    size_t shards;      /* of the step, each of them of `batch` samples; 0: 1 */
    bool cuts;          /* an evaluation starts at the feature cache, as a training step always can */
    int64_t length;     /* of sequences; 0: the whole length */
    const bool *frozen; /* see thaw_plan; must outlive the plan. A plan with it cannot run */
} thaw_plan_request;

typedef struct thaw_pass {
    const char *name;
    thaw_status (*run)(thaw_plan *plan);
} thaw_pass;

/* All passes, in order. */
extern const thaw_pass thaw_passes[];
extern const size_t thaw_pass_count;

/* Whether the model can have a plan of this batch. Errors: THAW_INVALID_ARGUMENT, THAW_OUT_OF_MEMORY (a size that
   overflows). */
thaw_status thaw_plan_check_request(const thaw_model *model, const thaw_plan_request *request);

/* Makes a plan on which no pass has run. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_create(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan);

/* Runs the passes up to and including `last`; NULL: all of them. Errors: those of the passes. */
thaw_status thaw_plan_compile(thaw_plan *plan, const char *last);
void thaw_plan_release(thaw_plan *plan);

/* The shape of a node's output for one sample, at the length of the plan's sequences. What plans of all lengths must
   decide alike, such as the cut of the feature cache, follows from the model's shapes. */
const thaw_shape *thaw_plan_shape(const thaw_plan *plan, thaw_node node);

/* Whether what the feature cache keeps at the plan's length is the beginning of what it keeps at the whole length, for
   each sample. Otherwise the plan cannot be used with a cache. */
bool thaw_plan_keeps_beginnings(const thaw_plan *plan);

/* ---- passes ---- */

/* Finds which nodes are used, which carry a gradient, which gradients each computes, and which draw random numbers.
   Invariant: nothing below the lowest trainable parameter carries. Errors: THAW_NOTHING_TRAINABLE (a training plan),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_trainability(thaw_plan *plan);

/* Divides nodes into the prefix, the live part and frozen layers inside it, and orders them. The feature cache cuts at
   the end of the prefix. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_regions(thaw_plan *plan);

/* Warns, once for each kind, of layers in the prefix that would draw random numbers but do not. `told` has a flag for
   each node, so that each warning is given once. */
void thaw_plan_warn(const thaw_plan *plan, bool *told);

/* Moves the feature cache's cut to an earlier place if the end of the prefix exceeds the model's limit. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_cut(thaw_plan *plan);

/* Decides what each layer uses for its parameters (a stored tensor, or the value of an expression), which low-rank
   changes its kernels compute beside the weight, and how gradients reach the stored tensors. Lists the parameters that
   train. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_combination(thaw_plan *plan);

/* The first part of the combination pass: fills the uses of all nodes. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_list_uses(thaw_plan *plan);

/* The trainability of an expression that a layer uses, or of a part of it, at the time of compiling. */
thaw_trainability thaw_plan_trainability(const thaw_plan *plan, thaw_expression *expression);

/* Increases whenever a tensor changes from which the node's parameters are computed. Does not count the factors of a
   low-rank change that the layer computes beside its weight. */
uint64_t thaw_plan_version(const thaw_plan *plan, thaw_node node);

/* Whether the parameters of the node's layer, without the factors of a low-rank change, differ from step to step. */
bool thaw_plan_changes_each_step(const thaw_plan *plan, thaw_node node);

/* Whether the plan supposes the parameter to be frozen, whatever its flag. */
bool thaw_plan_supposes(const thaw_plan *plan, const thaw_parameter *parameter);

/* Whether a step of the plan updates the parameter. */
bool thaw_plan_trains(const thaw_plan *plan, const thaw_parameter *parameter);

/* Decides how a node computes the low-rank change of its weight: see low_rank_choice.c. Returns false if the weight has
   none, or if the layer need not know of it. */
bool thaw_plan_choose_low_rank(const thaw_plan *plan, thaw_node node, thaw_low_rank_demand *demand);

/* The operations per step that the layer spends on a low-rank change. */
double thaw_plan_low_rank_change_flops(const thaw_plan *plan, thaw_node node, const thaw_expression *sum);

/* Points nodes at their parameters and gradients. Buffers have their places by then. */
void thaw_plan_bind_parameters(thaw_plan *plan, char *arena);

/* Chooses the precision of each node from what the model asks for and what its module can do. */
thaw_status thaw_pass_precision(thaw_plan *plan);

/* Finds the nodes whose shapes follow from the length of sequences, if the plan can cut and the model tells lengths.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_find_sequences(thaw_plan *plan);

/* The input of lengths if a cache that cuts there keeps sequences; -1: it need not keep lengths. `last` is what
   thaw_plan_find_last_readers fills. */
thaw_node thaw_plan_kept_lengths(const thaw_plan *plan, const size_t *last, size_t cut);

/* last[i] gets the position of the last reader of order[i], for each node of the prefix; 0: it has no reader. */
void thaw_plan_find_last_readers(const thaw_plan *plan, size_t *last);

/* Chooses the nodes of the prefix that run on one tile of the batch at a time. Values between them stay in the CPU's
   caches and take the memory of a tile: see execute.c. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_tiles(thaw_plan *plan);

/* Makes no node run in tiles. */
void thaw_plan_untile(thaw_plan *plan);

/* Chooses the nodes that become part of the kernel of an earlier node, and the values that other nodes read then.
   Invariant: a fused node has exactly one reader, in the same region and the same tiles. */
thaw_status thaw_pass_fusion(thaw_plan *plan);

/* What a plan demands of a node's layer, with the arrays that the demand points to. */
typedef struct thaw_plan_demand {
    thaw_layer_demand demand;
    thaw_capability_demand capabilities;
    bool may_leave[THAW_MAX_PARAMETERS];
    thaw_shape inputs[THAW_MAX_INPUTS], parameters[THAW_MAX_PARAMETERS];
} thaw_plan_demand;

void thaw_plan_fill_demand(const thaw_plan *plan, thaw_node node, thaw_plan_demand *filled);

/* Lets every used node prepare the kernels that are demanded of it. Errors: those of `prepare`. */
thaw_status thaw_pass_kernels(thaw_plan *plan);

/* Frees what nodes have prepared. */
void thaw_plan_release_kernels(thaw_plan *plan);

/* Finds which outputs and gradients share a buffer: `origin`, `root` and `gradient_root` of each used node. A node that
   runs no kernel has the precision of its origin. */
thaw_status thaw_pass_sharing(thaw_plan *plan);

/* Chooses the activations that keep bits for backward instead of their output. */
thaw_status thaw_pass_masks(thaw_plan *plan);
size_t thaw_plan_mask_bytes(const thaw_plan *plan, thaw_node node); /* 0: it keeps none */

/* The memory in which a node finds the sums of all shards; 0: it shares none. */
size_t thaw_plan_sums_bytes(const thaw_plan *plan, thaw_node node);

/* Chooses the values that backward computes again, if the model asks for that. */
thaw_status thaw_pass_recompute(thaw_plan *plan);

/* Finds the size of each buffer, and the time in which it is needed. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_buffers(thaw_plan *plan);

/* Places each buffer in the arena. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_memory(thaw_plan *plan);

/* Writes the program. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_pass_emit(thaw_plan *plan);

/* Gives each request an offset such that requests that are needed at the same time do not overlap. *bytes gets the size
   of the arena. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_memory_place(thaw_context *context, thaw_memory_request *requests, size_t count, size_t *bytes);

/* ---- running ---- */

/* Allocates what running a compiled plan needs: packed copies, values of expressions, lists of rows. Does nothing if
   that has been done. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_make_ready(thaw_plan *plan);

/* Allocates, in parameters, the lists of gradient rows that layers asked for, if the plan can maintain them. Discards
   the rows that are listed: gradients hold those of another plan. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_reserve_rows(thaw_plan *plan);

/* Points the nodes at an arena of plan->arena_bytes. Does nothing if they point there already. */
void thaw_plan_bind(thaw_plan *plan, char *arena);

/* Whether a backward kernel of this node runs. */
bool thaw_plan_runs_backward(const thaw_plan *plan, thaw_node node);

/* The type in which the feature cache keeps a node's values. Samples are always f32. */
thaw_dtype thaw_plan_cache_dtype(const thaw_plan *plan, thaw_node node);

/* The bytes of these values per sample. */
size_t thaw_plan_cached_bytes(const thaw_plan *plan, thaw_node node);

/* Bytes per sample in the feature cache; 0 if it would save nothing, or if no cut is small enough. */
size_t thaw_plan_cache_bytes(const thaw_plan *plan);

/* The values of an origin in one precision: from its kernel, converted, or fed. Pointers to bfloat16 are cast. NULL if
   no node reads them. */
const float *thaw_plan_value(const thaw_plan *plan, thaw_node origin, thaw_dtype precision);

/* The values of a node after forward, in f32. The node is one at the cut, the output or the loss. */
const float *thaw_plan_output(const thaw_plan *plan, thaw_node node);

#endif
