/* The program that a plan ends in: a flat list of instructions, in sections. The last pass writes it. src/program binds
   it to memory and runs it without deciding anything. */
#ifndef THAW_PLAN_PROGRAM_H
#define THAW_PLAN_PROGRAM_H

#include <thaw/plan.h>

#include "kernels/bfloat16.h"
#include "params/expression.h"
#include "update/shard_sum.h"
#include "update/update.h"

typedef enum thaw_section {
    THAW_SECTION_ONCE,   /* depends on frozen parameters only, in evaluation on all: runs after one of them changed */
    THAW_SECTION_PREFIX, /* from samples to the feature cache's cut; in evaluation, all but the loss */
    THAW_SECTION_KEEP,   /* stores the values at the cut while the feature cache is filled */
    THAW_SECTION_CACHED, /* replaces the prefix in a step that starts at the feature cache */
    THAW_SECTION_FORWARD,
    THAW_SECTION_LOSS,
    THAW_SECTION_BACKWARD,
    THAW_SECTION_SUM,   /* adds a shard's gradients to the step's, if it has several shards */
    THAW_SECTION_TOTAL, /* after the last shard: takes their sum */
    THAW_SECTION_CLIP,  /* the norm of all gradients, and whether it and new statistics are finite */
    THAW_SECTION_CHECK, /* replaces it if nothing is clipped */
    THAW_SECTION_UPDATE,
    THAW_SECTIONS
} thaw_section;

typedef enum thaw_instruction_kind {
    THAW_DO_RESTORE,    /* brings back values that another plan keeps only packed */
    THAW_DO_EVALUATE,   /* an expression, if it is stale */
    THAW_DO_REEVALUATE, /* the same in each step */
    THAW_DO_PACK,       /* parameters into the layout of the node's kernels, if the copy is stale */
    THAW_DO_REPACK,     /* the same in each step */
    THAW_DO_TILES,      /* runs the next `nested` instructions for each tile of the batch */
    THAW_DO_MEASURE,    /* this shard's sums, which the node's kernels need of all shards */
    THAW_DO_SHARE,      /* gives each shard those of all */
    THAW_DO_FORWARD,    /* the node's kernels */
    THAW_DO_CONVERT,    /* values into the other precision */
    THAW_DO_FEED,       /* the same for values that the plan was fed with */
    THAW_DO_MASK,       /* a bit for each element of a ReLU's output */
    THAW_DO_STAGE,      /* copies statistics, for forward to update */
    THAW_DO_KEEP,       /* rows for the feature cache */
    THAW_DO_RECOMPUTE,  /* a value that was not kept */
    THAW_DO_BACKWARD,   /* the node's kernels */
    THAW_DO_SCALE,      /* the loss's gradients, to those of the whole step's loss */
    THAW_DO_UNMASK,     /* the gradient of a ReLU, from its bits */
    THAW_DO_PROPAGATE,  /* an expression's gradient to an operand */
    THAW_DO_ACCUMULATE, /* a parameter's gradient of one layer to that of another */
    THAW_DO_ADD,        /* a gradient of a node's output to that of another reader */
    THAW_DO_FINAL,      /* a parameter's gradient is complete: clears held elements, and sends it to ranks */
    THAW_DO_SUM,        /* adds all gradients, and new statistics, to those of other shards */
    THAW_DO_TOTAL,      /* replaces them by the sum of gradients and the mean of statistics */
    THAW_DO_NORM,       /* of all gradients; also checks that they and new statistics are finite */
    THAW_DO_CHECK,      /* only the latter */
    THAW_DO_UPDATE,     /* all optimizers, and statistics */
    THAW_DO_POISON,     /* in builds for tests: fills memory with NaN, see src/program/poison.h */
    THAW_DO_POISON_GRADIENTS,
    THAW_INSTRUCTION_KINDS
} thaw_instruction_kind;

typedef struct thaw_instruction {
    thaw_instruction_kind kind;
    thaw_section section;
    thaw_node node; /* -1: it belongs to no node */
    size_t index;   /* of a term, an input of the node, or a trained parameter; to poison: the first time */
    size_t past;    /* to poison: the time after the last */
    size_t nested;  /* instructions that run for each tile; else 0 */
    thaw_expression *expression; /* to evaluate */

    /* binding */
    thaw_layer_run *run;
    thaw_values from, into;
    size_t count; /* elements; of sums to share: those of one shard */

    double seconds; /* sum while the program is timed; the caller resets it */
} thaw_instruction;

/* The f32 readers of a value that may come from outside the arena: the input's, or one at the feature cache's cut. */
typedef struct thaw_feed {
    thaw_node node;
    bool boundary;
    size_t first_reader, past_reader;
} thaw_feed;

/* A pointer that advances from tile to tile. */
typedef struct thaw_moved_pointer {
    void *place; /* of the pointer */
    size_t sample_bytes;
} thaw_moved_pointer;

/* A statistic that follows the batches, and its new values until the step has succeeded. */
typedef struct thaw_staged {
    thaw_parameter *parameter;
    float *values;
} thaw_staged;

/* Replaces a node's run in backward if some of its values are computed again, in another place. */
typedef struct thaw_second_run {
    thaw_layer_run run;
    const void *inputs[THAW_MAX_INPUTS];
} thaw_second_run;

/* What differs from step to step. */
typedef struct thaw_program_step {
    const void *target;
    thaw_stream random; /* seed and step */
    void (*keep)(void *argument, const thaw_plan *plan);
    void *argument; /* of `keep` */
    thaw_update_list *updates;
    thaw_shard_sum *sum;                   /* of a step with several shards */
    const thaw_communicator *communicator; /* in this rank's last shard of the step, whose gradients travel early */
    size_t first;                          /* the place of the first sample in the step's batch */
    double mixed;                          /* the share of other samples in its targets: see thaw_layer_run.mixed */
    size_t own_first;                      /* the same in the part of the batch that this process has */
    size_t met;                            /* the instruction after the last one that may meet other ranks */
    bool again;        /* the last run was of another shard of the same step: parameters have not changed since */
    float loss_factor; /* of the shard's loss in the step's, where a shard's gradients are those of the latter */
    float factor;      /* of the shard's gradients */
    double rate_factor, gradient_scale;
    double norm; /* set by section clip */
    bool finite; /* set by section clip or check */
} thaw_program_step;

typedef struct thaw_program {
    thaw_model *model; /* changed by running, not by compiling */
    thaw_instruction *instructions;
    size_t count, capacity;
    bool failed; /* out of memory while growing */
    size_t first[THAW_SECTIONS + 1];

    thaw_feed *feeds;
    size_t feed_count;
    const void ***readers; /* of all feeds: pointers into the inputs of nodes */
    thaw_moved_pointer *moved;
    size_t moved_count;
    thaw_second_run *second_runs;
    thaw_staged *staged;
    float **staged_values; /* those of `staged`, in its order */
    size_t staged_count;

    thaw_parameter **watched; /* what section once depends on */
    size_t watched_count;
    bool prepared; /* section once has run; the two sums below are of that time */
    uint64_t seen_versions, seen_absences;
    thaw_program_step step;
    bool timed;
    double clock; /* when the last timed interval ended */
    double rest;  /* seconds between sections: a sum like those of instructions */
} thaw_program;

/* ---- running: src/program ---- */

/* Points instructions at the memory to which nodes are bound. */
void thaw_program_bind(thaw_plan *plan);

/* Feeds a step with samples, or with values from the feature cache: of each node at the cut, in order, for `count`
   samples, of which it gets those from number `first` on. Sections that read them in bfloat16 convert them. */
void thaw_program_feed_samples(thaw_plan *plan, const float *samples);
void thaw_program_feed_features(thaw_plan *plan, const float *features, size_t count, size_t first);

/* The length at which a part of such a batch runs, if the cache keeps the input of lengths; 0: the whole length. */
int64_t thaw_program_features_length(const thaw_plan *plan, const float *features, size_t count, thaw_shard_part part);

/* Runs section once if a parameter has changed since it ran. Call it before other sections. */
thaw_status thaw_program_prepare(thaw_plan *plan);

/* Runs a section, or a range of instructions, with the inputs in plan->program.step. */
thaw_status thaw_program_run(thaw_plan *plan, thaw_section section);
thaw_status thaw_program_run_range(thaw_plan *plan, size_t first, size_t past);

/* The first instruction from `first` on that shares sums, or `past`. */
size_t thaw_program_find_share(const thaw_plan *plan, size_t first, size_t past);

/* For a rank whose shards have no samples, or one of which has failed: takes part in what is left of the exchanges in
   the middle of a step, in the order of the instructions, with sums that are zeros. Errors: THAW_IO_ERROR. */
thaw_status thaw_program_meet_others(thaw_plan *plan);

/* Points a node that follows the batches at memory for new values of its statistics. NULL: it needs none. */
void thaw_plan_bind_statistics(const thaw_plan *plan, thaw_node node, char *memory);

/* Copies its statistics there, where forward updates them. Only for nodes with such memory. */
void thaw_plan_stage_statistics(const thaw_plan *plan, thaw_node node);

/* Lists the statistics that have such memory. */
void thaw_plan_list_staged(thaw_plan *plan);

/* Whether all new statistics are finite. */
bool thaw_plan_statistics_finite(const thaw_plan *plan);

/* Stores new statistics in the parameters, at the end of a step that succeeded. */
void thaw_plan_take_statistics(const thaw_plan *plan);

void thaw_program_release(thaw_context *context, thaw_program *program);

#endif
