#include "cli/bench_progress.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/failure.h"
#include "cli/shown.h"

enum { LINE_BYTES = 512 };

int cli_bench_progress_begin(cli_bench_progress *progress, size_t jobs, size_t batch, bool quiet)
{
    *progress = (cli_bench_progress){ .line = cli_progress_begin(quiet), .jobs = jobs, .batch = batch };
    progress->at = calloc(jobs + 1, sizeof *progress->at);
    return progress->at ? CLI_DONE : cli_fail("bench", "out of memory");
}

static void draw_one(cli_bench_progress *progress, const thaw_comparison_progress *state)
{
    char label[CLI_JOB_BYTES], trial[32] = "";
    const thaw_progress *training = &state->training;
    if (state->trial)
        snprintf(trial, sizeof trial, ", trial %zu", state->trial);
    snprintf(label, sizeof label, "run %zu/%zu %.24s%s", state->run, state->runs, cli_show(state->strategy).text,
             trial);
    cli_progress_draw(&progress->line, &(cli_progress_state){
                                           .label = label,
                                           .epoch = training->epoch,
                                           .epochs = training->epochs,
                                           .done = training->step * progress->batch,
                                           .total = training->steps * progress->batch,
                                           .seconds_left = state->seconds_left,
                                           .loss = training->loss,
                                       });
}

static void draw_several(cli_bench_progress *progress, const thaw_comparison_progress *state)
{
    char line[LINE_BYTES], left[CLI_TIME_BYTES];
    const char *between = " ";
    snprintf(progress->at[state->job], CLI_JOB_BYTES, "%zu %.24s %d/%d", state->run, cli_show(state->strategy).text,
             state->training.epoch, state->training.epochs);
    size_t length = (size_t)snprintf(line, sizeof line, "%zu runs, %s left; run", state->runs,
                                     cli_format_time(left, state->seconds_left));
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
    (progress->jobs > 1 ? draw_several : draw_one)(progress, state);
}

void cli_bench_progress_end(cli_bench_progress *progress)
{
    cli_progress_clear(&progress->line);
    free(progress->at);
    progress->at = NULL;
}
