/* Compares strategies, policies and optimizers: runs every strategy and every policy with every optimizer at every learning rate, from several
   seeds, and tells which differences are significant. Results are in a JSON file (bench/results.schema.json), so that
   an interrupted comparison can continue where it stopped. A finished run is saved at once, in the file or in a journal
   beside it (its path with ".journal" appended), which is removed when the file holds everything.

   Runs go seed by seed. Each round has its own order, so that each configuration meets the machine in every state. A
   run depends only on its configuration and its seed: resumed or not, in whatever order, however many at a time and on
   however many ranks, figures are the same to the bit, except times and joules. */
#ifndef THAW_COMPARE_H
#define THAW_COMPARE_H

#include <thaw/distributed.h>
#include <thaw/statistics.h>
#include <thaw/strategy.h>
#include <thaw/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A matrix of runs: strategies, optimizers, learning rates and seeds. */
typedef struct thaw_comparison thaw_comparison;

/* Fair tuning. With `trials`, a comparison first tries as many settings of each optimizer with each strategy, on a part
   of the training data, and chooses those with the best figure on the rest of them, the validation data: the accuracy
   after the last epoch (equal: the lower loss); with a target, first the fewest epochs until it is reached; with a
   target of loss, then the loss. The test data have no part in this. The runs that count then train with the chosen
   settings on all training data, from other seeds, and are tested on the test data.

   The settings come from a space, which is a file of JSON:
     { "default": { "lr": { "log": [1e-5, 1e-1] },
                    "weight_decay": { "log": [1e-6, 1e-2] },
                    "warmup": [0, 0.1] },
       "optimizers": { "sgd": { "lr": { "times": [0.1, 10] }, "momentum": { "one-minus": [0.01, 0.5] } },
                       "lookahead/adamw": { "lookahead_k": [3, 5, 10], "weight_decay": null } } }
   A hyper-parameter may be
     {"log": [low, high]}        the logarithm is uniform,
     {"uniform": [low, high]}    uniform,
     {"one-minus": [low, high]}  1 minus a number whose logarithm is uniform, as suits decay rates such as beta2,
     {"times": [low, high]}      the optimizer's own value times a number whose logarithm is uniform, or
     [value, ...]                each of these as often as the others.
   "warmup" is the share of all epochs in which every learning rate rises linearly (thaw_schedule.warmup_epochs). The
   section of an optimizer has its name (thaw_optimizer_name), and comes before the default section, name by name; null
   leaves a hyper-parameter as it is. Names of the default section that an optimizer does not have do not count for it.
   What the space names replaces what a description sets; all else stays as described. There are at most 16 for an
   optimizer. Values have four significant digits, so that they can be typed in.

   Without a file, the space is
     { "default": { "lr": { "times": [0.03, 30] }, "weight_decay": { "log": [1e-5, 0.1] },
                    "beta1": { "one-minus": [0.03, 0.3] }, "beta2": { "one-minus": [0.001, 0.1] },
                    "warmup": [0, 0.05, 0.1, 0.2] } }

   Trials are points of a Halton sequence whose digits are permuted by the first seed (Halton 1960; Owen 2017, arXiv
   1706.02808; why no random points: Bousquet et al. 2017, arXiv 1706.03200). Trial n of each optimizer is at the same
   places of its ranges, the learning rate first, then by name; with each strategy it has the same settings. All trials
   have the seed that follows those of the runs. */

/* The progress of a comparison, reported after each step. */
typedef struct thaw_comparison_progress {
    size_t run, runs;                 /* runs, from 1 */
    size_t job;                       /* which of the concurrent runs this is; below thaw_comparison_options.jobs */
    const char *strategy, *optimizer; /* of this run */
    double learning_rate;             /* of this run */
    size_t trial;                     /* the number of the trial that this run is, from 1; 0: none */
    uint64_t seed;                    /* of this run */
    double seconds_left;              /* estimated from the finished runs; NAN before the first is done */
    thaw_progress training;           /* within this run */
} thaw_comparison_progress;

/* What to compare, and how. Zero means the default, if one is given. */
typedef struct thaw_comparison_options {
    /* Appends the layers to an empty model, and sets its initial weights. Called for each run with a model in a
       context of its own, with the run's seed. The result must not depend on earlier calls. Creating the comparison
       also calls it, for models that are only inspected; their random initial values are zeros. */
    thaw_status (*build)(void *user, thaw_model *model);
    bool (*on_progress)(void *user, const thaw_comparison_progress *progress); /* false: stop; may be NULL */
    void *user;                                                                /* passed to `build` and `on_progress` */
    thaw_dataset *training, *test;                                             /* both are required */
    /* Concurrent runs, each on as many threads as the context has; 0: 1. Concurrent runs share memory bandwidth and
       caches, so they take longer than a single run, and joules are unknown. `build` and `on_progress` are then
       called from threads of the comparison, one call of each at a time, and the context's log from several at once.
       Each run has its own feature cache. */
    int jobs;

    /* Spreads the runs over ranks (thaw/distributed.h), each of which creates the same comparison; NULL: no other
       ranks. Each rank has one run at a time, so `jobs` is 1. Rank 0 alone writes `results`, and alone has the runs
       afterwards. The ranks agree first in the comparison, the network, its weights, the training data and the threads.
       A rank that fails, or is stopped, stops the others after their current run. */
    const thaw_communicator *communicator;

    const thaw_strategy *const *strategies; /* at least one, or a policy */
    size_t strategy_count;                  /* of `strategies` */
    /* Policies (thaw/policy.h), which stand behind the strategies and count as such everywhere: thaw_configuration.strategy
       is then the policy's name. The file has their actions, run by run. */
    const thaw_policy *const *policies;
    size_t policy_count;           /* of `policies` */
    const char *const *optimizers; /* descriptions, as for thaw_optimizer_create */
    size_t optimizer_count;        /* of `optimizers` */
    int rates;           /* learning rates per optimizer: half a decade apart, around its own; 0: only its own */
    int seeds;           /* runs per configuration; 0: 1 */
    uint64_t first_seed; /* the seed of a configuration's first run; the others follow it */
    int epochs;          /* 0: 1 */
    int64_t batch;       /* 0: 128 */
    size_t cache_bytes;  /* of the feature cache; 0: no cache */
    /* A goal for each run, at most one of the two: the test accuracy to reach, at most 1, or the test loss to come down
       to, above 0. Configurations are then ranked by the time and the steps until the test after an epoch first reaches
       it (thaw_to_target). 0: no goal. */
    double target_accuracy, target_loss;
    /* Stops configurations that are already beaten, instead of running all from all seeds: successive halving over
       epochs and seeds. A rung trains all that are left for an eighth of the epochs from two seeds; then for a quarter,
       half and all of them; then from a third seed, and so on. After a rung, what is both in the worse half and beaten
       is stopped. Beaten is what lies below the leader in test accuracy, paired by seed, by two 95 % intervals: its
       own, and a common one whose error holds for the whole race (Bonferroni). So is what diverged. Ties go on. A
       longer run continues where the shorter one stopped, from a checkpoint in the folder `results`.race, which the
       race removes when it ends; without `results`, or where a checkpoint cannot be written, it starts again from its
       seed. Losses and accuracies are the same in both ways, to the bit; a feature cache in memory is filled again, which
       counts as time. What gets ahead only late in training may be stopped before, unless it is
       in the better half by then. Needs two seeds, one rank, and no target. */
    bool race;
    /* Fair tuning; see above. Not with several `rates`. With `race`, the runs that follow the trials race. */
    int trials;              /* of each optimizer with each strategy; 0: there is no tuning */
    const char *search;      /* path of the space; NULL: the built-in one */
    double validation_share; /* of the training data, of each class; 0: 0.2 */
    const char *head;        /* of the strategies and policies (thaw/strategy.h), or NULL */

    /* Path of the JSON file, or NULL: none is written. While the comparison exists, the journal beside it is its lock,
       and holds the runs that the file does not have yet, each with a checksum. A resumed comparison takes over the
       runs up to the first damaged one; the log warns of that one. */
    const char *results;
    bool resume; /* take over the runs that the file holds */
    /* Descriptions stored in the file. All of them except the command must match in a resumed comparison; NULL:
       empty. */
    const char *model, *load, *reset, *data, *test_data, *command;
} thaw_comparison_options;

/* Checks everything that can be checked before the first run, including that each strategy fits the model in each of
   its epochs, and reads the file to resume from. Text, data sets, strategies and policies must outlive the comparison.
   Errors: THAW_INVALID_ARGUMENT (options; a duplicate name; more jobs than there are cores for, or more than one if
   OpenMP binds threads to cores; an optimizer does not accept the settings of a trial, or the training data cannot be
   divided), THAW_NOT_FOUND (a pattern matches nothing), THAW_NOTHING_TRAINABLE, those of
   `build` and thaw_optimizer_create, THAW_IO_ERROR (the file cannot be written, exists and `resume` is not set, or
   another comparison is writing it), THAW_BAD_FORMAT (the space, of which
   the message names the file and the place; the file has another schema, holds another comparison, its
   "checksum" is not that of its content, or its runs used another number of threads, whose sums round differently). */
THAW_API thaw_status thaw_comparison_create(thaw_context *context, const thaw_comparison_options *options,
                                            thaw_comparison **comparison);

/* NULL is allowed. */
THAW_API void thaw_comparison_destroy(thaw_comparison *comparison);

/* Carries out the missing runs. A run that diverges is recorded as such, and the others continue. A run that fails in
   another way, or that on_progress stops, also stops the concurrent ones. Finished runs are kept. Call it again to
   continue.
   Errors: THAW_STOPPED (by on_progress), THAW_IO_ERROR (the results), and those of training. */
THAW_API thaw_status thaw_comparison_run(thaw_comparison *comparison);

/* Memory in bytes: the most in any epoch. */
typedef struct thaw_run_bytes {
    size_t weights, gradients, optimizer_state, activations, cache; /* cache: the feature cache */
} thaw_run_bytes;

/* How long a configuration took to reach the target. A run that never did, or that diverged, counts as one that took
   longer than it ran. */
typedef struct thaw_to_target {
    thaw_reach seconds;  /* of training, with the epoch that fills the feature cache and without tests; over seeds */
    thaw_reach steps;    /* updates */
    int rank_by_seconds; /* among the chosen configurations; equal ranks are ties; 0: no run reached it, or runs are
                            missing */
    int rank_by_steps;   /* the same by steps */
} thaw_to_target;

/* What a race did with a configuration. Zeros if it was not stopped. */
typedef struct thaw_race_end {
    bool stopped, diverged; /* diverged: for that reason */
    int epochs, seeds;      /* of the rung that stopped it */
    size_t leader;          /* index of the configuration that it was compared with */
    thaw_mean difference;   /* of test accuracies then, paired by seed, with the wider interval; count 0: it diverged */
} thaw_race_end;

/* What tuning chose for a strategy with an optimizer, and what it cost. Zeros without trials. */
typedef struct thaw_tuning {
    size_t trials, diverged;                     /* trials done, and those of them that diverged */
    size_t chosen;                               /* the number of the best trial, from 1; 0: trials are missing */
    const char *settings;                        /* its settings: "lr=0.001,beta1=0.9"; NULL: trials are missing */
    double validation_accuracy, validation_loss; /* its figures after the last epoch; NAN if unknown */
    size_t epochs;                               /* that all trials trained */
    double seconds;                              /* that they took, with validation */
} thaw_tuning;

/* A trial. */
typedef struct thaw_trial {
    const char *settings;        /* "lr=0.001,beta1=0.9"; it belongs to the comparison */
    bool done, diverged, chosen; /* chosen: it is the best of its configuration */
    double accuracy, loss;       /* on the validation data after the last epoch; NAN if unknown */
    size_t epochs;               /* trained */
    double seconds;              /* that it took, with validation */
} thaw_trial;

/* The runs of all seeds of a strategy with an optimizer at a learning rate; fields as in bench/results.schema.json.
   Strings belong to the comparison. */
typedef struct thaw_configuration {
    const char *strategy, *optimizer;  /* as in the options */
    double learning_rate;              /* the optimizer's; NAN while trials are missing */
    size_t runs, diverged;             /* finished runs, and those of them that diverged */
    bool chosen;                       /* the best of the rates of this pair: by accuracy; with a target, by how many
                                          runs reach it, then by steps */
    thaw_mean accuracy, loss, seconds; /* on the test data after the last epoch; the training loss; over seeds */
    /* Of training, with the epoch that fills the feature cache and without tests: medians over the epochs of all runs. */
    double seconds_per_epoch, samples_per_second;
    thaw_phase_seconds phases; /* the same, by phase */
    double other_seconds;      /* the same, outside of the phases */
    double seconds_to_target;  /* median over seeds; NAN without a target, or if half of the runs never reached it */
    thaw_to_target to_target;  /* counts are 0 without a target */
    double joules_per_epoch;   /* median; NAN if unknown */
    size_t parameters_trained; /* elements: the most in any epoch */
    thaw_run_bytes bytes;      /* memory */
    thaw_race_end race;        /* whether and why a race stopped it; it then has no rank */
    thaw_tuning tuning;        /* what its trials came to */
    double flops_per_step;     /* floating-point operations: the mean */
    int rank;                  /* among the chosen configurations; equal ranks are ties; 0: not ranked */
    bool pareto_time, pareto_memory; /* no configuration is at least as accurate and faster, or smaller */
    thaw_mean against_full; /* test accuracy minus that of full fine-tuning, paired by seed; count 0 if there is none */
} thaw_configuration;

/* The number of configurations: strategies times optimizers times learning rates. */
THAW_API size_t thaw_comparison_count(const thaw_comparison *comparison);

/* A configuration, from the runs so far. Errors: THAW_INVALID_ARGUMENT (the index), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_comparison_at(thaw_comparison *comparison, size_t index, thaw_configuration *configuration);

/* A trial of a configuration, from 0. Errors: THAW_INVALID_ARGUMENT (an index, or there are no trials). */
THAW_API thaw_status thaw_comparison_trial_at(thaw_comparison *comparison, size_t index, size_t trial,
                                              thaw_trial *made);

/* Writes the configurations as comma-separated values (RFC 4180), completely or not at all.
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_comparison_write_csv(thaw_comparison *comparison, const char *path);

/* Writes the runs so far into a directory, which is created if necessary: index.html, a page that needs no network;
   results.json; results.csv; and for TensorBoard an event file per run, events/STRATEGY/OPTIMIZER/lr=RATE/seed=N. Each
   file is replaced completely or not at all.
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_comparison_write_report(thaw_comparison *comparison, const char *directory);

#ifdef __cplusplus
}
#endif

#endif
