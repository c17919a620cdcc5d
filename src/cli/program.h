/* What thaw plan --program and --profile print. */
#ifndef THAW_CLI_PROGRAM_H
#define THAW_CLI_PROGRAM_H

#include "cli/session.h"

/* The instructions of a plan, with --profile and the time of each. Returns an exit code. */
int cli_print_program(const cli_session *session, const thaw_plan *plan);

#endif
