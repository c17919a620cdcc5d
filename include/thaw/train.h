/* Training: single steps for hosts with their own loop, or thaw_fit over a data set. */
#ifndef THAW_TRAIN_H
#define THAW_TRAIN_H

#include <thaw/average.h>
#include <thaw/best.h>
#include <thaw/checkpoint.h>
#include <thaw/classification.h>
#include <thaw/data.h>
#include <thaw/distributed.h>
#include <thaw/evaluation.h>
#include <thaw/mixing.h>
#include <thaw/model.h>
#include <thaw/policy.h>
#include <thaw/schedule.h>
#include <thaw/strategy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most shards of a step. */
enum { THAW_MOST_SHARDS = 4096 };

/* Options of thaw_step. Zero everywhere means the default.

   Shards, or micro-batches. A step with S shards computes forward and backward for one part of its batch after another,
   in the memory of one part, and adds up the gradients. Then it updates once: clipping, norms, skipped steps and the
   optimizers' counts of steps are of the whole step. Sums of gradients take one more copy of the gradients for each
   binary digit of S - 1 (thaw_plan_totals.shard_bytes).

   The loss and its gradients are those of the whole batch: a mean over it, not a mean of means, with class weights and
   ignored labels as well. Numbers that a layer draws, as for dropout, depend on a sample's place in the whole batch.
   Without batch norm, S shards therefore equal one batch, apart from rounding. PyTorch differs where each micro-batch's
   mean loss is divided by S: that is the same only if all have the same weight.

   A layer that follows its batches, as batch norm does, normalises each shard by the shard's own statistics. Running
   statistics move once a step, to the mean of what they would be after each shard; so momentum means the same for any
   S. PyTorch moves them S times. With thaw_model_set_sync_batch_norm (thaw/distributed.h), statistics are those of the
   whole step instead, and the shards of a process are in memory at the same time.

   Gradients are added in a binary tree over the shards' numbers, ((0 + 1) + (2 + 3)) + 4: the sum does not depend on
   how shards are spread over processes.

   If S does not divide the batch, the first shards have one sample more than the others; if it is larger than the
   batch, the last shards are empty. */
typedef struct thaw_step_options {
    double rate_factor;  /* multiplies every learning rate; 0: 1 */
    double clip_norm;    /* scale gradients down to this global norm (over what trains); 0: no clipping */
    bool gradients_only; /* compute loss and gradients, but update nothing: neither parameters nor running statistics */
    int64_t shards;      /* parts of the batch that are computed one after another; 0: 1, or the ranks */
    /* To other ranks (thaw/distributed.h), each of which gives as many samples of the step's batch, in the order of
       their numbers; NULL: there are none. */
    const thaw_communicator *communicator;
} thaw_step_options;

/* The results of a step. */
typedef struct thaw_step_result {
    double loss;          /* of the batch, as differentiated */
    double loss_total;    /* numerator of a mean over batches of any sizes, as in thaw_evaluate */
    double loss_weight;   /* its denominator: the mean is sum(loss_total) / sum(loss_weight) */
    double gradient_norm; /* before clipping; only with clip_norm, else NAN */
    size_t correct;       /* samples of `counted` whose largest output is at their label */
    size_t counted; /* samples whose label is not ignored by the loss, or tokens if these have labels; 0 without */
    bool skipped;   /* a gradient or a new running statistic was not finite: nothing was updated */
} thaw_step_result;

/* One training step over a batch in host memory: forward, backward, update. `inputs` is THAW_F32 [batch, sample...],
   `targets` is THAW_I32 [batch] labels, THAW_I32 [batch, tokens] or THAW_F32 [batch, ...], depending on the loss, and
   ignored by one that has no targets (thaw_contrastive_loss), for which it may be NULL. `options` and `result` may be
   NULL. Compiles first if the plan is missing or stale.

   All or nothing: parameters, optimizer state and running statistics (of batch norm) change together. They keep their
   bytes after an error, with gradients_only, and if the result says `skipped`. There is one exception: see "not finite"
   below. After THAW_OUT_OF_MEMORY the step can be repeated.

   Running statistics: PyTorch updates them in each forward pass in train(). A host that accumulates gradients over
   several calls with gradients_only therefore gets older statistics than in PyTorch.

   Not finite: a NaN or an infinity in `inputs` or in a parameter is an error, and the message names the value. In
   PyTorch the loss would be NaN. Fill missing values beforehand. Thaw checks the inputs of each step, and parameters
   that the host or a file has changed, because some kernels do not pass NaN on: oneDNN's max(x, 0) of NaN is 0. A NaN
   that arises inside a layer, from finite numbers whose products exceed 3.4e38, may still be lost.
   Gradients are checked before the update, with or without clip_norm. If one is not finite, the step is skipped and
   returns THAW_OK, so that one bad batch does not ruin the weights.
   If the update itself makes a parameter infinite or NaN, for example with a far too high learning rate, the step
   returns THAW_NOT_FINITE, and the message names the step and the first such parameter. This step is not undone: load
   the weights again.

   Memory: in a compiled step Thaw allocates nothing. oneDNN does, with malloc instead of the context's allocator: a map
   of the arguments for each call of a kernel, and workspace for matrix products, which it frees at once (37 blocks for
   mlp-500, 88 for cnn-8-16 on one thread with AVX2). Its interface has no call without that map. If it finds no memory,
   the step returns THAW_OUT_OF_MEMORY; if Thaw was built without a C++ compiler, the process ends.

   Errors: THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT (labels out of range, no optimizer, shards),
   THAW_NOTHING_TRAINABLE, THAW_NOT_FINITE (inputs, parameters, the loss, or an updated parameter), THAW_UNSUPPORTED
   (several shards, and a host's loss that is a sum and does not say so), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_step(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                               const thaw_step_options *options, thaw_step_result *result);

/* Times the instructions of the program (thaw/plan.h) that a step on this batch runs. It trains some steps to warm
   up and then `steps` measured ones (0: 20), which change parameters as thaw_step does. `seconds` gets the
   mean time of each instruction in a step, or 0 if it did not run, in the order of thaw_plan_instruction_at for the
   training plan of this batch, with sequences of their whole length. It is the caller's, with
   thaw_plan_instruction_count elements. `*rest_seconds` gets what a step spends between instructions: it looks the plan
   up, checks whether parameters changed, counts correct samples. `*step_seconds` gets the time of a whole step, the sum
   of all these. Times are means over the faster half of the steps, which other processes disturbed least. Medians would
   not add up. Errors: those of thaw_step, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_model_profile(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                                        size_t steps, double *seconds, double *rest_seconds, double *step_seconds);

/* Writes the output node's values for a batch: `outputs` is THAW_F32 [batch, output...], the caller's memory.
   Dropout is off. A sample with a NaN or an infinity gives no finite output: NaN, or the infinity that a layer
   computed.
   Errors: THAW_SHAPE_MISMATCH, THAW_NOT_FINITE (a parameter). */
THAW_API thaw_status thaw_predict(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *outputs);

/* Seconds of training per epoch, by phase. */
typedef struct thaw_phase_seconds {
    double data;              /* waiting for the loader */
    double forward, backward; /* the program's two halves */
    double update;            /* clipping and optimizers */
} thaw_phase_seconds;

/* The results of an epoch. */
typedef struct thaw_epoch_result {
    int epoch;  /* from 1 */
    int epochs; /* of the run */
    /* Over the epoch's training batches, each before its update; a mean as in thaw_evaluate. */
    double loss, accuracy;
    bool tested; /* the epoch has ended with a test; see thaw_fit_options.test_every */
    /* Of thaw_evaluate, with the averaged weights if the run has them (thaw/average.h); NAN without a test. */
    double test_loss, test_accuracy, test_top5_accuracy, test_macro_f1, test_perplexity;
    double seconds;      /* training only, with filling or reading the feature cache */
    double test_seconds; /* of the test; 0 without one */
    double wall_seconds; /* of all that the run did since the last epoch ended: rules, compiling, training, testing,
                                  callbacks and checkpoints, without what the host does between its calls */
    double run_seconds;  /* sum of `wall_seconds` up to this epoch, also of runs that this one continues */
    double samples_per_second; /* of training */
    /* Of sequences, on this rank: the share of the steps that were computed behind the ends of samples, and the others
       in a second of training. NAN for a model that has none, and in an epoch that starts at the feature cache. */
    double padding, tokens_per_second;
    thaw_phase_seconds phases; /* zero without thaw_fit_options.time_phases */
    double rate_factor;        /* of the last step */
    size_t skipped_steps;      /* steps with gradients or statistics that were not finite: see thaw_step_result */
    bool cached;               /* the epoch started at the feature cache */
    size_t views, view;        /* how many views of each sample the epochs go through (thaw_source.views), and which one
                                  this epoch did, from 0; zeros: the data have none */
    bool cache_on_disk;        /* and that is a file */
    bool test_cached;          /* the test started at the feature cache of the test data */
    /* in this epoch */
    size_t trainable_parameters, gradient_bytes, optimizer_state_bytes, activation_bytes, cache_bytes, average_bytes;
    size_t test_cache_bytes; /* of the feature cache of the test data, on this rank; `cache_bytes` are without them */
    size_t sent_bytes;       /* of gradients and statistics, from this rank to others in each step; 0: it is alone */
    thaw_best best;          /* up to this epoch; see thaw/best.h */
} thaw_epoch_result;

/* The position of a run, after a step. */
typedef struct thaw_progress {
    int epoch, epochs;  /* epoch from 1 */
    size_t step, steps; /* of this epoch; step from 1 */
    double loss;        /* mean over the epoch so far, as in thaw_evaluate; NAN until a sample counts */
} thaw_progress;

/* Options of thaw_fit. Zero everywhere means the default. */
typedef struct thaw_fit_options {
    int epochs;             /* 0: 1 */
    int64_t batch;          /* 0: 128 */
    bool drop_last;         /* skip an epoch's last, smaller batch */
    bool no_shuffle;        /* read samples in the data set's order */
    uint64_t seed;          /* of shuffling and dropout; 0: the context's */
    thaw_schedule schedule; /* of the learning rates */
    double clip_norm;       /* as in thaw_step_options */
    double average_decay;   /* of averaged weights, above 0 and below 1; see thaw/average.h. 0: none */
    int64_t shards;         /* of each step, as in thaw_step_options; must divide `batch`; 0: 1, or the ranks */
    thaw_dataset *test;     /* evaluated after each epoch, or as `test_every` says; may be NULL */
    /* The test data are evaluated after each so many epochs, counted from the first, and after the last one: also when
       patience ends the run. A run that a callback stops may end without a test. 0: 1. Keras' validation_freq. */
    int test_every;
    thaw_mixing_options mixing;    /* of samples and features in training; see thaw/mixing.h */
    const thaw_strategy *strategy; /* what trains when: its rules are applied before each epoch; may be NULL */
    const thaw_policy *policy;     /* what decides as the run goes on what trains; not with a strategy; may be NULL */
    /* How often the policy may change what trains to a state that it has not left for one of the last 64 others: each
       takes compiling. Then it rests, on_action is told, and what trains stays as it is. 0: 200. */
    size_t policy_compilations;
    const char *head;        /* of the strategy or policy (thaw/strategy.h); may be NULL */
    size_t cache_bytes;      /* memory budget of the feature caches, of all ranks together; 0: none in memory */
    const char *cache_file;  /* keep the feature cache in this file instead, and that of the test data in another, with
                                ".test" behind its name; NULL: no file. Ignored on several ranks */
    size_t cache_file_bytes; /* the largest size of both files together; 0: any size */
    bool cache_optional;     /* if the file cannot be used, train without it: no error, but a warning */
    thaw_dtype cache_dtype;  /* THAW_BF16: the cache keeps rounded values, in half the bytes, and the epochs that fill
                               it also train on the rounded values. THAW_F32: unchanged values */
    thaw_checkpoint_options checkpoint; /* files from which the run can continue; see thaw/checkpoint.h */
    thaw_best_options best;             /* the best weights, and an early end; see thaw/best.h */
    bool time_phases;                   /* measure the phases; reads the clock several times per step */
    bool (*on_epoch)(void *user, const thaw_epoch_result *epoch_result); /* false: stop after this epoch */
    bool (*on_step)(void *user, const thaw_progress *progress);          /* false: stop after this step */
    /* After each batch of a test, with the samples that this rank tests. false: stop; the next call begins the test
       again. Must be true on several ranks, which would wait for this one. */
    bool (*on_test)(void *user, const thaw_evaluation_progress *progress);
    void (*on_rule)(void *user, const thaw_rule_effect *effect);     /* after each rule of the strategy */
    void (*on_action)(void *user, const thaw_policy_effect *effect); /* after each action of the policy */
    void *user;                                                      /* passed to the callbacks */
    /* To other ranks (thaw/distributed.h): each trains on its own shards of every batch. NULL: there are none. */
    const thaw_communicator *communicator;
} thaw_fit_options;

/* The most bytes that the feature cache of a run with these options may take per sample of this data set, for asking
   for its plan (thaw_plan_options); 0: no limit. */
THAW_API size_t thaw_fit_cache_sample_bytes(const thaw_fit_options *options, const thaw_dataset *dataset);

/* How many views of each sample the feature cache of a run with these options keeps, if its plan keeps `sample_bytes`
   of each (thaw_plan_totals.cached_bytes_per_sample); 1 for data without views, 0 if nothing is kept. */
THAW_API size_t thaw_fit_cached_views(const thaw_fit_options *options, const thaw_dataset *dataset,
                                      size_t sample_bytes);

/* Trains a model. If the budget and the data set allow it, the outputs of a frozen prefix are kept for each sample in
   the first epoch, and later epochs start from them. If these outputs exceed the budget, the plan looks for an earlier
   place in the prefix with fewer values, keeps those, and computes the rest of the prefix in each epoch. `epoch_result`
   (may be NULL) gets the last epoch's figures.

   Of random data, nothing is kept unless they have views (thaw_source.views, views=K in a description): then epoch e
   reads view e mod K, the first K epochs fill the cache, and later ones start from it. If the budget has room for fewer
   views, epochs go through as many as fit, and the log says so; the order of the samples stays that of the epoch. A
   budget below one view gives no cache. An epoch has the same bits whether it is cached or computed.

   So are those of the test data, in memory or a file of their own: a test then runs only the live part. The training
   data come first: the test data get what their cache leaves of the budget, also where the training data are random and
   have none. The values are kept unrounded, whatever `cache_dtype` is. With a budget, all tests of a run are cut at the
   end of what a cache may keep, whether it is kept or not, and all give the same bits. They are also those of
   thaw_evaluate, if the layers at the cut have the same kernels there: it may fold a normalisation that trains into a
   frozen convolution before it, which changes rounding. A test with averaged weights (thaw/average.h) is not cached
   once a parameter has stopped to train, since its average goes on. A sample with a NaN or an infinity is never kept. A
   file of the test data that cannot be used costs a warning in the log, not the run.

   A cache file is persistent: a later run with the same prefix, weights, data and kernels uses it from its first epoch
   on. The file is identified by a fingerprint of all these; data without an identity of its own (see thaw_source) is
   read once for that. Each row has a checksum that is verified when the file is opened; rows that do not match are
   computed and written again. Reads go through the operating system's page cache and take no memory of the process. If
   the disk fills up during training, the run continues without the cache and logs a warning. Only one process can use a
   file at a time.

   With shards, an epoch's last, smaller batch is cut into as many as the others, of which the first may have one sample
   more. The test data are evaluated in batches of the size of a shard, so that they need no more memory.

   A policy is asked before the first step, and then between epochs or after so many steps, as its module says. What was
   frozen when the run began stays so, and what trains at its end stays that way. With the same seed and the same number of
   threads, a policy does the same, unless it asks for measured times. With several ranks, rank 0 decides for all. Its
   state is part of checkpoints, and so are the prices that it has found.

   Callbacks may change the model, but the frozen prefix only while no cached epoch runs (THAW_INVALID_ARGUMENT). A
   strategy is checked before the first step (thaw_strategy_check). An epoch does not fill a cache in memory if the next
   epoch's rules thaw its contents; it does fill a file, for later runs.
   Errors: those of thaw_step, thaw_strategy_check and thaw_strategy_apply; THAW_INVALID_ARGUMENT (a strategy and a
   policy; an action of the policy that is none, on a block that there is not, or that leaves nothing to train); those of thaw_trainer_load, to resume, and
   THAW_INVALID_ARGUMENT (a folder that holds checkpoints, without resume); THAW_STOPPED if a callback stopped it (what
   was trained stays). With a cache file also THAW_IO_ERROR (it cannot be made or read, there is no space, another
   process uses it) and THAW_BAD_FORMAT (the file is of another kind, and is not touched); with cache_optional, and
   after the first epoch, the run logs these two as a warning and continues without the cache. */
THAW_API thaw_status thaw_fit(thaw_model *model, thaw_dataset *dataset, const thaw_fit_options *options,
                              thaw_epoch_result *epoch_result);

#ifdef __cplusplus
}
#endif

#endif
