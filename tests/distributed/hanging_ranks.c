/* Each rank waits for the next one, some time after the one before it; the last one hangs. The others print why they
   stop waiting. */
#include <stdio.h>
#include <thaw/mpi.h>
#include <time.h>
#include <unistd.h>

static void sleep_for(double seconds)
{
    nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
}

/* Returns whether the next rank has answered. */
static bool wait_for_next(const thaw_communicator *ranks, char *reason)
{
    char sent = 1, received = 0;
    const thaw_message message = {
        .rank = ranks->rank + 1, .send = &sent, .send_bytes = 1, .receive = &received, .receive_bytes = 1
    };
    void *request;
    return ranks->start(ranks->user, &message, 1, &request, reason) && ranks->wait(ranks->user, request, reason);
}

int main(void)
{
    thaw_mpi_connection connection = { THAW_MPI_HEAD };
    const thaw_communicator *ranks = &connection.communicator;
    char reason[THAW_REASON_BYTES] = "";
    if (!thaw_mpi_connect(2, &connection, reason)) {
        fprintf(stderr, "%s\n", reason);
        return 1;
    }
    while (ranks->rank == ranks->ranks - 1)
        pause();
    sleep_for(0.8 * ranks->rank);
    const bool answered = wait_for_next(ranks, reason);
    printf("rank %d: %s\n", ranks->rank, answered ? "no failure" : reason);
    fflush(stdout);
    ranks->abort(ranks->user, reason);
    connection.close(ranks->user, 3);
}
