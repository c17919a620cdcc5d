/* Trials: what a comparison tries before its runs, to find the settings of each optimizer. */
#ifndef THAW_COMPARE_TUNING_H
#define THAW_COMPARE_TUNING_H

#include "compare/comparison.h"
#include "compare/search.h"

/* The settings of a trial. */
typedef struct thaw_trial_point {
    const thaw_search_space *space;
    double *values; /* in the order of the space */
    double warmup;  /* of its schedule, in shares of the epochs */
    char *text;     /* "lr=0.001,beta1=0.9" */
} thaw_trial_point;

typedef struct thaw_tuning_state {
    thaw_dataset *training, *validation; /* parts of the training data */
    thaw_search_space *spaces;           /* of each optimizer */
    thaw_trial_point *points;            /* the trials of each optimizer */
    thaw_run_set runs;                   /* those of each pair, in the order of the comparison's entries */
} thaw_tuning_state;

/* Reads the space, draws the trials, and divides the training data. Errors: THAW_INVALID_ARGUMENT (an optimizer does
   not accept a trial's settings, or the data cannot be divided), those of thaw_search_read. */
thaw_status thaw_tuning_create(thaw_comparison *comparison, thaw_tuning_state **tuning);

/* NULL is allowed. */
void thaw_tuning_destroy(thaw_comparison *comparison, thaw_tuning_state *tuning);

/* The trials of an entry, as many as the options say. */
thaw_comparison_entry *thaw_tuning_trials_of(const thaw_comparison *comparison, size_t entry);

/* Chooses the best trial of each entry whose trials are done. */
void thaw_tuning_choose(thaw_comparison *comparison);

/* The same on all ranks, as rank 0 does. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_tuning_choose_together(thaw_comparison *comparison);

/* Applies the settings of a trial to an optimizer. Errors: those of thaw_optimizer_set. */
thaw_status thaw_trial_point_apply(const thaw_trial_point *point, thaw_optimizer *optimizer);

/* A trial's record, of that of a run on the parts of the training data, which it takes over; NULL without memory. */
json_t *thaw_trial_record(const thaw_comparison_entry *entry, json_t *run);

/* The validation figures of a trial after its last epoch, and what it cost. */
typedef struct thaw_trial_figures {
    double accuracy, loss; /* NAN if it diverged, or is not done */
    double seconds;        /* with validation */
    size_t epochs;         /* until the target was reached, or 0 */
    size_t trained;        /* epochs */
    bool done, diverged;
} thaw_trial_figures;
thaw_trial_figures thaw_trial_figures_of(const thaw_comparison *comparison, const thaw_comparison_entry *trial);

/* Whether a record is of a trial, and puts it in its place. */
bool thaw_trial_is(const json_t *record);
bool thaw_trial_place(thaw_comparison *comparison, json_t *record);

/* Whether a run has the settings that were chosen for its entry; true without trials. */
bool thaw_tuning_fits(const thaw_comparison *comparison, const thaw_comparison_entry *entry, const json_t *run);

/* For the file: the settings as an object, what the experiment says of the trials, what they cost, the trials, and
   which was chosen for an entry. */
json_t *thaw_trial_settings_json(const thaw_trial_point *point);
json_t *thaw_tuning_experiment_json(const thaw_comparison *comparison);
json_t *thaw_tuning_json(const thaw_comparison *comparison);
json_t *thaw_tuning_trials_json(const thaw_comparison *comparison);
json_t *thaw_tuning_choice_json(const thaw_comparison *comparison, size_t entry);

/* Fills a configuration's figures about its trials. */
void thaw_tuning_describe(const thaw_comparison *comparison, size_t entry, thaw_configuration *configuration);

#endif
