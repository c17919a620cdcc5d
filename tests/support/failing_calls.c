#include "support/failing_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static bool armed, torn;
static int calls, fail_at, reason;

void failing_calls_arm(int call, int why)
{
    armed = true;
    torn = false;
    calls = 0;
    fail_at = call;
    reason = why;
}

bool failing_calls_disarm(void)
{
    armed = false;
    return calls >= fail_at;
}

static bool is_chosen(void)
{
    return armed && ++calls == fail_at;
}

/* Sets errno if the call is to fail. */
static bool fails(void)
{
    if (!is_chosen() || reason <= 0)
        return false;
    errno = reason;
    return true;
}

#define WRAP(result, name, parameters)      \
    extern result __real_##name parameters; \
    extern result __wrap_##name parameters; \
    result __wrap_##name parameters

WRAP(ssize_t, write, (int descriptor, const void *bytes, size_t count))
{
    if (armed && torn) {
        torn = false;
        errno = ENOSPC;
        return -1;
    }
    if (!is_chosen())
        return __real_write(descriptor, bytes, count);
    torn = reason == TORN_WRITE;
    if (reason <= 0)
        return __real_write(descriptor, bytes, 1);
    errno = reason;
    return -1;
}

WRAP(int, openat64, (int directory, const char *path, int flags, mode_t mode))
{
    return fails() ? -1 : __real_openat64(directory, path, flags, mode);
}

WRAP(FILE *, fdopen, (int descriptor, const char *mode))
{
    return fails() ? NULL : __real_fdopen(descriptor, mode);
}

WRAP(int, fstat64, (int descriptor, struct stat *about))
{
    return fails() ? -1 : __real_fstat64(descriptor, about);
}

WRAP(int, fstatat64, (int directory, const char *path, struct stat *about, int flags))
{
    return fails() ? -1 : __real_fstatat64(directory, path, about, flags);
}

WRAP(int, stat64, (const char *path, struct stat *about))
{
    return fails() ? -1 : __real_stat64(path, about);
}

WRAP(int, mkdir, (const char *path, mode_t mode))
{
    return fails() ? -1 : __real_mkdir(path, mode);
}

WRAP(int, flock, (int descriptor, int operation))
{
    return fails() ? -1 : __real_flock(descriptor, operation);
}

WRAP(int, ftruncate64, (int descriptor, off_t length))
{
    return fails() ? -1 : __real_ftruncate64(descriptor, length);
}

WRAP(off_t, lseek64, (int descriptor, off_t offset, int whence))
{
    return fails() ? -1 : __real_lseek64(descriptor, offset, whence);
}

WRAP(int, posix_fallocate64, (int descriptor, off_t begin, off_t count))
{
    return fails() ? reason : __real_posix_fallocate64(descriptor, begin, count);
}

WRAP(int, fchmod, (int descriptor, mode_t mode))
{
    return fails() ? -1 : __real_fchmod(descriptor, mode);
}

/* Nothing reaches the disk: that takes long, and no test could tell. */

WRAP(int, fsync, (int descriptor))
{
    (void)descriptor;
    return fails() ? -1 : 0;
}

WRAP(int, fdatasync, (int descriptor))
{
    (void)descriptor;
    return fails() ? -1 : 0;
}

/* Linux closes the descriptor before it reports an error. */
WRAP(int, close, (int descriptor))
{
    const int closed = __real_close(descriptor);
    return fails() ? -1 : closed;
}

WRAP(int, renameat, (int from, const char *old, int to, const char *new))
{
    return fails() ? -1 : __real_renameat(from, old, to, new);
}

WRAP(int, unlink, (const char *path))
{
    return fails() ? -1 : __real_unlink(path);
}
