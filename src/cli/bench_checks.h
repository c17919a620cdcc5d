/* What is checked of the options of thaw bench before anything is opened. */
#ifndef THAW_CLI_BENCH_CHECKS_H
#define THAW_CLI_BENCH_CHECKS_H

#include "cli/options.h"

/* Refuses options that do not go together. Returns an exit code. */
int cli_bench_check(const cli_options *options, bool on_ranks);

/* More threads than cores would only measure waiting. Without --threads, concurrent runs share the cores; ranks have
   chosen already. Returns an exit code. */
int cli_bench_choose_threads(cli_options *options);

#endif
