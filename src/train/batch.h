/* One batch through a plan: shared by thaw_step, thaw_fit, thaw_evaluate and thaw_predict. Call the last two
   functions between thaw_threads_enter and thaw_threads_leave. */
#ifndef THAW_TRAIN_BATCH_H
#define THAW_TRAIN_BATCH_H

#include <thaw/train.h>

#include "plan/plan.h"

/* Whether a tensor is a batch of samples of this shape. */
bool thaw_is_batch_of(const thaw_tensor *tensor, const thaw_shape *sample);

/* Fails with what was found. */
thaw_status thaw_fail_batch(const thaw_model *model, const char *what, const thaw_tensor *found,
                            const thaw_shape *sample);

/* Whether a tensor holds the loss's targets for this many samples. Errors: as above. */
thaw_status thaw_check_targets(const thaw_model *model, const thaw_tensor *targets, int64_t batch);

/* Whether the targets of a data set match the model. Errors: THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT. */
thaw_status thaw_check_dataset(const thaw_model *model, const thaw_dataset *dataset);

typedef struct thaw_training_batch thaw_training_batch;

/* Whether everything that a step reads is finite, and ids have rows. Errors: THAW_NOT_FINITE (a parameter, or a value
   of a sample), THAW_INVALID_ARGUMENT (an id). */
thaw_status thaw_check_values(thaw_model *model, const thaw_training_batch *batch);

/* Whether embeddings have rows for all ids that they read of the model's inputs. `indices` are those of the samples in
   their data set; NULL: they are in none. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_check_ids(const thaw_model *model, const float *samples, const size_t *indices, size_t count);

/* A training batch: samples, or their rows of the feature cache. */
struct thaw_training_batch {
    int64_t count;
    size_t first, all;     /* the place of the first sample in the step's batch, and the samples of that */
    const float *samples;  /* NULL: from the cache */
    int64_t most;          /* where sequences of samples end at the latest; 0: they run at their whole length */
    const size_t *indices; /* of the samples in their data set; NULL: they are in none */
    const float *features; /* for each boundary node of the plan in order, its values for the whole batch */
    const void *targets;
    /* Called after the prefix has run on a shard, the samples from plan->program.step.own_first on; may be NULL. */
    void (*on_prefix)(void *argument, const thaw_plan *plan);
    void *argument;
    bool measures;                     /* gradients' squares are added up: see thaw_update_list_squares */
    const thaw_mixing_options *mixing; /* of samples that are mixed already, and of outputs of the prefix; NULL: none */
    uint64_t mixing_step;              /* of the run */
    thaw_phase_seconds *phases;        /* each phase's time is added here; NULL: no timing */
};

/* One training step. The plan is that of thaw_shard_plan for this batch and the shards of the options. A rate factor of
   0 means 0 here. Errors: those of thaw_step. */
thaw_status thaw_train_batch(thaw_plan *plan, const thaw_training_batch *batch, const thaw_step_options *options,
                             uint64_t seed, thaw_step_result *result);

/* The length at which a part of a batch runs, of any plan with its cut; 0: the whole length. */
int64_t thaw_batch_length(const thaw_plan *plan, const thaw_training_batch *batch, thaw_shard_part part);

/* Makes the targets from a sample on the step's, as the plan's loss reads them: cut to the length of its sequences.
   Errors: THAW_INVALID_ARGUMENT (a label would be cut off that the loss does not ignore). */
thaw_status thaw_set_targets(thaw_plan *plan, const void *targets, size_t first);

/* The labels of a batch of the plan. */
size_t thaw_batch_labels(const thaw_plan *plan);

/* A mean over batches, computed from sums over them; NAN if nothing counts. */
double thaw_batches_mean(double total, double weight);

/* The mean loss of a batch that has run, as numerator and denominator: see thaw_layer_module.weigh. */
void thaw_weigh_loss(const thaw_plan *plan, double *total, double *weight);

#endif
