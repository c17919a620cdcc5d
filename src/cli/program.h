/* The output of thaw plan --program and --profile. */
#ifndef THAW_CLI_PROGRAM_H
#define THAW_CLI_PROGRAM_H

#include "cli/session.h"

/* Prints the instructions of a plan, with the time of each if --profile is given. Returns an exit code. */
int cli_print_program(const cli_session *session, const thaw_plan *plan);

#endif
