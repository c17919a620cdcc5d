/* Errors of the command: one line on stderr, "thaw: what: message", and an exit code. */
#ifndef THAW_CLI_FAILURE_H
#define THAW_CLI_FAILURE_H

#include <thaw/context.h>

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_MISUSED = 2, CLI_SIGNALLED = 128 };

/* Prints the line and returns CLI_FAILED. */
int cli_fail(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints a line, also while failures are held: an option of this name has saved a file. */
void cli_note_file(const char *what, const char *path);

/* As cli_fail, for an error in the command line; returns CLI_MISUSED. */
int cli_misuse(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reports the result of a call: CLI_DONE for THAW_OK, else CLI_FAILED after the context's message. */
int cli_check(const thaw_context *context, thaw_status status, const char *what);

/* The same for a call that read an option's value: an unknown or out-of-range value there is a misuse. */
int cli_check_option(const thaw_context *context, thaw_status status, const char *option);

/* From now on, failures are not printed, and the first since the first call is kept. */
void cli_hold(void);

/* The failure that is kept, without "thaw: ", or "". */
const char *cli_held(void);

/* From now on, failures are printed. Returns the one that was kept, without "thaw: ", or "". */
const char *cli_release(void);

/* From now on, the log prints nothing. */
void cli_log_nothing(void);

/* The library's log, on standard error. Prints each message once, and clears a progress bar first. */
void cli_log(void *user, thaw_log_level level, const char *message);

#endif
