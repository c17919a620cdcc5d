/* How far a comparison is, on a terminal's last line: a bar of the run that goes on, or of several at a time a word each. */
#ifndef THAW_CLI_BENCH_PROGRESS_H
#define THAW_CLI_BENCH_PROGRESS_H

#include <thaw/compare.h>

#include "cli/progress.h"

enum { CLI_JOB_BYTES = 128 };

typedef struct cli_bench_progress {
    cli_progress line;
    size_t jobs;
    char (*at)[CLI_JOB_BYTES]; /* where each of several runs at a time is; "" before it has begun */
} cli_bench_progress;

/* `quiet`: never show one. Returns an exit code. */
int cli_bench_progress_begin(cli_bench_progress *progress, size_t jobs, bool quiet);

void cli_bench_progress_draw(cli_bench_progress *progress, const thaw_comparison_progress *state);

/* Makes room for what is printed next. */
void cli_bench_progress_end(cli_bench_progress *progress);

#endif
