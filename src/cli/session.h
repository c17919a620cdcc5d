/* What most commands begin with: a context, data and a model, made from the options. */
#ifndef THAW_CLI_SESSION_H
#define THAW_CLI_SESSION_H

#include <thaw/thaw.h>

#include "cli/options.h"

typedef struct cli_session {
    const cli_options *options;
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *training, *test;
    thaw_schedule schedule;
    char *reset;               /* patterns of --reset as one; "" when there are none, NULL before they are joined */
    const char *head;          /* of the network for strategies, or NULL */
    thaw_strategy *named;      /* --strategy, or NULL */
    thaw_strategy strategy;    /* its rules, and then the command line's with an epoch; without rules: none */
    thaw_strategy_rule *rules; /* of `strategy` */
    char **own;                /* patterns of the command line's rules */
    size_t own_count;
} cli_session;

/* All return an exit code; what was made is released by cli_session_close, whatever they return. */

/* The context and an empty model; also checks what needs neither data nor network. */
int cli_session_open(cli_session *session, const cli_options *options);

/* Training and test data. Test data comes from --test-data, where it is given. */
int cli_open_data(cli_session *session);

/* The data to evaluate on: the description's test data, or where it has none its training data. */
int cli_open_test_data(cli_session *session, const char *option, const char *description);

/* Builds the network for the classes of the data, or for --classes. */
int cli_build_model(cli_session *session, const thaw_dataset *dataset);

/* Loads --load. What --reset names may be missing or of another shape, and is initialised anew. */
int cli_load_weights(cli_session *session);

/* Optimizers, settings of groups, and freezing. */
int cli_apply_rules(cli_session *session);

/* What --lora says. */
int cli_add_adapters(cli_session *session, const char *text);

void cli_session_close(cli_session *session);

#endif
