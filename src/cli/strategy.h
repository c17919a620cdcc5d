/* What trains when: --policy, or --strategy, and --freeze and --unfreeze as rules of one strategy. */
#ifndef THAW_CLI_STRATEGY_H
#define THAW_CLI_STRATEGY_H

#include "cli/session.h"

/* All return an exit code. */

/* Reads --strategy and --strategy-file, or --policy. Needs no model. */
int cli_strategy_read(cli_session *session);

/* Joins the patterns of --reset, and finds the head for strategies: --head, or otherwise the reset patterns. */
int cli_strategy_find_head(cli_session *session);

/* Allocates the rules, and puts those of --strategy first. */
int cli_strategy_begin(cli_session *session);

/* Applies the rules of the epochs from 1 to `epoch`, of the options' epochs. */
int cli_strategy_apply(cli_session *session, uint64_t epoch);

/* Freezes or unfreezes PATTERN at once, or adds a rule for PATTERN@EPOCH. */
int cli_strategy_set(cli_session *session, const char *text, thaw_action action);

#endif
