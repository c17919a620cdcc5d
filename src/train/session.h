/* One batch through a plan: what thaw_step, thaw_fit, thaw_evaluate and thaw_predict have in common. All are called
   between thaw_threads_enter and thaw_threads_leave. */
#ifndef THAW_TRAIN_SESSION_H
#define THAW_TRAIN_SESSION_H

#include <thaw/train.h>

#include "plan/plan.h"

/* Whether a tensor is a batch of the model's samples (f32, at least one); *batch is its size. `what` names it. */
thaw_status thaw_check_inputs(const thaw_model *model, const thaw_tensor *inputs, int64_t *batch);

/* Whether a tensor is the loss's targets for so many samples, labels in range. */
thaw_status thaw_check_targets(const thaw_model *model, const thaw_tensor *targets, int64_t batch);

/* Whether labels lie within the classes that the loss knows: [0, classes), or the one it ignores. */
thaw_status thaw_check_labels(const thaw_model *model, const int32_t *labels, size_t count);

/* Where a training batch comes from: samples, or what the feature cache kept of them, one array a boundary node. */
typedef struct thaw_batch_input {
    int64_t count;
    const float *samples;  /* NULL: from the cache */
    const float *features; /* what thaw_cache_boundaries lists, one after the other, each for the whole batch */
    const void *targets;
} thaw_batch_input;

/* What a training step is done with. */
typedef struct thaw_step_settings {
    thaw_step_options options;
    uint64_t seed;
    void (*on_prefix)(void *argument, const thaw_plan *plan); /* after the prefix has run; may be NULL */
    void *argument;
} thaw_step_settings;

/* One training step. Errors: those of thaw_step. */
thaw_status thaw_train_batch(thaw_model *model, const thaw_batch_input *input, const thaw_step_settings *settings,
                             thaw_step_result *result);

/* Forward in evaluation; *loss and *correct only with targets. */
thaw_status thaw_evaluate_batch(thaw_model *model, const float *samples, const void *targets, int64_t count,
                                const float **outputs, double *loss, size_t *correct);

#endif
