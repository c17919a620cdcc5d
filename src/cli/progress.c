#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/progress_line.h"
#include "core/clock.h"

static const double SECONDS_BETWEEN = 0.1;

cli_progress cli_progress_begin(bool quiet)
{
    const char *terminal = getenv("TERM");
    const bool able = terminal && *terminal && strcmp(terminal, "dumb") != 0;
    return (cli_progress){ .shown = !quiet && able && isatty(STDERR_FILENO) };
}

/* Asked for each line, so that the line follows a window whose size changes. The last column stays free: some terminals
   begin a new line after it. */
static int columns(void)
{
    struct winsize size;
    return (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80) - 1;
}

static bool is_due(cli_progress *progress, double time)
{
    if (!progress->shown || (progress->drawn && time - progress->drawn_at < SECONDS_BETWEEN))
        return false;
    progress->drawn = true;
    progress->drawn_at = time;
    return true;
}

static void show(const char *line)
{
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

void cli_progress_say(cli_progress *progress, const char *text)
{
    char line[CLI_LINE_BYTES];
    if (!is_due(progress, thaw_seconds()))
        return;
    show(cli_progress_cut(line, text, columns()));
}

/* Samples per second in this phase; 0 if not known yet. */
static double rate_of(cli_progress *progress, const cli_progress_state *state, double time)
{
    char phase[CLI_PHASE_BYTES];
    snprintf(phase, sizeof phase, "%d %.100s", state->epoch, state->label ? state->label : "");
    if (strcmp(phase, progress->phase) != 0 || state->done < progress->phase_done) {
        memcpy(progress->phase, phase, sizeof phase);
        progress->phase_began = time;
        progress->phase_first = state->done;
    }
    progress->phase_done = state->done;
    const double seconds = time - progress->phase_began;
    return seconds > 0 ? (double)(state->done - progress->phase_first) / seconds : 0;
}

void cli_progress_draw(cli_progress *progress, const cli_progress_state *state)
{
    char line[CLI_LINE_BYTES];
    if (!progress->shown)
        return;
    const double time = thaw_seconds(), rate = rate_of(progress, state, time);
    if (is_due(progress, time))
        show(cli_progress_format(line, state, rate, columns()));
}

void cli_progress_draw_training(cli_progress *progress, const char *label, const thaw_progress *training, size_t batch)
{
    const size_t later = (size_t)(training->epochs - training->epoch);
    cli_progress_draw(progress, &(cli_progress_state){
                                    .label = label,
                                    .epoch = training->epoch,
                                    .epochs = training->epochs,
                                    .done = training->step * batch,
                                    .total = training->steps * batch,
                                    .ahead = later * training->steps * batch,
                                    .loss = training->loss,
                                });
}

void cli_progress_clear(cli_progress *progress)
{
    if (!progress->drawn)
        return;
    show("");
    progress->drawn = false;
}
