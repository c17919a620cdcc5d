/* Exchanges of messages over MPI: pieces that MPI can count, and a wait that ends after the timeout. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "distributed/mpi_connection.h"

enum { LOOKS = 16 /* at what has arrived, within the timeout */ };

/* MPI counts with int, so longer messages travel in pieces. */
#ifndef THAW_MPI_PIECE_BYTES
#define THAW_MPI_PIECE_BYTES ((size_t)1 << 30)
#endif

/* A message or a piece of one. */
typedef struct piece {
    int rank;     /* the other one */
    int received; /* bytes to receive; -1 if it is sent */
} piece;

/* An exchange under way. Its memory is used again by a later one. */
struct thaw_mpi_exchange {
    thaw_mpi_exchange *next;
    MPI_Request *requests;
    MPI_Status *statuses;
    piece *pieces;
    int count, capacity;
};

/* ---------------------------------------------------------------- the memory of exchanges */

static void release_exchange(thaw_mpi_exchange *made)
{
    if (!made)
        return;
    free((void *)made->requests);
    free(made->statuses);
    free(made->pieces);
    free(made);
}

static thaw_mpi_exchange *allocate_exchange(int capacity)
{
    thaw_mpi_exchange *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->capacity = capacity;
    made->requests = (MPI_Request *)calloc((size_t)capacity, sizeof *made->requests);
    made->statuses = calloc((size_t)capacity, sizeof *made->statuses);
    made->pieces = calloc((size_t)capacity, sizeof *made->pieces);
    if (made->requests && made->statuses && made->pieces)
        return made;
    release_exchange(made);
    return NULL;
}

/* An idle exchange with room for so many pieces; a step's exchanges find one that an earlier step made. */
static thaw_mpi_exchange *take_exchange(thaw_mpi_ranks *own, size_t pieces)
{
    thaw_mpi_exchange **link = &own->idle;
    while (*link && (size_t)(*link)->capacity < pieces)
        link = &(*link)->next;
    thaw_mpi_exchange *found = *link;
    if (found)
        *link = found->next;
    else if (pieces <= INT32_MAX)
        found = allocate_exchange(pieces ? (int)pieces : 1);
    if (found)
        found->count = 0;
    return found;
}

static void give_back(thaw_mpi_ranks *own, thaw_mpi_exchange *used)
{
    used->next = own->idle;
    own->idle = used;
}

/* ---------------------------------------------------------------- starting */

static size_t pieces_of(size_t bytes)
{
    return (bytes + THAW_MPI_PIECE_BYTES - 1) / THAW_MPI_PIECE_BYTES;
}

static int next_bytes(size_t bytes, size_t first)
{
    return (int)(bytes - first < THAW_MPI_PIECE_BYTES ? bytes - first : THAW_MPI_PIECE_BYTES);
}

static int receive(thaw_mpi_ranks *own, thaw_mpi_exchange *now, const thaw_message *message)
{
    int error = MPI_SUCCESS;
    for (size_t first = 0; first < message->receive_bytes && error == MPI_SUCCESS; first += THAW_MPI_PIECE_BYTES) {
        const int bytes = next_bytes(message->receive_bytes, first);
        now->pieces[now->count] = (piece){ message->rank, bytes };
        error = MPI_Irecv((char *)message->receive + first, bytes, MPI_BYTE, message->rank, THAW_MPI_BYTES_TAG,
                          own->all, &now->requests[now->count]);
        now->count += error == MPI_SUCCESS;
    }
    return error;
}

static int send(thaw_mpi_ranks *own, thaw_mpi_exchange *now, const thaw_message *message)
{
    int error = MPI_SUCCESS;
    for (size_t first = 0; first < message->send_bytes && error == MPI_SUCCESS; first += THAW_MPI_PIECE_BYTES) {
        const int bytes = next_bytes(message->send_bytes, first);
        now->pieces[now->count] = (piece){ message->rank, -1 };
        error = MPI_Isend((const char *)message->send + first, bytes, MPI_BYTE, message->rank, THAW_MPI_BYTES_TAG,
                          own->all, &now->requests[now->count]);
        now->count += error == MPI_SUCCESS;
    }
    return error;
}

/* MPI must not write into memory that is about to be released. */
static void cancel(thaw_mpi_ranks *own, thaw_mpi_exchange *now)
{
    own->broken = own->lost = true;
    for (int i = 0; i < now->count; i++)
        if (now->pieces[i].received >= 0 && now->requests[i] != MPI_REQUEST_NULL)
            MPI_Cancel(&now->requests[i]);
}

static bool fail_broken(char *reason)
{
    snprintf(reason, THAW_REASON_BYTES, "another exchange has failed");
    return false;
}

bool thaw_mpi_start(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    thaw_mpi_ranks *own = user;
    size_t pieces = 0;
    int error = MPI_SUCCESS;
    if (own->broken)
        return fail_broken(reason);
    for (size_t i = 0; i < count; i++)
        pieces += pieces_of(messages[i].send_bytes) + pieces_of(messages[i].receive_bytes);
    thaw_mpi_exchange *now = take_exchange(own, pieces);
    if (!now) {
        own->broken = true;
        snprintf(reason, THAW_REASON_BYTES, "out of memory");
        return false;
    }
    for (size_t i = 0; i < count && error == MPI_SUCCESS; i++)
        error = receive(own, now, &messages[i]);
    for (size_t i = 0; i < count && error == MPI_SUCCESS; i++)
        error = send(own, now, &messages[i]);
    *request = now;
    if (thaw_mpi_succeeded(error, reason)) {
        own->under_way++;
        return true;
    }
    cancel(own, now);
    return false;
}

/* ---------------------------------------------------------------- waiting */

static bool is_done(const thaw_mpi_exchange *now, int index)
{
    int done = 0;
    return MPI_Request_get_status(now->requests[index], &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done;
}

/* How many pieces have arrived or gone. */
static int count_done(const thaw_mpi_exchange *now)
{
    int all = 0;
    for (int i = 0; i < now->count; i++)
        all += is_done(now, i);
    return all;
}

void thaw_mpi_mark_missing(const thaw_mpi_exchange *now, unsigned char *marks)
{
    for (int i = 0; i < now->count; i++)
        if (!is_done(now, i))
            marks[now->pieces[i].rank] = 1;
}

/* A wait that may end without success. */
typedef struct waiting {
    double last;  /* when it was here */
    double look;  /* when it counted what is done */
    double since; /* nothing has moved */
    int done;
} waiting;

static void note_movement(thaw_mpi_ranks *own, waiting *spent, double time)
{
    spent->since = time;
    thaw_mpi_stop_asking(own);
}

/* A rank that was killed leaves no trace in shared memory: only time tells. */
static bool has_timed_out(thaw_mpi_ranks *own, const thaw_mpi_exchange *now, waiting *spent, double time, char *reason)
{
    if (time - spent->last > 1) /* this process was stopped for a while, and perhaps the others, too */
        note_movement(own, spent, time);
    spent->last = time;
    if (time - spent->look >= own->timeout / LOOKS) {
        const int done = count_done(now);
        if (done > spent->done)
            note_movement(own, spent, time);
        spent->done = done;
        spent->look = time;
    }
    if (time - spent->since < own->timeout)
        return false;
    const int hanging = thaw_mpi_find_hanging(own, now, time);
    if (hanging < 0)
        return false;
    snprintf(reason, THAW_REASON_BYTES, "rank %d has not answered for %g seconds", hanging, own->timeout);
    thaw_mpi_give_up(own, reason);
    return true;
}

/* Computing threads of other ranks may need this core: spins shortly, then yields, then sleeps. */
static void pause_after(double seconds)
{
    if (seconds > 0.002)
        thaw_mpi_sleep(0.00005);
    else if (seconds > 20e-6)
        sched_yield();
}

/* Whether all pieces had the length that was expected. */
static bool check_lengths(const thaw_mpi_exchange *now, char *reason)
{
    for (int i = 0; i < now->count; i++) {
        int bytes;
        if (now->pieces[i].received < 0)
            continue;
        if (MPI_Get_count(&now->statuses[i], MPI_BYTE, &bytes) == MPI_SUCCESS && bytes == now->pieces[i].received)
            continue;
        snprintf(reason, THAW_REASON_BYTES, "rank %d has sent %d bytes where %d were expected", now->pieces[i].rank,
                 bytes, now->pieces[i].received);
        return false;
    }
    return true;
}

static bool wait_for(thaw_mpi_ranks *own, thaw_mpi_exchange *now, char *reason)
{
    const double begin = MPI_Wtime();
    waiting spent = { .last = begin, .look = begin, .since = begin };
    int done = 0;
    thaw_mpi_stop_asking(own);
    while (true) {
        if (!thaw_mpi_succeeded(MPI_Testall(now->count, now->requests, &done, now->statuses), reason))
            return false;
        if (done)
            return check_lengths(now, reason);
        const double time = MPI_Wtime();
        const bool told = thaw_mpi_was_told(own, reason);
        if (told && MPI_Testall(now->count, now->requests, &done, now->statuses) == MPI_SUCCESS && done)
            return check_lengths(now, reason); /* the rank that failed took part in this one */
        thaw_mpi_attend(own, now, time);
        if (told || has_timed_out(own, now, &spent, time, reason))
            return false;
        pause_after(time - begin);
    }
}

bool thaw_mpi_wait(void *user, void *request, char *reason)
{
    thaw_mpi_ranks *own = user;
    thaw_mpi_exchange *now = request;
    const bool well = own->broken ? fail_broken(reason) : wait_for(own, now, reason);
    own->under_way--;
    if (!well)
        cancel(own, now);
    give_back(own, now);
    return well;
}

/* Any call lets messages go on; this one needs no request. */
void thaw_mpi_progress(void *user)
{
    const thaw_mpi_ranks *own = user;
    int ignored;
    MPI_Iprobe(MPI_ANY_SOURCE, THAW_MPI_REASON_TAG, own->all, &ignored, MPI_STATUS_IGNORE);
}

void thaw_mpi_release_exchanges(thaw_mpi_ranks *own)
{
    while (own->idle) {
        thaw_mpi_exchange *next = own->idle->next;
        release_exchange(own->idle);
        own->idle = next;
    }
}
