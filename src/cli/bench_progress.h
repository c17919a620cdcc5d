/* The progress of a comparison, on the last line of a terminal: a bar for one run, or a few words for each of
   several. */
#ifndef THAW_CLI_BENCH_PROGRESS_H
#define THAW_CLI_BENCH_PROGRESS_H

#include <thaw/compare.h>

#include "cli/progress.h"

enum { CLI_JOB_BYTES = 128 };

typedef struct cli_bench_progress {
    cli_progress line;
    size_t jobs, batch;
    char (*at)[CLI_JOB_BYTES]; /* the state of each concurrent run; "" before it starts */
} cli_bench_progress;

/* Of `jobs` runs at a time, in batches of `batch` samples. `quiet`: never show one. Returns an exit code. */
int cli_bench_progress_begin(cli_bench_progress *progress, size_t jobs, size_t batch, bool quiet);

void cli_bench_progress_draw(cli_bench_progress *progress, const thaw_comparison_progress *state);

/* Clears the line before other output. */
void cli_bench_progress_end(cli_bench_progress *progress);

#endif
