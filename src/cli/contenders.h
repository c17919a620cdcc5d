/* What thaw bench compares: the lists of strategies, policies and optimizers. */
#ifndef THAW_CLI_CONTENDERS_H
#define THAW_CLI_CONTENDERS_H

#include "cli/session.h"
#include "cli/words.h"

typedef struct cli_contenders {
    cli_words strategy_names, policy_names, optimizers;
    thaw_strategy **strategies;
    size_t strategy_count;
    thaw_policy **policies;
    size_t policy_count;
} cli_contenders;

/* Reads them from the session's options. Returns an exit code; they are to be released in every case, before the
   session is closed. */
int cli_contenders_read(cli_contenders *read, const cli_session *session);
void cli_contenders_release(cli_contenders *read, const cli_session *session);

#endif
