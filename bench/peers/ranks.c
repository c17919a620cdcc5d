#include "ranks.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

bool ranks_connect(const char *library, const char *commands, thaw_mpi_connection *connection)
{
    char reason[THAW_REASON_BYTES] = "it has no thaw_mpi_connect", path[4096];
    void *opened = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    thaw_mpi_connect_function *connect =
        opened ? (thaw_mpi_connect_function *)(uintptr_t)dlsym(opened, "thaw_mpi_connect") : NULL;
    *connection = (thaw_mpi_connection){ THAW_MPI_HEAD };
    if (!connect || !connect(60, connection, reason)) {
        fprintf(stderr, "worker: %s: %s\n", library, opened ? reason : dlerror());
        return false;
    }
    snprintf(path, sizeof path, "%s.%d", commands, connection->communicator.rank);
    const bool quiet = connection->communicator.rank == 0 || freopen("/dev/null", "w", stdout);
    if (quiet && freopen(path, "r", stdin))
        return true;
    fprintf(stderr, "worker: %s cannot be opened\n", path);
    return false;
}
