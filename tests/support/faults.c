#include "support/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>

static struct {
    bool armed, lasting;
    bool torn; /* the last write was cut short, and the next one finds the disk full */
    int calls, fail_at, reason;
    mode_t created;
} faults;

static void arm(int fail_at, int reason, bool lasting)
{
    faults.armed = true;
    faults.torn = false;
    faults.lasting = lasting;
    faults.calls = 0;
    faults.fail_at = fail_at;
    faults.reason = reason;
}

void support_faults_arm(int fail_at, int reason)
{
    arm(fail_at, reason, false);
}

void support_faults_arm_from(int first, int reason)
{
    arm(first, reason, true);
}

bool support_faults_disarm(void)
{
    faults.armed = false;
    return faults.calls >= faults.fail_at;
}

mode_t support_faults_created(void)
{
    return faults.created;
}

static bool fails(void)
{
    if (!faults.armed)
        return false;
    faults.calls++;
    if (faults.lasting ? faults.calls < faults.fail_at : faults.calls != faults.fail_at)
        return false;
    if (faults.reason == SUPPORT_DEATH)
        raise(SIGKILL);
    return true;
}

bool support_faults_refuse(void)
{
    if (!fails() || faults.reason == SUPPORT_SHORT || faults.reason == SUPPORT_TORN)
        return false;
    errno = faults.reason;
    return true;
}

/* How many of so many bytes a call may move; -1: it fails. */
static ssize_t allowed(size_t count)
{
    if (!fails())
        return (ssize_t)count;
    errno = faults.reason;
    return faults.reason == SUPPORT_SHORT || faults.reason == SUPPORT_TORN ? count > 0 : -1;
}

typedef ssize_t move_pieces(int descriptor, const struct iovec *pieces, int count, off_t place);

static ssize_t move(move_pieces *real, int descriptor, const struct iovec *pieces, int count, off_t place)
{
    const struct iovec first = { pieces[0].iov_base, 1 };
    const ssize_t most = allowed(2);
    return most < 0 ? -1 : most == 1 ? real(descriptor, &first, 1, place) : real(descriptor, pieces, count, place);
}

WRAP(ssize_t, write, (int descriptor, const void *bytes, size_t count))
{
    if (faults.armed && faults.torn) {
        faults.torn = false;
        errno = ENOSPC;
        return -1;
    }
    const ssize_t most = allowed(count);
    faults.torn = most == 1 && count > 1 && faults.reason == SUPPORT_TORN;
    return most < 0 ? -1 : __real_write(descriptor, bytes, (size_t)most);
}

WRAP(ssize_t, pread64, (int descriptor, void *bytes, size_t count, off_t place))
{
    const ssize_t most = allowed(count);
    return most < 0 ? -1 : __real_pread64(descriptor, bytes, (size_t)most, place);
}

WRAP(ssize_t, pwritev64, (int descriptor, const struct iovec *pieces, int count, off_t place))
{
    return move(__real_pwritev64, descriptor, pieces, count, place);
}

WRAP(ssize_t, preadv64, (int descriptor, const struct iovec *pieces, int count, off_t place))
{
    return move(__real_preadv64, descriptor, pieces, count, place);
}

extern ssize_t __real_preadv64v2(int descriptor, const struct iovec *pieces, int count, off_t place, int flags);

static ssize_t read_at_once(int descriptor, const struct iovec *pieces, int count, off_t place)
{
    return __real_preadv64v2(descriptor, pieces, count, place, RWF_NOWAIT);
}

/* The library's only flag is RWF_NOWAIT. */
extern ssize_t __wrap_preadv64v2(int descriptor, const struct iovec *pieces, int count, off_t place, int flags);
ssize_t __wrap_preadv64v2(int descriptor, const struct iovec *pieces, int count, off_t place, int flags)
{
    return flags == RWF_NOWAIT ? move(read_at_once, descriptor, pieces, count, place)
                               : __real_preadv64v2(descriptor, pieces, count, place, flags);
}

WRAP(int, openat64, (int directory, const char *path, int flags, mode_t mode))
{
    faults.created = flags & O_CREAT ? mode : faults.created;
    return support_faults_refuse() ? -1 : __real_openat64(directory, path, flags, mode);
}

WRAP(int, fstat64, (int descriptor, struct stat *about))
{
    return support_faults_refuse() ? -1 : __real_fstat64(descriptor, about);
}

WRAP(int, flock, (int descriptor, int operation))
{
    return support_faults_refuse() ? -1 : __real_flock(descriptor, operation);
}

WRAP(int, ftruncate64, (int descriptor, off_t length))
{
    return support_faults_refuse() ? -1 : __real_ftruncate64(descriptor, length);
}

WRAP(int, posix_fallocate64, (int descriptor, off_t begin, off_t count))
{
    return support_faults_refuse() ? errno : __real_posix_fallocate64(descriptor, begin, count);
}

WRAP(int, fchmod, (int descriptor, mode_t mode))
{
    return support_faults_refuse() ? -1 : __real_fchmod(descriptor, mode);
}

/* Nothing reaches the disk: that takes long, and no test could tell. */

WRAP(int, fsync, (int descriptor))
{
    (void)descriptor;
    return support_faults_refuse() ? -1 : 0;
}

/* Linux closes the descriptor before it reports an error. */
WRAP(int, close, (int descriptor))
{
    const int closed = __real_close(descriptor);
    return support_faults_refuse() ? -1 : closed;
}

WRAP(int, renameat, (int from, const char *old, int to, const char *new))
{
    return support_faults_refuse() ? -1 : __real_renameat(from, old, to, new);
}
