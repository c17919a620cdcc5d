/* The threads of ranks that share a machine. */
#ifndef THAW_CLI_RANKS_THREADS_H
#define THAW_CLI_RANKS_THREADS_H

#include <sched.h>
#include <stdint.h>

#include "cli/options.h"

/* What a rank tells the others of itself. */
typedef struct cli_rank_facts {
    int32_t threads; /* --threads; 0: automatic */
    char machine[64];
    cpu_set_t cores; /* that it may use */
} cli_rank_facts;

/* Describes this rank. */
cli_rank_facts cli_ranks_describe(const cli_options *options);

/* Shares a machine's cores among its ranks if --threads is automatic. More threads than cores would only wait for each
   other, and a rank with them for all others, so they are refused. Ranks of one thread are mpirun's business, which
   refuses more ranks than cores by itself. Returns an exit code. */
int cli_ranks_choose_threads(const cli_rank_facts *all, int rank, int ranks, cli_options *options);

#endif
