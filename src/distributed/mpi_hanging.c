/* Which rank keeps the others waiting. The one that a rank misses may only wait itself, for a third. So a rank that has
   waited for too long asks those it misses whom they miss, then asks these, and so on. Ranks answer while they wait;
   one that does not answer hangs. */
#include <string.h>

#include "distributed/mpi_connection.h"

static const double ANSWERING_SECONDS = 1, LOOKING_SECONDS = 0.02;

/* Whom this rank misses, in answer to a question with this number. An answer is sent from memory that it keeps until it
   has gone. */
static void answer(thaw_mpi_ranks *own, const thaw_mpi_exchange *now, int asker, unsigned char number)
{
    own->answer[0] = number;
    memset(own->answer + 1, 0, (size_t)own->ranks);
    thaw_mpi_mark_missing(now, own->answer + 1);
    if (MPI_Isend(own->answer, own->ranks + 1, MPI_BYTE, asker, THAW_MPI_ANSWER_TAG, own->all, &own->answering) !=
        MPI_SUCCESS)
        own->answering = MPI_REQUEST_NULL;
}

static bool has_answered(thaw_mpi_ranks *own)
{
    int done = 0;
    return MPI_Test(&own->answering, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done;
}

static void answer_questions(thaw_mpi_ranks *own, const thaw_mpi_exchange *now)
{
    MPI_Status status;
    int found = 0;
    unsigned char number;
    while (has_answered(own) &&
           MPI_Iprobe(MPI_ANY_SOURCE, THAW_MPI_QUESTION_TAG, own->all, &found, &status) == MPI_SUCCESS && found &&
           MPI_Recv(&number, 1, MPI_BYTE, status.MPI_SOURCE, THAW_MPI_QUESTION_TAG, own->all, MPI_STATUS_IGNORE) ==
               MPI_SUCCESS)
        answer(own, now, status.MPI_SOURCE, number);
}

/* Asks the ranks that are marked, unless they have been asked. */
static void ask(thaw_mpi_ranks *own, const unsigned char *marked, double time)
{
    for (int rank = 0; rank < own->ranks; rank++) {
        MPI_Request request;
        if (!marked[rank] || own->asked[rank] || rank == own->rank)
            continue;
        own->asked[rank] = 1;
        own->asked_at = time;
        if (MPI_Isend(&own->question, 1, MPI_BYTE, rank, THAW_MPI_QUESTION_TAG, own->all, &request) == MPI_SUCCESS)
            MPI_Request_free(&request);
    }
}

/* Answers to earlier questions are dropped. */
static void receive_answers(thaw_mpi_ranks *own, double time)
{
    MPI_Status status;
    int found = 0;
    while (MPI_Iprobe(MPI_ANY_SOURCE, THAW_MPI_ANSWER_TAG, own->all, &found, &status) == MPI_SUCCESS && found &&
           MPI_Recv(own->received, own->ranks + 1, MPI_BYTE, status.MPI_SOURCE, THAW_MPI_ANSWER_TAG, own->all,
                    MPI_STATUS_IGNORE) == MPI_SUCCESS)
        if (own->asks && own->received[0] == own->question) {
            own->answered[status.MPI_SOURCE] = 1;
            ask(own, own->received + 1, time);
        }
}

void thaw_mpi_attend(thaw_mpi_ranks *own, const thaw_mpi_exchange *now, double time)
{
    if (time - own->attended < LOOKING_SECONDS)
        return;
    own->attended = time;
    answer_questions(own, now);
    receive_answers(own, time);
}

void thaw_mpi_stop_asking(thaw_mpi_ranks *own)
{
    own->asks = false;
}

int thaw_mpi_find_hanging(thaw_mpi_ranks *own, const thaw_mpi_exchange *now, double time)
{
    int missing = -1;
    if (!own->asks) {
        own->asks = true;
        own->question++;
        memset(own->asked, 0, (size_t)own->ranks);
        memset(own->answered, 0, (size_t)own->ranks);
        memset(own->missing, 0, (size_t)own->ranks);
        thaw_mpi_mark_missing(now, own->missing);
        own->asked_at = time;
        ask(own, own->missing, time);
    }
    if (time - own->asked_at < ANSWERING_SECONDS)
        return -1;
    for (int rank = own->ranks - 1; rank >= 0; rank--)
        if (own->asked[rank] && !own->answered[rank])
            missing = rank;
    for (int rank = 0; rank < own->ranks && missing < 0; rank++) /* they all wait for each other */
        if (own->missing[rank])
            missing = rank;
    return missing < 0 ? own->rank : missing;
}
