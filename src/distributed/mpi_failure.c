/* How ranks learn that one of them has failed: it sends the reason to all others, which look for one while they
   wait. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "distributed/mpi_connection.h"

static const double LISTENING_SECONDS = 0.3, ENDING_SECONDS = 1;

bool thaw_mpi_succeeded(int error, char *reason)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    if (error == MPI_SUCCESS)
        return true;
    MPI_Error_string(error, text, &length);
    snprintf(reason, THAW_REASON_BYTES, "%.250s", text);
    return false;
}

void thaw_mpi_sleep(double seconds)
{
    nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
}

/* The text is short, so MPI sends it without waiting for its receiver. */
void thaw_mpi_give_up(void *user, const char *reason)
{
    thaw_mpi_ranks *own = user;
    own->broken = true;
    if (own->told)
        return;
    own->told = true;
    snprintf(own->reason, sizeof own->reason, "%s", reason);
    for (int rank = 0; rank < own->ranks; rank++) {
        MPI_Request request;
        if (rank != own->rank && MPI_Isend(own->reason, THAW_REASON_BYTES, MPI_CHAR, rank, THAW_MPI_REASON_TAG,
                                           own->all, &request) == MPI_SUCCESS)
            MPI_Request_free(&request);
    }
}

/* The rank that has told this one why it failed, or -1. */
static int receive_reason(const thaw_mpi_ranks *own, char text[THAW_REASON_BYTES])
{
    int found = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, THAW_MPI_REASON_TAG, own->all, &found, &status) != MPI_SUCCESS || !found)
        return -1;
    if (MPI_Recv(text, THAW_REASON_BYTES, MPI_CHAR, status.MPI_SOURCE, THAW_MPI_REASON_TAG, own->all,
                 MPI_STATUS_IGNORE) != MPI_SUCCESS)
        text[0] = '\0';
    text[THAW_REASON_BYTES - 1] = '\0';
    return status.MPI_SOURCE;
}

bool thaw_mpi_was_told(thaw_mpi_ranks *own, char *reason)
{
    char text[THAW_REASON_BYTES];
    const int from = receive_reason(own, text);
    if (from < 0)
        return false;
    own->told = own->heard = true;
    snprintf(reason, THAW_REASON_BYTES, "rank %d: %.230s", from, text);
    return true;
}

/* Several ranks may find out at the same time. The lowest reports it. */
bool thaw_mpi_is_reported(void *user)
{
    thaw_mpi_ranks *own = user;
    char ignored[THAW_REASON_BYTES];
    const double begin = MPI_Wtime();
    while (own->rank > 0 && !own->heard && MPI_Wtime() - begin < LISTENING_SECONDS) {
        const int from = receive_reason(own, ignored);
        own->heard = from >= 0 && from < own->rank;
        if (from < 0)
            thaw_mpi_sleep(0.005);
    }
    return own->heard;
}

static void say_leaving(const thaw_mpi_ranks *own)
{
    for (int rank = 0; rank < own->ranks; rank++) {
        MPI_Request request;
        if (rank != own->rank &&
            MPI_Isend(NULL, 0, MPI_CHAR, rank, THAW_MPI_LEAVING_TAG, own->all, &request) == MPI_SUCCESS)
            MPI_Request_free(&request);
    }
}

/* How many ranks have newly said that they leave. */
static int hear_leaving(const thaw_mpi_ranks *own)
{
    int heard = 0, found = 0;
    MPI_Status status;
    while (MPI_Iprobe(MPI_ANY_SOURCE, THAW_MPI_LEAVING_TAG, own->all, &found, &status) == MPI_SUCCESS && found &&
           MPI_Recv(NULL, 0, MPI_CHAR, status.MPI_SOURCE, THAW_MPI_LEAVING_TAG, own->all, MPI_STATUS_IGNORE) ==
               MPI_SUCCESS)
        heard++;
    return heard;
}

/* MPI sends and receives only while it is called. */
bool thaw_mpi_leave_together(thaw_mpi_ranks *own)
{
    const bool whole = !own->lost && own->under_way == 0;
    char ignored[THAW_REASON_BYTES];
    int heard = 0;
    if (whole)
        say_leaving(own);
    for (const double begin = MPI_Wtime(); MPI_Wtime() - begin < ENDING_SECONDS; thaw_mpi_sleep(0.01)) {
        while (receive_reason(own, ignored) >= 0)
            ;
        heard += hear_leaving(own);
        if (whole && heard == own->ranks - 1)
            return true;
    }
    return false;
}
