/* libthaw-mpi and what mpirun tells the processes that it starts. */
#ifndef THAW_CLI_RANKS_LIBRARY_H
#define THAW_CLI_RANKS_LIBRARY_H

#include <thaw/mpi.h>

/* The processes that mpirun has started; 0 if it has not started this one. */
int cli_ranks_launched(void);

/* Which of them this is. */
int cli_ranks_launched_rank(void);

/* Loads the library, which stays loaded since MPI cannot be started twice, and connects. Returns an exit code. */
int cli_ranks_connect(double timeout, thaw_mpi_connection *connection);

#endif
