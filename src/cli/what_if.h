/* The output of thaw plan --what-if. */
#ifndef THAW_CLI_WHAT_IF_H
#define THAW_CLI_WHAT_IF_H

#include "cli/session.h"

bool cli_asks_what_if(const cli_options *options);

/* Measures the session's network, and prints what a step costs as it is, and with each --what-if. Returns an exit
   code. */
int cli_what_if(const cli_session *session);

#endif
