/* thaw --version. */
#ifndef THAW_CLI_VERSION_H
#define THAW_CLI_VERSION_H

#include <stdio.h>

void cli_print_version(FILE *stream);

/* What it computes with on this machine, and why. Returns an exit code, after a message. */
int cli_print_machine(FILE *stream);

#endif
