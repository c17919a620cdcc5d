/* Figures of regression and of several labels. */
#ifndef THAW_CLI_TARGET_OUTPUT_H
#define THAW_CLI_TARGET_OUTPUT_H

#include "cli/session.h"

/* Prints how well the model predicts a data set whose targets are numbers: a line, and one for each column if there are
   several; with --json the event "targets". Nothing for classes, and for no data set (NULL). */
int cli_print_target_figures(cli_session *session, thaw_dataset *dataset);

#endif
