/* A policy in a run: what it watches, what it has decided, and what of that is in checkpoints. */
#ifndef THAW_TRAIN_POLICY_RUN_H
#define THAW_TRAIN_POLICY_RUN_H

#include "policy/parameter_blocks.h"
#include "policy/policy.h"
#include "train/batch.h"
#include "train/lines.h"
#include "train/price_list.h"
#include "train/stored_run.h"
#include "train/trainer.h"

/* The states of freezing that are remembered: going back to one of them does not count as another compilation. */
enum { THAW_POLICY_KNOWN_STATES = 64 };

/* A parameter that trains while its block does. */
typedef struct thaw_watched_parameter {
    thaw_parameter *parameter;
    size_t block;
    thaw_override override;           /* when the run began */
    float *before;                    /* its values at the last decision; NULL: updates are not watched */
    const thaw_stored_tensor *stored; /* the same in a checkpoint that is being loaded */
} thaw_watched_parameter;

typedef struct thaw_watched_group {
    thaw_group *group;
    size_t block;
    double rate; /* when the run began: the group's own, or NAN */
} thaw_watched_group;

struct thaw_policy_run {
    const thaw_policy *policy;
    unsigned watches;
    size_t interval; /* steps; 0: between epochs */

    thaw_policy_block *blocks;
    char (*names)[THAW_BLOCK_NAME_BYTES];
    size_t block_count;
    size_t *block_of; /* of a stored tensor, by its number; block_count: none */
    size_t number_count;
    thaw_watched_parameter *parameters;
    size_t parameter_count;
    thaw_watched_group *groups; /* those that were trainable when the run began */
    size_t group_count;
    float *values; /* in which all `before` lie */
    double *draws;

    /* What is in checkpoints. */
    double *state;
    size_t state_count;
    bool asked;                 /* the policy has been asked at all, */
    size_t asked_at, decisions; /* the last time before this step of the run, for the so manieth time */
    size_t steps;               /* since then */
    size_t changed_at;          /* what trains has last changed before this step */
    size_t watched_steps;       /* of these, those whose gradients were added up */
    double *squares;            /* of gradients, by block */
    double loss, weight;        /* sums since then */
    double test_loss, test_accuracy;
    bool rests; /* for good: it has changed what trains too often */
    size_t compilations, known_count;
    uint64_t known[THAW_POLICY_KNOWN_STATES]; /* states of freezing, the latest first */
    bool priced;
    thaw_price *prices; /* by cut */

    thaw_policy_price *offered; /* what the view holds */
    double *parameter_squares;  /* scratch: of the last step's gradients, by the update list's numbers */
    thaw_price_list *list;      /* while steps are being timed; else NULL */
    size_t timed_steps;
    double *seconds; /* of the instructions of a step that is timed */
    size_t second_count;
};

/* Makes it for a trainer whose options have been checked, if they name a policy. Errors: THAW_INVALID_ARGUMENT (a
   strategy, too), those of thaw_model_block, THAW_OUT_OF_MEMORY. */
thaw_status thaw_policy_run_create(thaw_trainer *trainer);
void thaw_policy_run_release(thaw_trainer *trainer);

/* Notes again what trains now, by block. */
void thaw_policy_find_trained(thaw_policy_run *run);

/* ---- deciding ---- */

/* Asks the policy if it is its turn, and does what it says. After an error it can be tried again. Errors:
   THAW_INVALID_ARGUMENT (an action that is none), THAW_OUT_OF_MEMORY, those of compiling, THAW_IO_ERROR (ranks). */
thaw_status thaw_policy_ask(thaw_trainer *trainer, bool between_epochs);

/* Carries out a decision, and tells it. Errors: as above, before anything has changed. */
thaw_status thaw_policy_act_out(thaw_trainer *trainer, thaw_policy_actions *actions, int epoch);

/* ---- watching ---- */

/* Whether the next step's gradients are to be added up. */
bool thaw_policy_watches_step(const thaw_policy_run *run);

/* After a step that has updated. */
void thaw_policy_note_step(thaw_policy_run *run, const thaw_plan *plan, const thaw_step_result *result, bool watched);

/* Measures weights and updates for a decision; *next* ones are measured from here on. */
void thaw_policy_measure(thaw_policy_run *run);

/* ---- prices ---- */

bool thaw_policy_times_step(const thaw_trainer *trainer);

/* Before a step that is to be timed, before its plan is found: times, once, how layers run frozen. Errors: those of
   thaw_evaluate. */
thaw_status thaw_policy_prepare_timing(thaw_trainer *trainer, const thaw_training_batch *batch, thaw_shard_range range);

/* Around that step, which may have failed. Errors, before it: THAW_OUT_OF_MEMORY. */
thaw_status thaw_policy_begin_timing(thaw_trainer *trainer, thaw_plan *plan);
void thaw_policy_end_timing(thaw_trainer *trainer, thaw_plan *plan, bool done);

/* Finds all prices, once, and what they make of the rest of the run. Errors: those of compiling. */
thaw_status thaw_policy_find_prices(thaw_trainer *trainer);

/* ---- checkpoints ---- */

#define THAW_SNAPSHOT_POLICY "/policy" /* a parameter's values at the last decision */

void thaw_policy_write(const thaw_policy_run *run, thaw_text *text);

/* Whether a checkpoint has all of it; finds its tensors. Errors: THAW_BAD_FORMAT, THAW_INVALID_ARGUMENT,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_policy_check_stored(thaw_policy_run *run, thaw_stored_run *from);

/* Takes over what was checked; the parameters have been restored. */
void thaw_policy_restore(thaw_policy_run *run, thaw_stored_run *from);

#endif
