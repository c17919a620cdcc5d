/* Names of options on the command line, before argp reads it: argp knows no nearest name. */
#ifndef THAW_CLI_OPTION_NAMES_H
#define THAW_CLI_OPTION_NAMES_H

#include "cli/command.h"

/* Reports the first option that the command does not have, with the nearest one, or a command that has it. Names may be
   shortened, as argp allows. Returns an exit code. */
int cli_check_option_names(int argc, char **argv, const cli_command *command);

#endif
