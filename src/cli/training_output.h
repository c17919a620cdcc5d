/* What thaw train and thaw finetune print: a line before training, one an epoch, and some at the end. */
#ifndef THAW_CLI_TRAINING_OUTPUT_H
#define THAW_CLI_TRAINING_OUTPUT_H

#include <jansson.h>

#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/session.h"
#include "report/action_log.h"

typedef struct cli_training {
    const cli_options *options;
    cli_ranks *ranks;
    int signal; /* that stops the run, or -1 if the other ranks cannot be asked */
    cli_progress progress;
    int epoch;                /* of the last step */
    thaw_epoch_result last;   /* of the last whole epoch; zero before it */
    size_t epoch_steps;       /* of each epoch */
    char *cache_path;         /* the file chosen for the feature cache, or NULL */
    thaw_action_log *actions; /* of the policy; NULL: none */
    json_t *rules;            /* what rules did before this epoch */
    char *checkpoint;         /* the newest one's path, or NULL */
    char *average;            /* the file of averaged weights, or NULL */
} cli_training;

/* Notes what a rule did, for the epoch's JSON: thaw_fit_options.on_rule, with a cli_training. */
void cli_training_on_rule(void *user, const thaw_rule_effect *effect);

void cli_training_print_beginning(const cli_session *session);

/* Prints the last epoch, in place of the progress bar. */
void cli_training_print_epoch(cli_training *now);

/* Returns an exit code. */
int cli_training_print_end(const cli_training *now, bool stopped);

/* Whether the last epoch shows that the run has diverged: no step of it could change anything, or its losses are no
   finite numbers. Reports that, and returns an exit code. */
int cli_training_check_end(const cli_training *now);

#endif
