/* The plan: a model compiled for one state of freezing and one batch size. A step makes the plan that it needs;
   these calls inspect plans. */
#ifndef THAW_PLAN_H
#define THAW_PLAN_H

#include <thaw/combine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled plan. It belongs to the model. */
typedef struct thaw_plan thaw_plan;

/* The purpose of a plan. */
typedef struct thaw_plan_options {
    int64_t batch;  /* samples per step; required, at least 1 */
    bool inference; /* the plan of evaluation and prediction instead of training */
    /* The most bytes that the feature cache may take per sample (thaw_fit_cache_sample_bytes). The cache keeps the
       output of the last place in the frozen prefix that fits. 0: no limit. If none of these three is set, they are
       those of the last thaw_fit. */
    size_t cache_sample_bytes;
    thaw_dtype cache_dtype; /* as in thaw_fit_options */
    bool random_data;       /* samples differ from epoch to epoch: nothing is cached */
    /* The shards of a training step (thaw_step_options); 0: 1. The plan is that of the largest shard, with which
       memory and operations are counted. */
    int64_t shards;
} thaw_plan_options;

/* The plan for these options; it is compiled if it does not exist or is stale. It belongs to the model and lives
   until the next call that changes the model or compiles. The model's parameters do not change. The first step
   allocates what steps need: gradients, optimizer state, activations, packed copies. Errors: THAW_INVALID_ARGUMENT
   (batch; a model without layers, or training without a loss), THAW_NOTHING_TRAINABLE, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_model_plan(thaw_model *model, const thaw_plan_options *options, const thaw_plan **plan);

/* Whether one kernel may do the work of several layers: a convolution can include the normalisation, the sum and the
   activation after it. On by default. If off, each layer runs its own kernels, for comparison. Results agree within
   rounding. A change makes plans stale. */
THAW_API void thaw_model_set_fusion(thaw_model *model, bool fusion);

/* Whether training recomputes cheap values during backward instead of keeping them: the outputs of normalisations,
   and of activations after them, are dropped after forward and computed again, to the same bits. Off by default. A
   change makes plans stale. */
THAW_API void thaw_model_set_recompute(thaw_model *model, bool recompute);

/* The region of a node. */
typedef enum thaw_region {
    THAW_REGION_PREFIX, /* nothing below trains: inference kernels; computed only once if cached */
    THAW_REGION_LIVE,   /* has gradients or passes them on */
    THAW_REGION_FROZEN  /* inside the live part, but its parameters do not train */
} thaw_region;

/* A node of the plan, in the order of the model. Strings belong to the plan. */
typedef struct thaw_plan_entry {
    const char *name, *kind; /* of the layer */
    thaw_region region;      /* its region */
    thaw_dtype
        precision;      /* THAW_F32 or THAW_BF16: of its inputs and outputs; of its parameters only in packed copies */
    const char *kernel; /* what runs; "" for a node that costs nothing */
    const char *fused_into;  /* the node whose kernel does this node's work, or NULL */
    bool forward;            /* a forward kernel runs */
    bool input_gradient;     /* backward computes the gradient of an input */
    bool parameter_gradient; /* backward computes the gradient of a parameter */
    bool cache_boundary;     /* the feature cache keeps this node's output */
    int64_t samples;         /* samples that its forward kernel processes at a time: the batch, or a tile of it */
    size_t output_bytes;     /* 0 if it shares its input's memory */
    size_t copy_bytes;       /* of the output converted to the other precision, for readers that need it; 0: none */
    size_t workspace_bytes, packed_bytes; /* kept for backward; packed copies of parameters */
    double forward_flops, backward_flops; /* per step */
    thaw_trainability trainability;       /* of its parameters; frozen if it has none */
} thaw_plan_entry;

/* A parameter that is bound to an expression (thaw/combine.h). `computed` begins with when it is computed: "as it is
   stored" (the expression is another tensor), "once" (all of it is frozen), "each step", "when it changes" (in plans
   of inference), or "beside the layer": for a low-rank change s B A, B (A x) is computed, and no gradient of the
   weight. */
typedef struct thaw_plan_combination {
    const thaw_parameter *parameter;   /* the bound parameter */
    const thaw_expression *expression; /* from thaw_expression_describe */
    thaw_trainability trainability;    /* of the expression */
    const char *computed;              /* when: see above */
    size_t value_bytes;                /* of the expression's value and of the values it is computed from */
} thaw_plan_combination;

/* Totals of a plan. */
typedef struct thaw_plan_totals {
    size_t trainable_parameters;  /* elements */
    size_t parameter_bytes;       /* of the whole model */
    size_t gradient_bytes;        /* of what the plan trains */
    size_t optimizer_state_bytes; /* that exists now, or that the plan's first step allocates, with the copy of the
                                     parameters that cautious, sam and other wrappers need */
    size_t activation_bytes;      /* of the arena: activations, their gradients, workspaces, scratch */
    size_t separate_bytes;        /* the same in f32, if each value had its own memory: see thaw_plan_saving */
    size_t recomputed_bytes;      /* of values that are recomputed during backward instead of being kept */
    size_t packed_bytes;          /* copies of parameters in their kernels' layout. Plans of a model share them where
                                     their kernels read the same layout, so that they are in memory once */
    size_t shard_bytes;           /* of sums of gradients over a step's shards; 0 if it has one */
    int64_t shards;               /* of a step; 1: it is not divided */
    size_t shared_bytes;      /* of gradients and running statistics that ranks add up each step: each of R ranks, with
                                     a power of two of shards, sends and receives 2 (R - 1) / R of them */
    size_t synced_bytes;      /* of sums that are sent for each shard to every other rank in the middle of a step: see
                                 thaw_model_set_sync_batch_norm */
    size_t combination_bytes; /* values of expressions that the plan computes; all plans of a model share them */
    size_t forward_kernels, backward_kernels; /* nodes that run something */
    size_t fused_kernels;                     /* forward kernels that do not run, because another one does their work */
    size_t fused_bytes;      /* the bytes that these would read and write per step, and the others do not */
    size_t bfloat16_kernels; /* of the forward kernels */
    size_t conversions;      /* conversions between precisions, of values and of gradients, per step */
    size_t tiled_kernels;    /* of the forward kernels: those that run on one tile of `tile` samples after another, so
                             that what passes between them stays in the caches and takes less memory */
    int64_t tile;            /* samples; the batch if nothing is tiled */
    double flops;            /* per step, without the update */
    double update_flops;     /* of optimizers' products of matrices, per step: what is updated by element counts as 0 */
    double unfrozen_flops;   /* of the same network with everything trainable */
    double cached_flops;     /* of a step that starts at the feature cache */
    size_t cached_bytes_per_sample; /* 0: no frozen prefix is worth caching, or no place in it is small enough */
    size_t prefix_bytes_per_sample; /* of the prefix's end; larger than the above if the cache cuts it earlier */
} thaw_plan_totals;

/* The entries, combinations and totals of a plan. Errors: THAW_INVALID_ARGUMENT (no such index). */
THAW_API size_t thaw_plan_entry_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_entry_at(const thaw_plan *plan, size_t index, thaw_plan_entry *row);
THAW_API size_t thaw_plan_combination_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_combination_at(const thaw_plan *plan, size_t index, thaw_plan_combination *combination);
THAW_API thaw_plan_totals thaw_plan_totals_of(const thaw_plan *plan);

/* What one pass saves of the memory of activations and gradients: "fusion", "precision", "tiles" and "sharing" add
   up to separate_bytes less activation_bytes. "masks" and "recomputation" count what is not kept from forward to
   backward; others share that memory. "weights" is memory of parameters. "cache" saves operations instead of bytes. */
typedef struct thaw_plan_saving {
    const char *pass, *what; /* static storage */
    size_t bytes;            /* fewer bytes than without the pass */
    double flops;            /* per step; 0 except for "cache" */
} thaw_plan_saving;

/* The savings of the passes, by index. Errors: THAW_INVALID_ARGUMENT (no such index). */
THAW_API size_t thaw_plan_saving_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_saving_at(const thaw_plan *plan, size_t index, thaw_plan_saving *saving);

/* ---- the program ----
   A plan is compiled to a list of instructions in sections, in the order of running. "once" runs when its
   dependencies have changed. "prefix" or "cached" (from the feature cache) begins a step. "keep" fills the cache.
   "sum" and "total" are only in plans for several shards: "prefix" or "cached" to "sum" run once for each shard, the
   other sections of a step after the last one. "clip" or "check" inspects the gradients. The others run in each
   step. */

enum { THAW_OPERANDS_BYTES = 240 };

/* One instruction. */
typedef struct thaw_plan_instruction {
    /* "once", "prefix", "keep", "cached", "forward", "loss", "backward", "sum", "total", "clip", "check" or
       "update". */
    const char *section;
    const char *operation; /* "pack", "forward", "backward", "final" and so on; static storage, as the section */
    const char *layer;     /* the layer that it belongs to, or NULL; belongs to the plan */
    char operands[THAW_OPERANDS_BYTES]; /* operands: d(x) is the gradient of x, @n a place in the arena */
} thaw_plan_instruction;

/* The instructions, by index. Errors: THAW_INVALID_ARGUMENT (no such instruction). */
THAW_API size_t thaw_plan_instruction_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_instruction_at(const thaw_plan *plan, size_t index, thaw_plan_instruction *instruction);

/* The program as a table, one instruction per line. The caller owns `*text` (thaw_text_destroy).
   Errors: THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_plan_program(const thaw_plan *plan, char **text);

/* The plan as a table with totals. The caller owns `*text` (thaw_text_destroy). */
THAW_API thaw_status thaw_plan_describe(const thaw_plan *plan, char **text);

#ifdef __cplusplus
}
#endif

#endif
