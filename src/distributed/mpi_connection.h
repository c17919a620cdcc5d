/* What the files of libthaw-mpi share: this process among the ranks of MPI. */
#ifndef THAW_DISTRIBUTED_MPI_CONNECTION_H
#define THAW_DISTRIBUTED_MPI_CONNECTION_H

#include <mpi.h>
#include <thaw/mpi.h>

/* One exchange under way (mpi_exchange.c). */
typedef struct thaw_mpi_exchange thaw_mpi_exchange;

typedef struct thaw_mpi_ranks {
    MPI_Comm all;
    int rank, ranks;
    double timeout;
    bool owns_mpi;
    int under_way; /* exchanges */
    bool broken;   /* an exchange has failed here or elsewhere */
    bool lost;     /* an exchange was cut off: MPI may still know its memory */
    bool told;     /* the others know, from this rank or another */
    bool heard;    /* of a failure that another rank reports */
    thaw_mpi_exchange *idle;
    char reason[THAW_REASON_BYTES]; /* that is sent to the others */
} thaw_mpi_ranks;

enum { THAW_MPI_BYTES_TAG, THAW_MPI_REASON_TAG, THAW_MPI_LEAVING_TAG };

/* Whether a call of MPI succeeded; otherwise MPI's text is the reason. */
bool thaw_mpi_succeeded(int error, char *reason);

void thaw_mpi_sleep(double seconds);

/* Functions of the communicator. */
bool thaw_mpi_start(void *user, const thaw_message *messages, size_t count, void **request, char *reason);
bool thaw_mpi_wait(void *user, void *request, char *reason);
void thaw_mpi_give_up(void *user, const char *reason);
void thaw_mpi_progress(void *user);

/* Whether another rank has told why it failed. It tells all ranks. */
bool thaw_mpi_was_told(thaw_mpi_ranks *own, char *reason);

/* See thaw_mpi_connection. */
bool thaw_mpi_is_reported(void *user);

/* After a failure: gives others the time to report it. Returns whether all ranks leave, and none of them was cut off, so
   that MPI can be closed. */
bool thaw_mpi_leave_together(thaw_mpi_ranks *own);

/* Releases the memory of exchanges that are not under way. */
void thaw_mpi_release_exchanges(thaw_mpi_ranks *own);

#endif
