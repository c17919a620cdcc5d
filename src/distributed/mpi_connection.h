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

    /* Who hangs (mpi_hanging.c). Bytes for each rank, in one piece of memory, the first. */
    unsigned char *missing;          /* this one waits for it */
    unsigned char *asked, *answered; /* the question */
    unsigned char *answer;           /* that is sent, and with `received`: its number first */
    unsigned char *received;
    unsigned char question; /* its number: that of the last one */
    bool asks;              /* has asked, and the exchange has not moved since */
    double asked_at;        /* the last one */
    double attended;        /* when it last looked for questions */
    MPI_Request answering;

    char reason[THAW_REASON_BYTES]; /* that is sent to the others */
} thaw_mpi_ranks;

enum { THAW_MPI_BYTES_TAG, THAW_MPI_REASON_TAG, THAW_MPI_LEAVING_TAG, THAW_MPI_QUESTION_TAG, THAW_MPI_ANSWER_TAG };

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

/* Marks the ranks that an exchange waits for, in a byte of each. */
void thaw_mpi_mark_missing(const thaw_mpi_exchange *now, unsigned char *marks);

/* Now and then while a rank waits: answers those who ask whom it misses, and hears their answers. */
void thaw_mpi_attend(thaw_mpi_ranks *own, const thaw_mpi_exchange *now, double time);

/* The rank that keeps this one waiting, or -1 while that is being found out: a second after the last question. */
int thaw_mpi_find_hanging(thaw_mpi_ranks *own, const thaw_mpi_exchange *now, double time);

/* The exchange has moved. */
void thaw_mpi_stop_asking(thaw_mpi_ranks *own);

/* See thaw_mpi_connection. */
bool thaw_mpi_is_reported(void *user);

/* After a failure: gives others the time to report it. Returns whether all ranks leave, and none of them was cut off,
   so that MPI can be closed. */
bool thaw_mpi_leave_together(thaw_mpi_ranks *own);

/* Releases the memory of exchanges that are not under way. */
void thaw_mpi_release_exchanges(thaw_mpi_ranks *own);

#endif
