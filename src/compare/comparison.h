/* The insides of a comparison. */
#ifndef THAW_COMPARE_COMPARISON_H
#define THAW_COMPARE_COMPARISON_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <thaw/compare.h>

#include "compare/journal.h"
#include "core/context.h"

/* One strategy with one optimizer at one rate, and its runs. */
typedef struct thaw_comparison_entry {
    const thaw_strategy *strategy; /* of a policy: its name, without rules */
    const thaw_policy *policy;     /* NULL: none */
    const char *optimizer;
    double learning_rate;
    const struct thaw_trial_point *point; /* its settings; NULL: those of the description, and learning_rate */
    size_t trial;                         /* of a trial, its number, from 1; of another run, the chosen one; 0: none */
    bool is_trial;                        /* trained and tested on parts of the training data */
    json_t **runs;                        /* by seed, from the first; NULL: not run yet */
    thaw_race_end end;
} thaw_comparison_entry;

/* Entries that run from the same seeds. */
typedef struct thaw_run_set {
    thaw_comparison_entry *entries;
    size_t entry_count;
    size_t *order; /* of the runs: the entry of each, round by round */
    size_t rounds; /* seeds */
    uint64_t first_seed;
} thaw_run_set;

struct thaw_comparison {
    thaw_context *context;
    thaw_comparison_options options;
    thaw_comparison_entry *entries; /* ordered by optimizer, then strategy, then rate */
    size_t entry_count;
    thaw_strategy *named;               /* one for each policy */
    const thaw_strategy **contenders;   /* the options' strategies, and these behind them: options.strategies */
    size_t *order;                      /* of the runs: the entry of each, round by round */
    json_t *head;                       /* what precedes the runs in the file */
    thaw_configuration *configurations; /* recomputed after runs were added */
    bool summarized;
    atomic_size_t done; /* runs */

    /* State of thaw_comparison_run. Its runs hold at most one lock at a time, and none while they compute. */
    pthread_mutex_t building, telling; /* one call of the host's functions at a time */
    pthread_mutex_t keeping;           /* runs, configurations, the files, `failure` and its message */
    thaw_status failure;               /* the first failure; the other runs end after their current step */
    atomic_bool stop;
    size_t planned;    /* runs, those done among them; of a race, as far as it is known */
    int epochs, seeds; /* that a run trains for, and that are run; of a race, in this rung */
    json_t *rungs;     /* of a race, those that are over, for the file; NULL: there is no race */
    bool race_is_over;
    struct thaw_tuning_state *tuning; /* NULL: there are no trials */
    size_t resumed;                   /* runs that existed before */
    size_t started;                   /* runs, those with them; guarded by `telling` */
    double began;
    thaw_journal journal;            /* from its creation on, if there are results */
    double written_at, writing_took; /* the whole file, the last time */
};

/* Checks options and fills in defaults. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_comparison_check_options(thaw_context *context, thaw_comparison_options *options);

/* Puts the policies behind the strategies, as contenders of the same kind. Errors: THAW_INVALID_ARGUMENT (a name twice),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_comparison_join_policies(thaw_comparison *comparison);

/* The runs that count, after all trials. */
thaw_run_set thaw_comparison_final_runs(const thaw_comparison *comparison);

/* How many runs there are without a race, trials among them. */
size_t thaw_comparison_all_runs(const thaw_comparison *comparison);

/* ---- one run ---- */

/* Adds an action of a policy to a run's list. */
void thaw_record_action(json_t *actions, const thaw_policy_effect *effect);

typedef struct thaw_run_outcome {
    json_t *record; /* its entry for the file, owned by the caller; NULL: the run failed */
    thaw_status status;
    char message[THAW_MESSAGE_BYTES]; /* why it failed */
} thaw_run_outcome;

/* Carries out a run. Several threads may call it, each with its own `job`. */
void thaw_run_carry_out(thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed, size_t job,
                        thaw_run_outcome *outcome);

/* Replaces the file of results, and notes how long that took. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_comparison_rewrite(thaw_comparison *comparison);

/* Stores the record of a run, which it takes over, in its entry and in the files. Errors: THAW_IO_ERROR. */
thaw_status thaw_comparison_keep(thaw_comparison *comparison, json_t **place, json_t *run);

/* Checks that the ranks run the same. Errors: THAW_INVALID_ARGUMENT, THAW_IO_ERROR. */
thaw_status thaw_comparison_agree(thaw_comparison *comparison);

/* Carries out the missing runs with the other ranks, which have agreed. */
thaw_status thaw_comparison_run_on_ranks(thaw_comparison *comparison, const thaw_run_set *runs);

/* Carries out the runs that `wants` selects, in their order. */
typedef bool thaw_wants_run(const thaw_comparison *comparison, const thaw_comparison_entry *entry, size_t round);
thaw_status thaw_comparison_run_wanted(thaw_comparison *comparison, const thaw_run_set *runs, thaw_wants_run *wants);

/* Whether these options allow a race, if they want one. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_race_check(thaw_context *context, const thaw_comparison_options *options);

/* Carries out the missing runs of a race, rung by rung. */
thaw_status thaw_comparison_race(thaw_comparison *comparison);

/* Whether a run of this comparison may have this many epochs: all, or those of a rung. */
bool thaw_race_has_length(const thaw_comparison *comparison, size_t epochs);

/* Makes a model and applies the strategy's rules at the beginning of each epoch, without training. */
thaw_status thaw_run_try(thaw_comparison *comparison, const thaw_comparison_entry *entry);

/* Makes the context and the model of a run, with optimizer and learning rate, before any rule. With `structure_only`
   it skips drawing initial values, which is slow. The caller closes it even on failure; thaw_run_model_message says why
   it failed. */
typedef struct thaw_run_model {
    thaw_context *context;
    thaw_model *model;
} thaw_run_model;
thaw_status thaw_run_model_open(thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                                bool structure_only, thaw_run_model *made);
const char *thaw_run_model_message(const thaw_run_model *made);
void thaw_run_model_close(thaw_run_model *made);

/* ---- the file ---- */

/* What precedes the runs in the file: the machine, the versions, the experiment and its lists. */
thaw_status thaw_results_head(thaw_comparison *comparison, thaw_model *model, json_t **head);

/* Takes over the runs of the file and its journal, if they exist. Errors: THAW_BAD_FORMAT, THAW_IO_ERROR. */
thaw_status thaw_results_resume(thaw_comparison *comparison);

/* The whole comparison, as the file holds it; the caller releases it. */
thaw_status thaw_results_json(thaw_comparison *comparison, json_t **root);

/* Replaces a file by this JSON. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_results_write_json(thaw_context *context, const char *path, const json_t *root);

thaw_status thaw_results_write(thaw_comparison *comparison);

/* Checks that the file can be written, before anything is run. */
thaw_status thaw_results_check_place(thaw_comparison *comparison);

/* ---- the summaries ---- */

/* Fills comparison->configurations. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_summarize(thaw_comparison *comparison);

/* The summary over seeds of a figure after an epoch (from 0), for the file. */
thaw_status thaw_summarize_epoch(thaw_comparison *comparison, const thaw_comparison_entry *entry, size_t epoch,
                                 const char *key, thaw_mean *mean);

/* Whether there is a target. */
bool thaw_has_target(const thaw_comparison_options *options);

/* Whether the run reached the target, and the seconds of training and the steps until then; else those of the run. */
bool thaw_target_of_run(const thaw_comparison *comparison, const json_t *run, double *seconds, double *steps);

/* Fills how long each configuration took to reach the target, if there is one. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_targets_describe(thaw_comparison *comparison);

/* Negative if the first reaches the target in more runs, or in as many and fewer steps; 0: no difference. */
int thaw_target_order(const thaw_configuration *one, const thaw_configuration *other);

/* Ranks the chosen configurations by time and by steps to the target. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_targets_rank(thaw_comparison *comparison);

/* The race, for the file; NULL if there is none. */
json_t *thaw_race_json(const thaw_comparison *comparison);

/* Why a race stopped a configuration, for the file. */
json_t *thaw_race_end_json(const thaw_comparison *comparison, const thaw_race_end *end);

/* The performance profiles of optimizers and of strategies, for the file; NULL without a target. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_profiles_json(thaw_comparison *comparison, json_t **profiles);

/* A configuration's summaries, for the file, appended to a list. */
thaw_status thaw_summary_append(thaw_comparison *comparison, size_t index, json_t *list);

/* A mean with its interval, for the file. */
json_t *thaw_mean_json(thaw_mean mean);

/* A number; null if it is not finite. */
json_t *thaw_json_number(double value);

/* A figure from JSON; NAN if it is missing. */
double thaw_json_value(const json_t *object, const char *key);

#endif
