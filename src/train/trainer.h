/* The internals of a trainer. */
#ifndef THAW_TRAIN_TRAINER_H
#define THAW_TRAIN_TRAINER_H

#include <thaw/trainer.h>

#include "data/loader.h"
#include "features/feature_cache.h"
#include "train/average.h"
#include "train/test_cache.h"

/* The sums of an epoch. */
typedef struct thaw_epoch_sums {
    double loss, weight; /* see thaw_step_result */
    size_t samples, correct, counted;
    size_t tokens, steps; /* of sequences: those of samples, and those that were computed */
} thaw_epoch_sums;

/* What writes the checkpoints of a run; see checkpoint.h. */
typedef struct thaw_checkpoints thaw_checkpoints;

/* A policy in it; see policy_run.h. */
typedef struct thaw_policy_run thaw_policy_run;

struct thaw_trainer {
    thaw_model *model;
    thaw_dataset *dataset;
    thaw_dataset *arranged, *arranged_test; /* what the data sets became to match the inputs; NULL: they are as given */
    thaw_fit_options options;
    thaw_trainer_position position;
    size_t epoch_steps;
    int ruled;      /* the last epoch whose rules were applied */
    bool agreed;    /* all ranks run the same: see agreement.c */
    bool open;      /* an epoch has begun and not ended */
    bool suspended; /* a checkpoint was loaded: what the open epoch needs is made again before its next step */
    bool uncached;  /* and its run had a feature cache whose values are rounded */
    thaw_epoch_sums sums;
    thaw_epoch_result epoch_result;
    double wall;             /* seconds of the open epoch, or since the last one, up to `clock` */
    double clock;            /* the time up to which a call has been counted; 0: no call runs */
    thaw_best best;          /* up to the last epoch that has ended */
    thaw_average *average;   /* NULL: none */
    thaw_policy_run *policy; /* NULL: none */

    /* The source of batches. */
    thaw_loader *loader;
    thaw_dataset *loaded; /* what the loader reads: the data set, or the cache */
    thaw_feature_cache *cache;
    thaw_cache_budget budget;
    size_t views; /* that the epochs up to now went through, of each sample; 0: the data have none */
    thaw_test_cache test_cache;
    thaw_batch batch; /* read but not yet trained on; count 0: none */
    bool mixed;       /* the batch has been mixed */

    char *description; /* of the run at its start; see run_description.h */
    bool describes_data;
    thaw_checkpoints *checkpoints; /* NULL: none */
};

/* That all ranks run the same. Errors: those of thaw_ranks_agree. */
thaw_status thaw_trainer_agree(const thaw_trainer *trainer);

/* Opens the loader on a data set, unless it is open on it already. Errors: those of thaw_loader_create. */
thaw_status thaw_trainer_open_loader(thaw_trainer *trainer, thaw_dataset *dataset);

/* Chooses the source of this epoch's batches: keeps the cache, drops it if the prefix has changed, or makes one if a
   later epoch, or another run, can use it. Notes that in the epoch's result. Errors: those of
   thaw_feature_cache_create and thaw_loader_create. */
thaw_status thaw_trainer_choose_data(thaw_trainer *trainer, thaw_plan *plan, int epoch);

/* Makes an empty cache where the run of a loaded checkpoint had one with rounded values: what is computed must be
   rounded as well, even where no later epoch would read it. Errors: those of thaw_feature_cache_create. */
thaw_status thaw_trainer_restore_cache(thaw_trainer *trainer, thaw_plan *plan);

/* In the middle of an epoch that reads its cache: drops it, and reads the rest from the data set. Errors: those of
   thaw_loader_create. */
thaw_status thaw_trainer_leave_cache(thaw_trainer *trainer);

/* Between steps: drops a cache that the host has invalidated, or fails (THAW_INVALID_ARGUMENT) if the epoch reads
   it. */
thaw_status thaw_trainer_check_cache(thaw_trainer *trainer, const thaw_plan *plan);

/* Begins the next epoch: applies its rules, compiles everything that it will run, and chooses its data. After an error
   it can be tried again. Errors: those of thaw_trainer_step. */
thaw_status thaw_trainer_begin_epoch(thaw_trainer *trainer);

/* After a checkpoint was loaded: makes again what the run had in memory; nothing otherwise. Errors: as above. */
thaw_status thaw_trainer_resume(thaw_trainer *trainer);

/* Evaluates the test data, notes whether the epoch is the best, and calls on_epoch. Errors: those of thaw_evaluate and
   THAW_STOPPED. */
thaw_status thaw_trainer_end_epoch(thaw_trainer *trainer);

/* Takes at most this many steps of the open epoch, and notes the results in the epoch's result. Errors: those of
   thaw_trainer_step. */
thaw_status thaw_trainer_take_steps(thaw_trainer *trainer, size_t most, thaw_step_result *result);

/* Adds the time since the last call of this to the wall clock, while a call of the trainer runs. */
void thaw_trainer_count_wall(thaw_trainer *trainer);

/* Evaluates the test data, with the averaged weights if there are any, or the weights that count for the optimizer.
   Errors: those of thaw_evaluate, THAW_OUT_OF_MEMORY. */
thaw_status thaw_trainer_test(thaw_trainer *trainer, thaw_evaluation *result);

/* The same at the end of an epoch that has a test, with the results in the epoch's. */
thaw_status thaw_trainer_test_epoch(thaw_trainer *trainer);

/* Puts the weights that train back into the model, if it has the averages, or a view of an optimizer. */
void thaw_trainer_use_weights(const thaw_trainer *trainer);

/* Whether the options of mixing suit the model. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_trainer_check_mixing(const thaw_trainer *trainer);

/* Mixes this rank's shards of the batch, once: samples and targets, or the rows of the cache. */
void thaw_trainer_mix(thaw_trainer *trainer, const thaw_plan *plan, thaw_shard_range range);

/* The loader must close before the cache that it reads. */
void thaw_trainer_release_data(thaw_trainer *trainer);

#endif
