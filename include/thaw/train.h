/* Training: one step at a time for people with their own loop, or thaw_fit over a data set. */
#ifndef THAW_TRAIN_H
#define THAW_TRAIN_H

#include <thaw/data.h>
#include <thaw/model.h>
#include <thaw/schedule.h>
#include <thaw/strategy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of thaw_step. Zero everywhere is the default. */
typedef struct thaw_step_options {
    double rate_factor;  /* on every learning rate; 0: 1 */
    double clip_norm;    /* scale gradients down to this global norm (of what trains); 0: do not */
    bool gradients_only; /* compute loss and gradients, update nothing: neither parameters nor running statistics */
} thaw_step_options;

/* What a step found. */
typedef struct thaw_step_result {
    double loss;          /* of the batch, as it is differentiated */
    double loss_total;    /* for a mean over batches of any sizes as thaw_evaluate's: see loss_weight */
    double loss_weight;   /* that mean is sum(loss_total) / sum(loss_weight) */
    double gradient_norm; /* before clipping; only with clip_norm, else NAN */
    size_t correct;       /* samples of `counted` whose largest output is at their label */
    size_t counted;       /* samples whose label is not ignored by the loss; 0 without labels */
    bool skipped;         /* a gradient or a new running statistic was not finite: nothing was updated */
} thaw_step_result;

/* One training step over a batch in host memory: forward, backward, update. `inputs` is THAW_F32 [batch, sample...],
   `targets` THAW_I32 [batch] labels or THAW_F32 [batch, ...], as the loss wants. `options` and `result` may be NULL.
   Compiles first when the plan is missing or stale; a compiled step allocates nothing. A step updates everything or
   nothing: parameters, optimizer state and running statistics (batch norm's) change together. All keep their bytes after
   an error, with gradients_only, and when the result says `skipped`. PyTorch differs: there, each forward pass in train()
   moves the statistics, so those of a host that adds up gradients over several calls with gradients_only stay behind.
   Gradients are read once before the update to find infinities and NaN, with or without clip_norm: such a step is skipped
   and returns THAW_OK, so that one bad batch does not cost the weights.
   Errors: THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT (labels out of range, no optimizer), THAW_NOTHING_TRAINABLE,
   THAW_NOT_FINITE (the loss). */
THAW_API thaw_status thaw_step(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                               const thaw_step_options *options, thaw_step_result *result);

/* Times the instructions of the program (thaw/plan.h) that a step on this batch runs: trains some steps to warm up and then
   `steps` (0: 20) that count, which change parameters as thaw_step does. `seconds` gets the median of each instruction's
   time in a step, 0 for one that did not run, in the order of thaw_plan_instruction_at for the training plan of this batch;
   the caller's, thaw_plan_instruction_count elements. `*step_seconds` gets the median of a whole step. Medians are of the
   faster half of the steps, which other processes disturbed least: the instructions' add up to the step's within 3 % where
   nothing disturbs more than every other step. Errors: those of thaw_step, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_model_profile(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                                        size_t steps, double *seconds, double *step_seconds);

/* Writes the output node's values for a batch: `outputs` is THAW_F32 [batch, output...], memory of the caller's.
   Dropout is off. Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_predict(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *outputs);

/* What thaw_evaluate found. */
typedef struct thaw_evaluation {
    double loss;     /* mean over the data set, see thaw_evaluate; NAN without a loss, or if no sample counts */
    double accuracy; /* correct share of the samples that count; NAN without labels, or if no sample counts */
    size_t samples;  /* how many there were, with those that do not count */
    double seconds;  /* that it took */
} thaw_evaluation;

/* Loss and accuracy over a data set; `batch` 0: 128. Apart from rounding, neither depends on the batch size.
   A loss that is a mean is reported as PyTorch's would be for the whole data set in one batch: weighted by the classes'
   weights if it has them. A loss that is a sum (THAW_REDUCE_SUM) is reported as the sum over the data set divided by the
   number of samples. A sample whose label the loss ignores counts neither there nor in accuracy, as with ignore_index in
   PyTorch and torchmetrics. Accuracy gives all samples that count the same weight, whatever their class.
   A loss of the host's own is averaged as its thaw_layer_module.weigh says; without that, each batch's loss is weighted
   by its number of samples.
   Errors: THAW_SHAPE_MISMATCH (data and model do not fit), THAW_INVALID_ARGUMENT (a label that is in no class, and that
   the loss does not ignore). */
THAW_API thaw_status thaw_evaluate(thaw_model *model, thaw_dataset *dataset, int64_t batch, thaw_evaluation *result);

/* Seconds of an epoch's training by phase. */
typedef struct thaw_phase_seconds {
    double data;              /* waiting for the loader */
    double forward, backward; /* the program's two halves */
    double update;            /* clipping and optimizers */
} thaw_phase_seconds;

/* What is known after an epoch. */
typedef struct thaw_epoch_result {
    int epoch;                       /* from 1 */
    int epochs;                      /* of the run */
    double loss, accuracy;           /* over the epoch's training batches, each before its update; a mean as
                                        thaw_evaluate's */
    double test_loss, test_accuracy; /* what thaw_evaluate finds; NAN without test data */
    double seconds;                  /* training alone */
    double samples_per_second;       /* of training */
    thaw_phase_seconds phases;       /* zero without thaw_fit_options.time_phases */
    double rate_factor;              /* of the last step */
    size_t skipped_steps;            /* whose gradients or statistics were not finite: see thaw_step_result */
    bool cached;                     /* the epoch started at the feature cache */
    bool cache_on_disk;              /* which is a file */
    /* in this epoch */
    size_t trainable_parameters, gradient_bytes, optimizer_state_bytes, activation_bytes, cache_bytes;
} thaw_epoch_result;

/* Where a run is, after a step. */
typedef struct thaw_progress {
    int epoch, epochs;  /* epoch from 1 */
    size_t step, steps; /* of this epoch; step from 1 */
    double loss;        /* mean over the epoch so far, as thaw_evaluate's; NAN until a sample counts */
} thaw_progress;

/* Options of thaw_fit. Zero everywhere is the default. */
typedef struct thaw_fit_options {
    int epochs;                    /* 0: 1 */
    int64_t batch;                 /* 0: 128 */
    bool drop_last;                /* leave out an epoch's last, smaller batch */
    bool no_shuffle;               /* read samples in their own order */
    uint64_t seed;                 /* of shuffling and dropout; 0: the context's */
    thaw_schedule schedule;        /* of the learning rates */
    double clip_norm;              /* as in thaw_step_options */
    thaw_dataset *test;            /* evaluated after every epoch; may be NULL */
    const thaw_strategy *strategy; /* what trains when: its rules are applied before each epoch; may be NULL */
    const char *head;              /* of the strategy (thaw/strategy.h); may be NULL */
    size_t cache_bytes;            /* budget of memory for the feature cache; 0: none in memory */
    const char *cache_file;        /* the feature cache is this file instead; NULL: no file */
    size_t cache_file_bytes;       /* the largest that the file may be; 0: any size */
    thaw_dtype cache_dtype; /* THAW_BF16: the cache keeps values rounded, in half the bytes, and the epochs that fill
                                it train on the rounded values, too. THAW_F32: as they are */
    bool time_phases;       /* read the clock some times a step */
    bool (*on_epoch)(void *user, const thaw_epoch_result *epoch_result); /* false: stop after this epoch */
    bool (*on_step)(void *user, const thaw_progress *progress);          /* false: stop after this step */
    void (*on_rule)(void *user, const thaw_rule_effect *effect);         /* after each rule of the strategy */
    void *user;                                                          /* given to the callbacks */
} thaw_fit_options;

/* What the feature cache of a run with these options may take for a sample of this data set, to ask for its plan with
   (thaw_plan_options); 0: no limit. */
THAW_API size_t thaw_fit_cache_sample_bytes(const thaw_fit_options *options, const thaw_dataset *dataset);

/* Trains. The outputs of a frozen prefix are kept by sample in the first epoch and later epochs start there, where the
   budget and the data set allow. Where these outputs are more than the budget, the plan looks for an earlier place in
   the prefix with fewer values, keeps those, and computes what follows anew in each epoch. `epoch_result` (may be NULL) gets
   the last epoch's figures.

   A cache file survives: a later run with the same prefix, weights, data and kernels starts at it in its first epoch.
   The file is known by a fingerprint of all these (data that have no identity of their own, see thaw_source, are read
   once for it), and each of its rows by a checksum that is verified when the file is opened: what does not match is
   computed and written again, never believed. Reads go through the operating system's page cache and take no memory of
   the process. A disk that fills up while training
   costs the cache, with a warning to the log, and not the run. One process uses a file at a time.

   Callbacks may change the model; the frozen prefix only while no cached epoch runs (THAW_INVALID_ARGUMENT).
   A strategy is checked before the first step (thaw_strategy_check). No cache is made in an epoch after which a rule thaws
   what it would hold.
   Errors: those of thaw_step, thaw_strategy_check and thaw_strategy_apply; THAW_STOPPED when a callback stopped it (what
   was trained stays); with a cache file: THAW_IO_ERROR (it cannot be made or read, there is no room for it, another
   process uses it), THAW_BAD_FORMAT (the file is something else, and is not touched). */
THAW_API thaw_status thaw_fit(thaw_model *model, thaw_dataset *dataset, const thaw_fit_options *options,
                              thaw_epoch_result *epoch_result);

#ifdef __cplusplus
}
#endif

#endif
