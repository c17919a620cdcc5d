/* A progress bar on a terminal's last line; nothing at all where standard error is no terminal. */
#ifndef THAW_CLI_PROGRESS_H
#define THAW_CLI_PROGRESS_H

#include <stdbool.h>
#include <thaw/train.h>

typedef struct cli_progress {
    bool shown;      /* whether there is a terminal to draw on */
    bool drawn;      /* a bar stands there */
    double drawn_at; /* in seconds */
} cli_progress;

/* `quiet`: never show one. */
cli_progress cli_progress_begin(bool quiet);

/* Draws, at most ten times a second. `label` stands before the bar. */
void cli_progress_draw(cli_progress *progress, const char *label, const thaw_progress *state);

/* Shows a line in place of a bar, as often. */
void cli_progress_say(cli_progress *progress, const char *line);

/* Makes room for a line of output. */
void cli_progress_clear(cli_progress *progress);

#endif
