/* What thaw train and finetune check before the first step. Each returns an exit code, and reports what is wrong. */
#ifndef THAW_CLI_TRAINING_CHECKS_H
#define THAW_CLI_TRAINING_CHECKS_H

#include "cli/ranks.h"
#include "cli/session.h"

/* What the command line alone tells. */
int cli_training_check_line(const cli_options *options);

/* Shards, once the ranks are known. */
int cli_training_check_shards(const cli_options *options, const cli_ranks *ranks);

/* What can only be told with the data and the network: also that rank 0, which saves, can write its files. */
int cli_training_check_built(const cli_session *session, const cli_ranks *ranks);

#endif
