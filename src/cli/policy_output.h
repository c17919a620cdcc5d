/* What thaw train and thaw finetune tell of a policy's actions. */
#ifndef THAW_CLI_POLICY_OUTPUT_H
#define THAW_CLI_POLICY_OUTPUT_H

#include "cli/training_output.h"

/* Prints an action, a line, and logs it: thaw_fit_options.on_action, with a cli_training. */
void cli_policy_on_action(void *user, const thaw_policy_effect *effect);

#endif
