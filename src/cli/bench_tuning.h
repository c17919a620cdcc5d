/* What tuning chose, and what it cost. */
#ifndef THAW_CLI_BENCH_TUNING_H
#define THAW_CLI_BENCH_TUNING_H

#include <thaw/compare.h>

/* Prints the chosen settings of each configuration, and the cost of each optimizer; as JSON lines if asked, of which
   configurations have lines of their own. Nothing without trials. Returns an exit code. */
int cli_bench_tuning_print(const thaw_configuration *configurations, size_t count, bool json);

#endif
