#include "io/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/allocation.h"

/* The number of temporary names to try. A killed process may have left files behind, and another thread may be
   writing here. */
enum { NAME_ATTEMPTS = 100 };

static thaw_status fail(const thaw_new_file *file, const char *what, int reason)
{
    return thaw_fail(file->context, THAW_IO_ERROR, "%s: %s: %s", file->path, what, strerror(reason));
}

/* Splits `target`, opens its directory, and keeps the last part. The directory is needed at the end, so opening it
   first finds errors before anything is written. */
static thaw_status open_directory(thaw_new_file *file, char *target)
{
    char *slash = strrchr(target, '/');
    file->base = thaw_copy_text(file->context, slash ? slash + 1 : target);
    if (!file->base)
        return THAW_OUT_OF_MEMORY;
    if (!file->base[0])
        return thaw_fail(file->context, THAW_IO_ERROR, "\"%s\": is not the name of a file", file->path);
    if (slash)
        slash[slash == target] = '\0'; /* "/name" is in "/" */
    file->directory = open(slash ? target : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return file->directory < 0 ? fail(file, "cannot open its directory", errno) : THAW_OK;
}

static thaw_status find_place(thaw_new_file *file)
{
    char *resolved = realpath(file->path, NULL);
    if (!resolved && errno != ENOENT)
        return fail(file, "cannot resolve its path", errno);
    char *target = thaw_copy_text(file->context, resolved ? resolved : file->path);
    free(resolved);
    const thaw_status status = target ? open_directory(file, target) : THAW_OUT_OF_MEMORY;
    thaw_release(file->context, target);
    return status;
}

/* Renaming would replace a read-only file, a device or a FIFO. */
static thaw_status check_old(const thaw_new_file *file, bool *exists, mode_t *permissions)
{
    struct stat old;
    *exists = fstatat(file->directory, file->base, &old, 0) == 0;
    if (!*exists)
        return errno == ENOENT ? THAW_OK : fail(file, "cannot examine", errno);
    *permissions = old.st_mode & 0777;
    if (!S_ISREG(old.st_mode))
        return thaw_fail(file->context, THAW_IO_ERROR, "%s: exists and is not a regular file", file->path);
    if (faccessat(file->directory, file->base, W_OK, AT_EACCESS) != 0)
        return fail(file, "exists and cannot be written", errno);
    return THAW_OK;
}

static thaw_status open_temporary(thaw_new_file *file)
{
    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        snprintf(file->temporary, sizeof file->temporary, ".thaw-%ld-%d.tmp", (long)getpid(), attempt);
        file->descriptor =
            openat(file->directory, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (file->descriptor >= 0)
            return THAW_OK;
        if (errno != EEXIST)
            break;
    }
    const int reason = errno;
    file->temporary[0] = '\0';
    return fail(file, "cannot make a temporary file beside it", reason);
}

static thaw_status reserve(const thaw_new_file *file, uint64_t bytes)
{
    int reason;
    do
        reason = posix_fallocate(file->descriptor, 0, (off_t)bytes);
    while (reason == EINTR);
    /* Not every file system can reserve space; then writing will show a full disk. */
    if (reason == 0 || reason == EINVAL || reason == EOPNOTSUPP || reason == ENOSYS)
        return THAW_OK;
    return fail(file, "cannot reserve its space", reason);
}

static thaw_status create(thaw_new_file *file, uint64_t bytes)
{
    bool exists = false;
    mode_t permissions = 0;
    thaw_status status = find_place(file);
    if (status == THAW_OK)
        status = check_old(file, &exists, &permissions);
    if (status == THAW_OK)
        status = open_temporary(file);
    if (status != THAW_OK)
        return status;
    if (exists && fchmod(file->descriptor, permissions) != 0)
        return fail(file, "cannot keep its permissions", errno);
    return reserve(file, bytes);
}

thaw_status thaw_new_file_create(thaw_context *context, const char *path, uint64_t bytes, thaw_new_file *file)
{
    *file = (thaw_new_file){ .context = context, .path = path, .directory = -1, .descriptor = -1 };
    const thaw_status status = create(file, bytes);
    if (status != THAW_OK)
        thaw_new_file_discard(file);
    return status;
}

thaw_status thaw_new_file_write(thaw_new_file *file, const void *data, size_t bytes)
{
    const char *next = data;
    while (bytes > 0) {
        const ssize_t written = write(file->descriptor, next, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail(file, "cannot write", errno);
        next += written;
        bytes -= (size_t)written;
    }
    return THAW_OK;
}

/* After a failed fsync the kernel may drop the pages that it could not write, so a second fsync would wrongly
   succeed: the file is abandoned. */
static thaw_status finish(thaw_new_file *file)
{
    if (fsync(file->descriptor) != 0)
        return fail(file, "cannot sync", errno);
    const int closed = close(file->descriptor);
    const int reason = errno;
    file->descriptor = -1;
    if (closed != 0 && reason != EINTR)
        return fail(file, "cannot close", reason);
    if (renameat(file->directory, file->temporary, file->directory, file->base) != 0)
        return fail(file, "cannot put the new file in place", errno);
    file->temporary[0] = '\0';
    /* Some file systems cannot sync directories. */
    if (fsync(file->directory) != 0 && errno != EINVAL && errno != ENOTSUP)
        return fail(file, "holds the new content, but its directory cannot be synced", errno);
    return THAW_OK;
}

thaw_status thaw_new_file_commit(thaw_new_file *file)
{
    const thaw_status status = finish(file);
    thaw_new_file_discard(file);
    return status;
}

void thaw_new_file_discard(thaw_new_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    if (file->temporary[0])
        unlinkat(file->directory, file->temporary, 0);
    if (file->directory >= 0)
        close(file->directory);
    thaw_release(file->context, file->base);
    *file = (thaw_new_file){ .directory = -1, .descriptor = -1 };
}
