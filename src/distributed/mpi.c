/* The communicator over MPI: a library of its own, with calls of MPI-3 only (thaw/mpi.h). */
#include <stdio.h>
#include <stdlib.h>

#include "distributed/mpi_connection.h"

static void release(thaw_mpi_ranks *own)
{
    free(own->missing);
    free(own);
}

static void leave(void *user, int code)
{
    thaw_mpi_ranks *own = user;
    if (own->broken && own->owns_mpi && !thaw_mpi_leave_together(own))
        MPI_Abort(MPI_COMM_WORLD, code);
    if (own->broken && !own->owns_mpi)
        return; /* MPI still knows the memory of exchanges */
    MPI_Comm_free(&own->all);
    if (own->owns_mpi)
        MPI_Finalize();
    thaw_mpi_release_exchanges(own);
    release(own);
}

static bool initialise(thaw_mpi_ranks *own, char *reason)
{
    int ready = 0, provided = MPI_THREAD_FUNNELED, error = MPI_Initialized(&ready);
    if (error == MPI_SUCCESS && !ready)
        error = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    else if (error == MPI_SUCCESS)
        error = MPI_Query_thread(&provided);
    own->owns_mpi = !ready;
    if (!thaw_mpi_succeeded(error, reason))
        return false;
    if (provided >= MPI_THREAD_FUNNELED)
        return true;
    snprintf(reason, THAW_REASON_BYTES, "MPI was initialised without MPI_THREAD_FUNNELED");
    return false;
}

static bool reserve(thaw_mpi_ranks *own, char *reason)
{
    const size_t ranks = (size_t)own->ranks;
    own->answering = MPI_REQUEST_NULL;
    own->missing = calloc(5, ranks + 1);
    if (!own->missing) {
        snprintf(reason, THAW_REASON_BYTES, "out of memory");
        return false;
    }
    own->asked = own->missing + ranks;
    own->answered = own->asked + ranks;
    own->answer = own->answered + ranks;
    own->received = own->answer + ranks + 1;
    return true;
}

static bool join(thaw_mpi_ranks *own, char *reason)
{
    return thaw_mpi_succeeded(MPI_Comm_dup(MPI_COMM_WORLD, &own->all), reason) &&
           thaw_mpi_succeeded(MPI_Comm_set_errhandler(own->all, MPI_ERRORS_RETURN), reason) &&
           thaw_mpi_succeeded(MPI_Comm_rank(own->all, &own->rank), reason) &&
           thaw_mpi_succeeded(MPI_Comm_size(own->all, &own->ranks), reason) && reserve(own, reason);
}

bool thaw_mpi_connect(double timeout_seconds, thaw_mpi_connection *made, char reason[THAW_REASON_BYTES])
{
    if (made->size != sizeof *made || made->abi != THAW_MPI_ABI) {
        snprintf(
            reason, THAW_REASON_BYTES,
            "the connection has %zu bytes and abi %#x, must have %zu and %#x: it was made for another version of Thaw",
            made->size, (unsigned)made->abi, sizeof *made, (unsigned)THAW_MPI_ABI);
        return false;
    }
    thaw_mpi_ranks *own = calloc(1, sizeof *own);
    if (!own) {
        snprintf(reason, THAW_REASON_BYTES, "out of memory");
        return false;
    }
    own->timeout = timeout_seconds;
    if (!initialise(own, reason) || !join(own, reason)) {
        release(own);
        return false;
    }
    made->communicator = (thaw_communicator){
        THAW_COMMUNICATOR_HEAD,  .rank = own->rank,     .ranks = own->ranks,       .user = own,
        .start = thaw_mpi_start, .wait = thaw_mpi_wait, .abort = thaw_mpi_give_up, .progress = thaw_mpi_progress,
    };
    made->is_reported = thaw_mpi_is_reported;
    made->close = leave;
    return true;
}
