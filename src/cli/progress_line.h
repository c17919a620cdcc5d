/* The text of a progress line, for a terminal of some width. */
#ifndef THAW_CLI_PROGRESS_LINE_H
#define THAW_CLI_PROGRESS_LINE_H

#include "cli/progress.h"

enum { CLI_LINE_BYTES = 1024 };

/* Writes the state in at most `columns` columns. `rate` is in samples per second, 0 if not known. If all of it does not
   fit, the loss goes first, then the rate, then the time left. Returns `line`. */
const char *cli_progress_format(char line[CLI_LINE_BYTES], const cli_progress_state *state, double rate, int columns);

/* Writes as much of `text` as fits, in whole characters of UTF-8. Returns `line`. */
const char *cli_progress_cut(char line[CLI_LINE_BYTES], const char *text, int columns);

#endif
