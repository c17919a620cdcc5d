/* The context of a command. */
#ifndef THAW_CLI_CONTEXT_H
#define THAW_CLI_CONTEXT_H

#include <thaw/context.h>

/* Makes a context with the CPU level that the environment variable THAW_MAX_CPU allows. Returns an exit code, after
   a message unless it is CLI_DONE. */
int cli_context_create(const thaw_context_options *options, thaw_context **context);

#endif
