/* The progress line at the bottom of a terminal:

     epoch 2/5 [##########..............] 12000 samples/s, 0:42 left, loss 0.3127

   It is drawn on standard error, only if that is a terminal, and never wider than the terminal. It has no colours. */
#ifndef THAW_CLI_PROGRESS_H
#define THAW_CLI_PROGRESS_H

#include <stdbool.h>
#include <thaw/train.h>

enum { CLI_TIME_BYTES = 72, CLI_PHASE_BYTES = 128 };

/* How far the work is. Zero means: not shown. */
typedef struct cli_progress_state {
    const char *label;   /* what is done, such as "testing"; cut if the terminal is narrow */
    int epoch, epochs;   /* from 1 */
    size_t done, total;  /* samples of this phase: of this epoch, or of these test data; total 0 if it is not known */
    size_t ahead;        /* samples of later phases; they count for the time left */
    double seconds_left; /* 0: estimated from the rate of this phase */
    double loss;         /* may be NAN: not shown */
} cli_progress_state;

typedef struct cli_progress {
    bool shown;      /* whether there is a terminal to draw on */
    bool drawn;      /* a line is on the terminal */
    double drawn_at; /* in seconds */
    /* The phase under way, by label and epoch. Its rate counts from the first state that was drawn. */
    char phase[CLI_PHASE_BYTES];
    double phase_began;
    size_t phase_first, phase_done;
} cli_progress;

/* `quiet`: never show one. */
cli_progress cli_progress_begin(bool quiet);

/* Draws, at most ten times a second. Call it after every batch; a new label or epoch begins a phase with a rate of its
   own. To test: cli_progress_draw(&progress, &(cli_progress_state){ .label = "testing", .done = n, .total = all }). */
void cli_progress_draw(cli_progress *progress, const cli_progress_state *state);

/* Draws the state of training in batches of `batch` samples. */
void cli_progress_draw_training(cli_progress *progress, const char *label, const thaw_progress *training, size_t batch);

/* Shows a text in place of the line, at most as often. */
void cli_progress_say(cli_progress *progress, const char *text);

/* Clears the line before other output. */
void cli_progress_clear(cli_progress *progress);

/* Writes a duration as 0:42 or 1:02:03, or ? if it is NAN or negative. Returns `text`. */
const char *cli_format_time(char text[CLI_TIME_BYTES], double seconds);

#endif
