#include "core/open.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static void close_keeping_errno(int descriptor)
{
    const int reason = errno;
    close(descriptor);
    errno = reason;
}

int thaw_duplicate(int descriptor)
{
    return fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

int thaw_open(int directory, const char *path, int flags, mode_t permissions)
{
    int opened;
    do
        opened = openat(directory, path, flags | O_CLOEXEC, permissions);
    while (opened < 0 && errno == EINTR);
    if (opened < 0 || opened > STDERR_FILENO)
        return opened;
    const int moved = thaw_duplicate(opened);
    close_keeping_errno(opened);
    return moved;
}

FILE *thaw_open_stream(const char *path)
{
    const int descriptor = thaw_open(AT_FDCWD, path, O_RDONLY, 0);
    FILE *stream = descriptor < 0 ? NULL : fdopen(descriptor, "r");
    if (!stream && descriptor >= 0)
        close_keeping_errno(descriptor);
    return stream;
}

int thaw_write_all(int descriptor, const void *bytes, size_t count)
{
    for (const char *next = bytes; count > 0;) {
        const ssize_t written = write(descriptor, next, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return errno;
        next += written;
        count -= (size_t)written;
    }
    return 0;
}

int thaw_reserve(int descriptor, off_t bytes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && (rlim_t)bytes > limit.rlim_cur)
        return EFBIG;
    int reason;
    do
        reason = posix_fallocate(descriptor, 0, bytes);
    while (reason == EINTR);
    return reason;
}
