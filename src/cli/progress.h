/* A progress bar on the terminal's last line. Draws nothing if standard error is not a terminal. */
#ifndef THAW_CLI_PROGRESS_H
#define THAW_CLI_PROGRESS_H

#include <stdbool.h>
#include <thaw/train.h>

typedef struct cli_progress {
    bool shown;      /* whether there is a terminal to draw on */
    bool drawn;      /* a bar is on the line */
    double drawn_at; /* in seconds */
} cli_progress;

/* `quiet`: never show one. */
cli_progress cli_progress_begin(bool quiet);

/* Draws, at most ten times a second. `label` stands before the bar. */
void cli_progress_draw(cli_progress *progress, const char *label, const thaw_progress *state);

/* Shows a line in place of a bar, at most as often. */
void cli_progress_say(cli_progress *progress, const char *line);

/* Clears the bar before other output. */
void cli_progress_clear(cli_progress *progress);

#endif
