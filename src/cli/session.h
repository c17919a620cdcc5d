/* What most commands start with: a context, data and a model, made from the options. */
#ifndef THAW_CLI_SESSION_H
#define THAW_CLI_SESSION_H

#include <thaw/thaw.h>

#include "cli/options.h"

typedef struct cli_session {
    const cli_options *options; /* `chosen` */
    cli_options chosen;         /* the command line's, completed by what the file of --load says of itself */
    thaw_notes *notes;          /* of that file, or of the folder; NULL without either */
    char *chosen_model, *chosen_data, *chosen_test_data; /* texts that `chosen` owns; may be NULL */
    char *head_options;        /* --head, --dropout and --head-init as options of the network; NULL if there are none */
    thaw_model_folder *folder; /* of --model, or NULL */
    bool from_folder;          /* its weights and notes are those of --load */
    bool folder_options;       /* --model has options of the network behind the folder */
    char *new_head;            /* pattern of the groups of a head that the file of --load does not have, or NULL */
    char *description;         /* of the network and its loss, for checkpoints */
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *training, *test;
    thaw_dataset *replaced[4]; /* data as they were opened, which `training` or `test` gives other labels */
    size_t replaced_count;
    thaw_schedule schedule;
    char *reset;               /* the patterns of --reset joined; "" if there are none, NULL before they are joined */
    const char *head;          /* of the network for strategies, or NULL */
    thaw_strategy *named;      /* --strategy, or NULL */
    thaw_policy *policy;       /* --policy, or NULL */
    thaw_strategy strategy;    /* its rules, then the command line's rules with an epoch; may be empty */
    thaw_strategy_rule *rules; /* of `strategy` */
    char **own;                /* patterns of the command line's rules */
    size_t own_count;
} cli_session;

/* All return an exit code. cli_session_close releases everything, whatever they return. */

/* Makes the context and an empty model; also checks options that need neither data nor network. */
int cli_session_open(cli_session *session, const cli_options *options);

/* Opens the session, and does all that the options ask for before training: reads the strategy, opens the data, and
   completes the session. */
int cli_session_build(cli_session *session, const cli_options *options);

/* With the data: builds the network, loads weights, applies rules. */
int cli_session_complete(cli_session *session);

/* Opens training and test data. Test data comes from --test-data if that is given. */
int cli_open_data(cli_session *session);

/* Opens the data to evaluate on: the description's test data, or its training data if it has none. */
int cli_open_test_data(cli_session *session, const char *option, const char *description);

/* Builds the network for the classes of the data, or for --classes. Without data, one with head=none has no loss. */
int cli_build_model(cli_session *session, thaw_dataset *dataset);

/* Reports that the network has no head to train. */
int cli_fail_headless(const cli_session *session);

/* Checks the patterns of --reset, which need not match anything yet. */
int cli_check_resets(const cli_options *options);

/* Loads --load. Parameters that --reset names may be missing or have another shape; they are reinitialised. */
int cli_load_weights(cli_session *session);

/* Sets optimizers and settings of groups, and freezes. */
int cli_apply_rules(cli_session *session);

/* Adds the adapters of --lora. */
int cli_add_adapters(cli_session *session, const char *text);

void cli_session_close(cli_session *session);

#endif
