/* How the command fails: one line on stderr, "thaw: what: message", and an exit code. */
#ifndef THAW_CLI_FAILURE_H
#define THAW_CLI_FAILURE_H

#include <thaw/context.h>

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_MISUSED = 2, CLI_SIGNALLED = 128 };

/* Prints the line and returns CLI_FAILED. */
int cli_fail(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a fault of the command line; returns CLI_MISUSED. */
int cli_misuse(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reports what became of a call: CLI_DONE for THAW_OK, else the context's message with CLI_FAILED. */
int cli_check(const thaw_context *context, thaw_status status, const char *what);

/* The same for a call that read the value of an option: what is unknown or out of range there is a misuse. */
int cli_check_option(const thaw_context *context, thaw_status status, const char *option);

/* The library's log, on standard error, each message once; a progress bar gives way to it. */
void cli_log(void *user, thaw_log_level level, const char *message);

#endif
