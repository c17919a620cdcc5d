#include "support/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    bool armed;
    int calls, fail_at; /* counted from 1 */
    int reason;
} faults;

void support_faults_arm(int fail_at, int reason)
{
    faults.armed = true;
    faults.calls = 0;
    faults.fail_at = fail_at;
    faults.reason = reason;
}

bool support_faults_disarm(void)
{
    faults.armed = false;
    return faults.calls >= faults.fail_at;
}

static bool fails(void)
{
    if (!faults.armed || ++faults.calls != faults.fail_at)
        return false;
    if (faults.reason == SUPPORT_DEATH)
        raise(SIGKILL);
    return true;
}

static int refuse(void)
{
    errno = faults.reason;
    return -1;
}

#define WRAP(result, name, parameters)      \
    extern result __real_##name parameters; \
    extern result __wrap_##name parameters; \
    result __wrap_##name parameters

WRAP(ssize_t, write, (int descriptor, const void *bytes, size_t count))
{
    if (!fails())
        return __real_write(descriptor, bytes, count);
    return faults.reason ? refuse() : __real_write(descriptor, bytes, 1);
}

WRAP(ssize_t, pread64, (int descriptor, void *bytes, size_t count, off_t position))
{
    if (!fails())
        return __real_pread64(descriptor, bytes, count, position);
    return faults.reason ? refuse() : __real_pread64(descriptor, bytes, 1, position);
}

WRAP(int, open64, (const char *path, int flags, mode_t mode))
{
    return fails() && faults.reason ? refuse() : __real_open64(path, flags, mode);
}

static mode_t created;

WRAP(int, openat64, (int directory, const char *path, int flags, mode_t mode))
{
    created = flags & O_CREAT ? mode : created;
    return fails() && faults.reason ? refuse() : __real_openat64(directory, path, flags, mode);
}

WRAP(int, posix_fallocate64, (int descriptor, off_t begin, off_t count))
{
    return fails() && faults.reason ? faults.reason : __real_posix_fallocate64(descriptor, begin, count);
}

WRAP(int, fchmod, (int descriptor, mode_t mode))
{
    return fails() && faults.reason ? refuse() : __real_fchmod(descriptor, mode);
}

WRAP(int, fsync, (int descriptor))
{
    return fails() && faults.reason ? refuse() : __real_fsync(descriptor);
}

WRAP(int, close, (int descriptor))
{
    const int closed = __real_close(descriptor);
    return fails() && faults.reason ? refuse() : closed;
}

WRAP(int, renameat, (int from, const char *old, int to, const char *new))
{
    return fails() && faults.reason ? refuse() : __real_renameat(from, old, to, new);
}

mode_t support_faults_created(void)
{
    return created;
}
