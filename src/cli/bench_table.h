/* What thaw bench prints at the end. */
#ifndef THAW_CLI_BENCH_TABLE_H
#define THAW_CLI_BENCH_TABLE_H

#include <thaw/compare.h>

/* Prints the chosen configurations by rank, then the unranked ones; as JSON lines if asked. With a `target`, ranks are
   those of the time until it was reached. Returns an exit code. */
int cli_bench_print(thaw_comparison *comparison, const thaw_context *context, bool target, bool json);

#endif
