#include "cli/bench_progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/failure.h"
#include "cli/shown.h"

enum { LINE_BYTES = 512, TIME_BYTES = 72 };

int cli_bench_progress_begin(cli_bench_progress *progress, size_t jobs, bool quiet)
{
    *progress = (cli_bench_progress){ .line = cli_progress_begin(quiet), .jobs = jobs };
    progress->at = calloc(jobs + 1, sizeof *progress->at);
    return progress->at ? CLI_DONE : cli_fail("bench", "out of memory");
}

static void format_time(char text[TIME_BYTES], double seconds)
{
    const long whole = isnan(seconds) ? -1 : lround(seconds);
    if (whole < 0)
        snprintf(text, TIME_BYTES, "?");
    else if (whole < 3600)
        snprintf(text, TIME_BYTES, "%ld:%02ld", whole / 60, whole % 60);
    else
        snprintf(text, TIME_BYTES, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

static void draw_one(cli_bench_progress *progress, const thaw_comparison_progress *state, const char *left)
{
    char label[CLI_JOB_BYTES];
    snprintf(label, sizeof label, "run %zu/%zu %.24s, %s left, ", state->run, state->runs,
             cli_show(state->strategy).text, left);
    cli_progress_draw(&progress->line, label, &state->training);
}

static void draw_several(cli_bench_progress *progress, const thaw_comparison_progress *state, const char *left)
{
    char line[LINE_BYTES];
    const char *between = " ";
    snprintf(progress->at[state->job], CLI_JOB_BYTES, "%zu %.24s %d/%d", state->run, cli_show(state->strategy).text,
             state->training.epoch, state->training.epochs);
    size_t length = (size_t)snprintf(line, sizeof line, "%zu runs, %s left; run", state->runs, left);
    for (size_t i = 0; i < progress->jobs && length < sizeof line; i++) {
        if (!*progress->at[i])
            continue;
        length += (size_t)snprintf(line + length, sizeof line - length, "%s%s", between, progress->at[i]);
        between = ", ";
    }
    cli_progress_say(&progress->line, line);
}

void cli_bench_progress_draw(cli_bench_progress *progress, const thaw_comparison_progress *state)
{
    char left[TIME_BYTES];
    format_time(left, state->seconds_left);
    (progress->jobs > 1 ? draw_several : draw_one)(progress, state, left);
}

void cli_bench_progress_end(cli_bench_progress *progress)
{
    cli_progress_clear(&progress->line);
    free(progress->at);
    progress->at = NULL;
}
