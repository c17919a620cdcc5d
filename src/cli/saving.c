#include "cli/saving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/failure.h"

int cli_check_writable(const char *path)
{
    struct stat there;
    if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
        return cli_fail("--save", "%s: is a directory", path);
    /* The directory's permissions tell less than the attempt: as root, on a file system that is read-only or full. */
    char *attempt;
    if (asprintf(&attempt, "%s.XXXXXX", path) < 0)
        return cli_fail("--save", "out of memory");
    const int file = mkstemp(attempt);
    const int error = errno;
    if (file >= 0) {
        close(file);
        unlink(attempt);
    }
    free(attempt);
    return file >= 0 ? CLI_DONE : cli_fail("--save", "%s: cannot write: %s", path, strerror(error));
}
