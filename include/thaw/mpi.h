/* The ranks of MPI as a communicator (thaw/distributed.h). It is in a library of its own, libthaw-mpi, which is built
   where MPI is installed (Open MPI or MPICH), so that libthaw needs no MPI. A host links it (pkg-config: thaw-mpi), or
   loads it when it wants ranks:

     void *library = dlopen("libthaw-mpi.so.0", RTLD_NOW | RTLD_GLOBAL);
     thaw_mpi_connect_function *connect = (thaw_mpi_connect_function *)dlsym(library, "thaw_mpi_connect");
     thaw_mpi_connection connection = { THAW_MPI_HEAD };
     if (connect(300, &connection, reason))
         options.communicator = &connection.communicator;

   RTLD_GLOBAL because MPI's own plug-ins look for its functions. */
#ifndef THAW_MPI_H
#define THAW_MPI_H

#include <thaw/distributed.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which connections this header describes: in the upper half what they are, in the lower the version. */
enum { THAW_MPI_ABI = 0x4D500001 };

/* Short for the first fields of a thaw_mpi_connection. */
#define THAW_MPI_HEAD .size = sizeof(thaw_mpi_connection), .abi = THAW_MPI_ABI

/* This process among those of MPI_COMM_WORLD. The host sets the first two fields, thaw_mpi_connect the others. */
typedef struct thaw_mpi_connection {
    size_t size;                    /* sizeof(thaw_mpi_connection), as the host was compiled */
    uint32_t abi;                   /* THAW_MPI_ABI */
    thaw_communicator communicator; /* for the options of a run */

    /* After a failure, before `abort`: whether another rank reports it, so that this one need not. That is a rank that
       has told this one, or a lower one that has found out by itself, for which this waits a moment. */
    bool (*is_reported)(void *user);

    /* Leaves MPI: with MPI_Finalize, for which all ranks wait, if every exchange has succeeded. Otherwise, or if
       `abort` was called, it waits a moment for the others to report why. If all of them leave, and none was cut off in
       an exchange, as after a failure that they have in common, it calls MPI_Finalize, too; else it ends all processes
       with MPI_Abort and this code. If the host has initialised MPI itself, it does neither. `user` is the
       communicator's, here as above. */
    void (*close)(void *user, int code);
} thaw_mpi_connection;

/* Initialises MPI, unless the host has (with MPI_THREAD_FUNNELED or higher), and fills the connection. Functions of the
   communicator are called by the thread that called this. An exchange that makes no progress for `timeout_seconds`
   fails, about a second later, with a reason that names the rank that hangs: ranks ask those they miss whom these miss,
   so that one which only waits itself is not blamed. Returns false, with a reason, if MPI cannot be used, or if the
   connection is of another version. One connection at a time. */
THAW_API bool thaw_mpi_connect(double timeout_seconds, thaw_mpi_connection *connection, char reason[THAW_REASON_BYTES]);

/* The type of thaw_mpi_connect. */
typedef bool thaw_mpi_connect_function(double timeout_seconds, thaw_mpi_connection *connection,
                                       char reason[THAW_REASON_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
