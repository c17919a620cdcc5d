#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double SECONDS_BETWEEN = 0.1;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

cli_progress cli_progress_begin(bool quiet)
{
    const char *terminal = getenv("TERM");
    const bool able = terminal && *terminal && strcmp(terminal, "dumb") != 0;
    return (cli_progress){ .shown = !quiet && able && isatty(STDERR_FILENO) };
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static bool is_due(cli_progress *progress)
{
    const double time = now();
    if (!progress->shown || (progress->drawn && time - progress->drawn_at < SECONDS_BETWEEN))
        return false;
    progress->drawn = true;
    progress->drawn_at = time;
    return true;
}

void cli_progress_say(cli_progress *progress, const char *line)
{
    if (!is_due(progress))
        return;
    fprintf(stderr, "\r\033[K%.*s", columns() - 1, line);
    fflush(stderr);
}

void cli_progress_draw(cli_progress *progress, const char *label, const thaw_progress *state)
{
    enum { MOST = 40 };
    static const char full[MOST + 1] = "########################################";
    static const char empty[MOST + 1] = "........................................";
    if (!is_due(progress))
        return;
    char before[96], after[64];
    const int left = snprintf(before, sizeof before, "%sepoch %d/%d [", label, state->epoch, state->epochs);
    const int right = snprintf(after, sizeof after, "] %zu/%zu loss %.4f", state->step, state->steps, state->loss);
    int width = columns() - 1 - left - right;
    if (width > MOST)
        width = MOST;
    if (width < 0)
        width = 0;
    const int done = (int)((double)width * (double)state->step / (double)state->steps);
    fprintf(stderr, "\r\033[K%.*s%.*s%.*s%s", columns() - 1, before, done, full, width - done, empty,
            left + right < columns() ? after : "");
    fflush(stderr);
}

void cli_progress_clear(cli_progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = false;
}
