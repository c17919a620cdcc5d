/* The ranks that a training run is spread over: --ranks and --timeout. */
#ifndef THAW_CLI_RANKS_H
#define THAW_CLI_RANKS_H

#include "cli/options.h"
#include "cli/ranks_library.h"
#include "cli/session.h"

typedef struct cli_ranks {
    int rank, count;                       /* 0 of 1: alone */
    const thaw_communicator *communicator; /* NULL: alone */
    thaw_mpi_connection connection;
    void *memory;           /* for what all ranks share */
    thaw_message *messages; /* one for each */
    bool apart;             /* the ranks have lost each other */
} cli_ranks;

/* Connects the ranks if the options or mpirun ask for that. Sets threads and shards that the options leave to Thaw;
   refuses more threads than a machine has cores. From now on only rank 0 prints results, and failures are held until
   cli_ranks_meet. Returns an exit code. */
int cli_ranks_open(cli_ranks *ranks, cli_options *options);

/* All ranks call it, each with its exit code so far. If one has failed, rank 0 prints the failure of the first, and the
   code is the same on all. */
int cli_ranks_meet(cli_ranks *ranks, int code);

/* Opens the data as cli_open_data does, with one search of a folder of images for all ranks, which call it together.
   Returns an exit code. */
int cli_ranks_open_data(const cli_ranks *ranks, cli_session *session);

/* For a command line that is wrong on this rank, perhaps on others: meets those, and leaves. Returns the exit code. */
int cli_ranks_refuse(int code);

/* The signal that has told any rank to stop, 0, or -1 with a failure. All ranks call it together. */
int cli_ranks_signal(cli_ranks *ranks);

/* After the ranks have met: failures are held again. */
void cli_ranks_begin(const cli_ranks *ranks);

/* Training has ended with this exit code. After a failure, tells the other ranks, and one of them prints it. */
void cli_ranks_end(cli_ranks *ranks, int code);

/* Leaves the ranks. Returns the exit code, which is that of the first rank that has failed. */
int cli_ranks_close(cli_ranks *ranks, int code);

#endif
