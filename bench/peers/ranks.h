/* Thaw's contender as one rank of several, over MPI. */
#ifndef THAW_BENCH_RANKS_H
#define THAW_BENCH_RANKS_H

#include <thaw/mpi.h>

/* Connects with libthaw-mpi at that path. From now on this rank reads commands from the file COMMANDS.RANK, and only
   rank 0 answers. Prints an error and returns false if that fails. */
bool ranks_connect(const char *library, const char *commands, thaw_mpi_connection *connection);

#endif
