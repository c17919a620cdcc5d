#include "cli/ranks_library.h"

#include <dlfcn.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/failure.h"

#define LIBRARY "libthaw-mpi.so.0"

static int read_number(const char *const *names, size_t count, int otherwise)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = getenv(names[i]);
        if (text && *text)
            return atoi(text);
    }
    return otherwise;
}

/* Of Open MPI, and of MPICH and its kin. */
int cli_ranks_launched(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE" };
    return read_number(names, THAW_COUNT(names), 0);
}

int cli_ranks_launched_rank(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_RANK", "PMI_RANK" };
    return read_number(names, THAW_COUNT(names), 0);
}

static void *open_library(char *reason)
{
    const char *named = getenv("THAW_MPI_LIBRARY");
    void *opened = dlopen(named ? named : LIBRARY, RTLD_NOW | RTLD_GLOBAL);
    if (!opened)
        snprintf(reason, THAW_REASON_BYTES, "%.250s", dlerror());
    if (!opened && !named)
        opened = dlopen(THAW_LIBRARY_FOLDER "/" LIBRARY, RTLD_NOW | RTLD_GLOBAL);
    return opened;
}

static void end_late(int number)
{
    static const char message[] = "thaw: --ranks: not all ranks have started within --timeout\n";
    (void)number;
    const ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored;
    _exit(CLI_FAILED);
}

/* Starting MPI waits for all ranks, without an end if one of them never gets there. Rank 0 says so before others
   would. */
static bool connect_in_time(thaw_mpi_connect_function *connect, double timeout, thaw_mpi_connection *connection,
                            char *reason)
{
    const struct sigaction late = { .sa_handler = end_late };
    struct sigaction before;
    const unsigned seconds = timeout < 1e6 ? (unsigned)ceil(timeout) : 1000000;
    sigaction(SIGALRM, &late, &before);
    alarm(seconds + (cli_ranks_launched_rank() > 0));
    const bool connected = connect(timeout, connection, reason);
    alarm(0);
    sigaction(SIGALRM, &before, NULL);
    return connected;
}

int cli_ranks_connect(double timeout, thaw_mpi_connection *connection)
{
    char reason[THAW_REASON_BYTES] = "";
    void *library = open_library(reason);
    if (!library)
        return cli_fail("--ranks",
                        "%s; the library is built where MPI is installed (Debian: libopenmpi-dev, openmpi-bin): "
                        "meson setup -Dmpi=enabled. With --ranks off, each process trains alone",
                        reason);
    thaw_mpi_connect_function *connect = (thaw_mpi_connect_function *)(uintptr_t)dlsym(library, "thaw_mpi_connect");
    if (!connect)
        return cli_fail("--ranks", "%s does not define thaw_mpi_connect", LIBRARY);
    *connection = (thaw_mpi_connection){ THAW_MPI_HEAD };
    if (!connect_in_time(connect, timeout, connection, reason))
        return cli_fail("--ranks", "%s", reason);
    const int launched = cli_ranks_launched(), ranks = connection->communicator.ranks;
    if (launched > 1 && ranks != launched && cli_ranks_launched_rank() > 0)
        return CLI_FAILED; /* rank 0 finds the same */
    if (launched > 1 && ranks != launched)
        return cli_fail("--ranks",
                        "there are %d processes, but MPI knows %d: %s was built for another MPI than this mpirun's",
                        launched, ranks, LIBRARY);
    return CLI_DONE;
}
