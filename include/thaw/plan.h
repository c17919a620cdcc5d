/* The plan: the compiled form of a model for one state of freezing and one batch size. Plans are made when a step needs
   one; these calls look at them. */
#ifndef THAW_PLAN_H
#define THAW_PLAN_H

#include <thaw/combine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A compiled plan. It belongs to the model. */
typedef struct thaw_plan thaw_plan;

/* What a plan is for. */
typedef struct thaw_plan_options {
    int64_t batch;  /* samples a step; required, at least 1 */
    bool inference; /* the plan of evaluation and prediction instead of training */
    /* What the feature cache may take for a sample (thaw_fit_cache_sample_bytes): it keeps what passes the last place of
       the frozen prefix where that is no more. 0: no limit. Where none of these three is set, they are those of the last
       thaw_fit. */
    size_t cache_sample_bytes;
    thaw_dtype cache_dtype; /* as thaw_fit_options has it */
    bool random_data;       /* samples differ from epoch to epoch: nothing is cached */
} thaw_plan_options;

/* The plan for these options, compiled if there is none or it is stale. It belongs to the model and lives until the
   next call that changes the model or compiles. Errors: THAW_INVALID_ARGUMENT (batch; a model without layers, or
   training without a loss), THAW_NOTHING_TRAINABLE, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_model_plan(thaw_model *model, const thaw_plan_options *options, const thaw_plan **plan);

/* Whether one kernel may do the work of several layers: a convolution that of the normalisation, the sum and the
   activation after it. It does so from the start; without, each layer runs its own kernels, to compare with. Results
   agree within rounding. Plans are stale after a change. */
THAW_API void thaw_model_set_fusion(thaw_model *model, bool fusion);

/* Whether training keeps, for backward, only what is not cheap to have again: values of normalisations, and of
   activations after them, are then dropped after forward and computed once more in backward, to the same bits. Off at
   first. Plans are stale after a change. */
THAW_API void thaw_model_set_recompute(thaw_model *model, bool recompute);

/* Where a node lies. */
typedef enum thaw_region {
    THAW_REGION_PREFIX, /* nothing below trains: inference kernels, computed once when cached */
    THAW_REGION_LIVE,   /* holds or passes on gradients */
    THAW_REGION_FROZEN  /* inside the live part, with parameters that do not train */
} thaw_region;

/* One node of the plan, in the order of the model. Strings belong to the plan. */
typedef struct thaw_plan_entry {
    const char *name, *kind; /* of the layer */
    thaw_region region;      /* where it lies */
    thaw_dtype
        precision; /* THAW_F32 or THAW_BF16: of what it reads and writes; of its parameters only in packed copies */
    const char *kernel;      /* what runs; "" for a node that costs nothing */
    const char *fused_into;  /* the node whose kernel does this one's work, or NULL */
    bool forward;            /* a forward kernel runs */
    bool input_gradient;     /* backward computes the gradient of an input */
    bool parameter_gradient; /* backward computes the gradient of a parameter */
    bool cache_boundary;     /* the feature cache keeps this node's output */
    int64_t samples;         /* that its forward kernel takes at a time: the batch, or a tile of it */
    size_t output_bytes;     /* 0 when it shares its input's memory */
    size_t copy_bytes;       /* of the output in the other precision, for those that read it so; 0: there is none */
    size_t workspace_bytes, packed_bytes; /* kept for backward; packed copies of parameters */
    double forward_flops, backward_flops; /* a step */
    thaw_trainability trainability;       /* of its parameters; frozen where it has none */
} thaw_plan_entry;

/* One parameter that is bound to an expression (thaw/combine.h). What is `computed` is, by its beginning,
   "as it is stored" (the expression is another tensor), "once" (all of it is frozen), "each step", "when it changes" (in
   plans of inference), or "beside the layer": of a low-rank change s B A then B (A x) is computed, and no gradient of the
   weight. */
typedef struct thaw_plan_combination {
    const thaw_parameter *parameter;   /* the one that is bound */
    const thaw_expression *expression; /* thaw_expression_describe writes it */
    thaw_trainability trainability;    /* of the expression */
    const char *computed;              /* see above */
    size_t value_bytes;                /* of the expression's value and of those it is computed from */
} thaw_plan_combination;

/* Sums over a plan. */
typedef struct thaw_plan_totals {
    size_t trainable_parameters;                                   /* elements */
    size_t gradient_bytes, optimizer_state_bytes, parameter_bytes; /* of the whole model, as it is now */
    size_t activation_bytes;  /* the arena: activations, their gradients, workspaces, scratch */
    size_t separate_bytes;    /* that these would take as floats, if each had memory of its own: see thaw_plan_saving */
    size_t recomputed_bytes;  /* of values that are computed again in backward instead of being kept */
    size_t packed_bytes;      /* copies of parameters in their kernels' layout */
    size_t combination_bytes; /* values of expressions; several plans of a model share them */
    size_t forward_kernels, backward_kernels; /* nodes that run something */
    size_t fused_kernels;    /* forward kernels that do not run, because another does their work as well */
    size_t fused_bytes;      /* that they would read and write in a step, and the others do not */
    size_t bfloat16_kernels; /* of the forward kernels */
    size_t conversions;      /* between precisions, of values and of gradients, a step */
    size_t tiled_kernels; /* of the forward kernels: those that run on `tile` samples after `tile` samples, so that what
                             passes between them stays in the caches and takes less memory */
    int64_t tile;         /* samples; the batch where nothing is tiled */
    double flops;         /* a step */
    double unfrozen_flops;          /* the same network with everything trainable */
    double cached_flops;            /* a step that starts at the feature cache */
    size_t cached_bytes_per_sample; /* 0: no frozen prefix that is worth caching, or no place of it is small enough */
    size_t prefix_bytes_per_sample; /* that its end would take; more than the above where the cache cuts it earlier */
} thaw_plan_totals;

/* The entries, combinations and totals of a plan. Errors: THAW_INVALID_ARGUMENT (no such index). */
THAW_API size_t thaw_plan_entry_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_entry_at(const thaw_plan *plan, size_t index, thaw_plan_entry *row);
THAW_API size_t thaw_plan_combination_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_combination_at(const thaw_plan *plan, size_t index, thaw_plan_combination *combination);
THAW_API thaw_plan_totals thaw_plan_totals_of(const thaw_plan *plan);

/* What one pass saves, of the memory of activations and gradients: "fusion", "precision", "tiles" and "sharing", which add
   up to separate_bytes less activation_bytes. "masks" and "recomputation" tell what is not kept from forward to backward;
   the memory is what others share then. "weights" is memory of parameters. "cache" saves no bytes but operations. */
typedef struct thaw_plan_saving {
    const char *pass, *what; /* static storage */
    size_t bytes;            /* fewer than without the pass */
    double flops;            /* a step; 0 but for "cache" */
} thaw_plan_saving;

/* What the passes save, by index. Errors: THAW_INVALID_ARGUMENT (no such index). */
THAW_API size_t thaw_plan_saving_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_saving_at(const thaw_plan *plan, size_t index, thaw_plan_saving *saving);

/* ---- the program ----
   What a plan ends in: a list of instructions in sections, in the order of running. "once" runs when what it depends on has
   changed, "prefix" or "cached" (from the feature cache) begin a step, "keep" fills the cache, "clip" or "check" look at
   the gradients; the others run in each step. */

enum { THAW_OPERANDS_BYTES = 240 };

/* One instruction. */
typedef struct thaw_plan_instruction {
    const char
        *section; /* "once", "prefix", "keep", "cached", "forward", "loss", "backward", "clip", "check", "update" */
    const char *operation; /* "pack", "forward", "backward", "final" and so on; static storage, as the section */
    const char *layer;     /* whose it is; NULL: no layer's. Belongs to the plan */
    char operands
        [THAW_OPERANDS_BYTES]; /* what it reads and writes: d(x) is the gradient of x, @n a place in the arena */
} thaw_plan_instruction;

/* The instructions, by index. Errors: THAW_INVALID_ARGUMENT (there is no such instruction). */
THAW_API size_t thaw_plan_instruction_count(const thaw_plan *plan);
THAW_API thaw_status thaw_plan_instruction_at(const thaw_plan *plan, size_t index, thaw_plan_instruction *instruction);

/* The program as a table, an instruction a line. The caller owns `*text` (thaw_text_destroy). Errors:
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_plan_program(const thaw_plan *plan, char **text);

/* The plan as a table with totals. The caller owns `*text` (thaw_text_destroy). */
THAW_API thaw_status thaw_plan_describe(const thaw_plan *plan, char **text);

#ifdef __cplusplus
}
#endif

#endif
