/* Comparing strategies and optimizers: every strategy with every optimizer at every learning rate, several times from
   different seeds, and what the differences are worth. Results stand in a JSON file (bench/results.schema.json), so that
   an interrupted comparison goes on where it stopped: a run that is done is kept at once, by the file or by a journal
   beside it (its path with ".journal" after it), which goes when the file holds everything.

   Runs go seed by seed, each round in an order of its own, so that each configuration meets the machine in every state it
   is in. A run depends on nothing but its configuration and its seed: resumed or not, in whatever order, however many at
   a time, figures are the same to the bit, times and joules apart. */
#ifndef THAW_COMPARE_H
#define THAW_COMPARE_H

#include <thaw/statistics.h>
#include <thaw/strategy.h>
#include <thaw/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A matrix of runs: strategies, optimizers, learning rates and seeds. */
typedef struct thaw_comparison thaw_comparison;

/* What goes on, after each step. */
typedef struct thaw_comparison_progress {
    size_t cell, cells; /* runs, from 1 */
    size_t job;         /* below thaw_comparison_options.jobs: which of the runs that go on at the same time this is */
    const char *strategy, *optimizer; /* of this run */
    double learning_rate;             /* of this run */
    uint64_t seed;                    /* of this run */
    double seconds_left;              /* by the runs so far; NAN before the first is done */
    thaw_progress training;           /* within this run */
} thaw_comparison_progress;

/* What to compare, and how. Zero means the default where one is named. */
typedef struct thaw_comparison_options {
    /* Appends the layers to an empty model, and gives it the weights to begin with. Called for each run with a model of a
       context of its own, with the run's seed. Whatever it makes must not depend on earlier calls. While the comparison is
       created it is called for models that are looked at only, whose random initial values are zeros. */
    thaw_status (*build)(void *user, thaw_model *model);
    bool (*on_progress)(void *user, const thaw_comparison_progress *progress); /* false: stop; may be NULL */
    void *user;                                                                /* given to `build` and `on_progress` */
    thaw_dataset *training, *test;                                             /* both are needed */
    /* Runs at a time, each on as many threads as the context has; 0: 1. Several share memory bandwidth and caches, so
       their times are longer than those of a run alone, and joules are not known. `build` and `on_progress` are called
       from threads of the comparison then, one call of each at a time, and the context's log from several at once. Each
       run has a feature cache of its own. */
    int jobs;

    const thaw_strategy *const *strategies; /* at least one */
    size_t strategy_count;                  /* of `strategies` */
    const char *const *optimizers;          /* descriptions, as for thaw_optimizer_create */
    size_t optimizer_count;                 /* of `optimizers` */
    int rates;              /* learning rates of each optimizer: half a decade apart, around its own; 0: 1, its own */
    int seeds;              /* runs of each configuration; 0: 1 */
    uint64_t first_seed;    /* runs of a configuration have this seed and those that follow it */
    int epochs;             /* 0: 1 */
    int64_t batch;          /* 0: 128 */
    size_t cache_bytes;     /* of the feature cache; 0: none */
    double target_accuracy; /* for the time that it takes to reach it; 0: none */
    const char *head;       /* of the strategies (thaw/strategy.h), or NULL */

    const char *results; /* path of the JSON file, or NULL: none is written */
    bool resume;         /* take over the runs that it holds */
    /* What the file says of them, and what is resumed must agree on, the command apart; NULL: nothing. */
    const char *model, *load, *reset, *data, *test_data, *command;
} thaw_comparison_options;

/* Checks everything that can be checked before the first run, among them that each strategy fits the model in each of
   its epochs, and reads what is to be resumed. Text, data sets and strategies must outlive the comparison.
   Errors: THAW_INVALID_ARGUMENT (options; a name twice; jobs that want more threads than there are cores, or more than
   one where OpenMP binds threads to cores), THAW_NOT_FOUND (a pattern that matches nothing),
   THAW_NOTHING_TRAINABLE, those of `build` and thaw_optimizer_create, THAW_IO_ERROR (the file cannot be written, or
   exists and `resume` is not set), THAW_BAD_FORMAT (it is of another schema, of another comparison, or of
   runs on another number of threads, whose sums round differently). */
THAW_API thaw_status thaw_comparison_create(thaw_context *context, const thaw_comparison_options *options,
                                            thaw_comparison **comparison);

/* NULL is allowed. */
THAW_API void thaw_comparison_destroy(thaw_comparison *comparison);

/* Does the runs that are missing. One that diverges is recorded as such, and the rest goes on; one that fails in another
   way, or that on_progress stops, stops those that go on beside it. What is done is kept. Errors: THAW_STOPPED (by
   on_progress), THAW_IO_ERROR (the results), and those of training. Call it again to go on. */
THAW_API thaw_status thaw_comparison_run(thaw_comparison *comparison);

/* Memory, in bytes: the most in any epoch. */
typedef struct thaw_run_bytes {
    size_t weights, gradients, optimizer_state, activations, cache; /* cache: of features */
} thaw_run_bytes;

/* All seeds of a strategy with an optimizer at a learning rate; fields as in bench/results.schema.json. Strings belong to
   the comparison. */
typedef struct thaw_configuration {
    const char *strategy, *optimizer;  /* as they were described */
    double learning_rate;              /* the optimizer's */
    size_t cells, diverged;            /* runs that are done, and those of them that diverged */
    bool chosen;                       /* of the rates of this pair the best */
    thaw_mean accuracy, loss, seconds; /* on the test data after the last epoch, and of training; over seeds */
    double seconds_per_epoch, samples_per_second; /* of training: medians over the epochs of all runs */
    thaw_phase_seconds phases;                    /* the same, by phase */
    double other_seconds;                         /* the same, in none of the phases */
    double seconds_to_target, joules_per_epoch;   /* NAN: none, or not known */
    size_t parameters_trained;                    /* elements: the most in any epoch */
    thaw_run_bytes bytes;                         /* memory */
    double flops_per_step;                        /* floating-point operations: the mean */
    int rank;                                     /* among the chosen; equal ranks are ties; 0: not ranked */
    bool pareto_time, pareto_memory;              /* nothing is at least as accurate and faster, or smaller */
    thaw_mean against_full; /* test accuracy minus that of full fine-tuning, paired by seed; count 0: there is none */
} thaw_configuration;

/* How many configurations there are: strategies times optimizers times learning rates. */
THAW_API size_t thaw_comparison_count(const thaw_comparison *comparison);

/* By what has been run so far. Errors: THAW_INVALID_ARGUMENT (the index), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_comparison_at(thaw_comparison *comparison, size_t index, thaw_configuration *configuration);

/* Writes the configurations as a table of comma-separated values (RFC 4180), whole or not at all.
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_comparison_write_csv(thaw_comparison *comparison, const char *path);

/* Writes into a directory, which is made where there is none, what has been run so far: index.html, a page for people
   that needs no network; results.json; results.csv; and for TensorBoard an event file of each run,
   events/STRATEGY/OPTIMIZER/lr=RATE/seed=N. Each file is replaced whole or not at all.
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_comparison_write_report(thaw_comparison *comparison, const char *directory);

#ifdef __cplusplus
}
#endif

#endif
