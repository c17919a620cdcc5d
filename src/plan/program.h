/* The program that a plan ends in: a flat list of instructions, in sections. The last pass writes it, src/program binds it
   to memory and runs it; running decides nothing. */
#ifndef THAW_PLAN_PROGRAM_H
#define THAW_PLAN_PROGRAM_H

#include <thaw/plan.h>

#include "kernels/bfloat16.h"
#include "params/expression.h"
#include "update/update.h"

typedef enum thaw_section {
    THAW_SECTION_ONCE, /* what depends on frozen parameters alone, in evaluation on any: when one of them has changed */
    THAW_SECTION_PREFIX, /* from samples to the feature cache's cut; in evaluation, all but the loss */
    THAW_SECTION_KEEP,   /* hands what passes the cut to the feature cache that is being filled */
    THAW_SECTION_CACHED, /* in place of the prefix, for a step that starts at the feature cache */
    THAW_SECTION_FORWARD,
    THAW_SECTION_LOSS,
    THAW_SECTION_BACKWARD,
    THAW_SECTION_CLIP,  /* the norm of all gradients, and whether it and new statistics are finite */
    THAW_SECTION_CHECK, /* in its place, where nothing is clipped */
    THAW_SECTION_UPDATE,
    THAW_SECTIONS
} thaw_section;

typedef enum thaw_instruction_kind {
    THAW_DO_RESTORE,    /* brings back values that another plan keeps only packed */
    THAW_DO_EVALUATE,   /* an expression, where it is old */
    THAW_DO_REEVALUATE, /* likewise, in each step */
    THAW_DO_PACK,       /* parameters into the layout of the node's kernels, where they are old */
    THAW_DO_REPACK,     /* likewise, in each step */
    THAW_DO_TILES,      /* runs the next `count` instructions for one tile of the batch after the other */
    THAW_DO_FORWARD,    /* the node's kernels */
    THAW_DO_CONVERT,    /* values into the other precision */
    THAW_DO_FEED,       /* the same, of what the plan was fed with */
    THAW_DO_MASK,       /* a bit for each element of a ReLU's output */
    THAW_DO_STAGE,      /* copies statistics, for forward to update */
    THAW_DO_KEEP,       /* rows for the feature cache */
    THAW_DO_RECOMPUTE,  /* a value that was not kept */
    THAW_DO_BACKWARD,   /* the node's kernels */
    THAW_DO_UNMASK,     /* the gradient of a ReLU, from its bits */
    THAW_DO_PROPAGATE,  /* an expression's gradient to an operand */
    THAW_DO_ACCUMULATE, /* a parameter's gradient of one layer to that of another */
    THAW_DO_ADD,        /* a gradient of a node's output to that of another reader */
    THAW_DO_FINAL,      /* a parameter's gradient is complete: elements that are held lose theirs */
    THAW_DO_NORM,       /* of all gradients; also whether they, and new statistics, are finite */
    THAW_DO_CHECK,      /* the latter alone */
    THAW_DO_UPDATE,     /* all optimizers, and statistics */
    THAW_DO_POISON,     /* in builds for tests: fills memory with NaN, see src/program/poison.h */
    THAW_DO_POISON_GRADIENTS,
    THAW_INSTRUCTION_KINDS
} thaw_instruction_kind;

typedef struct thaw_instruction {
    thaw_instruction_kind kind;
    thaw_section section;
    thaw_node node; /* whose it is; -1: no node's */
    size_t index;   /* of a term, an input of the node, or what the plan trains; to poison: the time from */
    size_t past;    /* and to which memory begins to be used */
    size_t nested;  /* instructions that a tile runs; else 0 */
    thaw_expression *expression; /* to evaluate */

    /* binding */
    thaw_layer_run *run;
    thaw_values from, into;
    size_t count; /* elements */

    double seconds; /* while the program is timed: added up until somebody takes them */
} thaw_instruction;

/* Who reads a node's value as floats, which may come from outside of the arena: the input's, and those that pass the
   feature cache's cut. */
typedef struct thaw_feed {
    thaw_node node;
    bool boundary;
    size_t first_reader, past_reader;
} thaw_feed;

/* A pointer that moves on from tile to tile, by so many bytes a sample. */
typedef struct thaw_moved_pointer {
    void *place; /* of the pointer */
    size_t sample_bytes;
} thaw_moved_pointer;

/* A statistic that follows the batches, and its new values until the step has succeeded. */
typedef struct thaw_staged {
    thaw_parameter *parameter;
    float *values;
} thaw_staged;

/* What a node runs backward with where some of its values are computed again, in another place. */
typedef struct thaw_second_run {
    thaw_layer_run run;
    const void *inputs[THAW_MAX_INPUTS];
} thaw_second_run;

/* What is another in each step. */
typedef struct thaw_program_step {
    const void *target;
    thaw_stream random; /* seed and step */
    void (*keep)(void *argument, const thaw_plan *plan);
    void *argument; /* of `keep` */
    thaw_update_list *updates;
    double rate_factor, gradient_scale;
    double norm; /* answered by the section that clips */
    bool finite; /* by the same, or the one in its place */
} thaw_program_step;

typedef struct thaw_program {
    thaw_model *model; /* which running changes, and compiling does not */
    thaw_instruction *instructions;
    size_t count, capacity;
    bool failed; /* to grow */
    size_t first[THAW_SECTIONS + 1];

    thaw_feed *feeds;
    size_t feed_count;
    const void ***readers; /* of all feeds: pointers into the inputs of nodes */
    thaw_moved_pointer *moved;
    size_t moved_count;
    thaw_second_run *second_runs;
    thaw_staged *staged;
    size_t staged_count;

    thaw_parameter **watched; /* what the first section depends on */
    size_t watched_count;
    bool prepared; /* the first section has run, when the watched parameters had these versions in all */
    uint64_t seen_versions, seen_absences;
    thaw_program_step step;
    bool timed;
    double clock; /* when the last timed instruction ended, or time began to be taken */
    double rest;  /* seconds between sections while it is timed, added up like those of instructions */
} thaw_program;

/* ---- running: src/program ---- */

/* Points instructions at what the nodes are bound to. */
void thaw_program_bind(thaw_plan *plan);

/* Feeds a step with samples, or with the values that the feature cache kept of a batch: those of each node at its cut, in
   order. Sections that read them as bfloat16 convert them. */
void thaw_program_feed_samples(thaw_plan *plan, const float *samples);
void thaw_program_feed_features(thaw_plan *plan, const float *features);

/* Runs the section of what is needed once, where a parameter has changed since it ran. To be called before the others. */
thaw_status thaw_program_prepare(thaw_plan *plan);

/* Runs a section, or instructions in order; plan->program.step holds what they want of the step. */
thaw_status thaw_program_run(thaw_plan *plan, thaw_section section);
thaw_status thaw_program_run_range(thaw_plan *plan, size_t first, size_t past);

/* Points a node that follows the batches at memory for new values of its statistics. NULL: there is none, nor a need. */
void thaw_plan_bind_statistics(const thaw_plan *plan, thaw_node node, char *memory);

/* Copies its statistics there, for forward to update. Only for nodes that have such memory. */
void thaw_plan_stage_statistics(const thaw_plan *plan, thaw_node node);

/* Lists all statistics that have such memory. */
void thaw_plan_list_staged(thaw_plan *plan);

/* Whether all new statistics are finite; and stores them in the parameters, which ends a step that succeeded. */
bool thaw_plan_statistics_finite(const thaw_plan *plan);
void thaw_plan_take_statistics(const thaw_plan *plan);

void thaw_program_release(thaw_context *context, thaw_program *program);

#endif
