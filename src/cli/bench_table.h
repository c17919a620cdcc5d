/* What thaw bench prints in the end. */
#ifndef THAW_CLI_BENCH_TABLE_H
#define THAW_CLI_BENCH_TABLE_H

#include <thaw/compare.h>

/* The chosen configurations by rank, and below them those that have none; as lines of JSON on wish. Returns an exit
   code. */
int cli_bench_print(thaw_comparison *comparison, const thaw_context *context, bool json);

#endif
