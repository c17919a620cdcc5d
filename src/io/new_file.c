#include "io/new_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/open.h"
#include "core/text.h"

enum {
    NAME_ATTEMPTS = 100, /* temporary names to try: other threads and processes may write here */
    MOST_LINKS = 40      /* the kernel's own limit */
};

static thaw_status fail(const thaw_new_file *file, const char *what, int reason)
{
    return thaw_fail(file->context, reason == ENOMEM ? THAW_OUT_OF_MEMORY : THAW_IO_ERROR, "%s: %s: %s", file->path,
                     what, strerror(reason));
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
    file->directory = thaw_open(AT_FDCWD, slash ? target : ".", O_RDONLY | O_DIRECTORY, 0);
    return file->directory < 0 ? fail(file, "cannot open its directory", errno) : THAW_OK;
}

/* Where a link leads: its text, from the link's own directory unless it is absolute. NULL: out of memory. */
static char *follow(thaw_context *context, const char *link, const char *text)
{
    const char *slash = strrchr(link, '/');
    const int directory = slash && text[0] != '/' ? (int)(slash + 1 - link) : 0;
    thaw_text target = { .context = context };
    char *finished = NULL;
    thaw_text_append(&target, "%.*s%s", directory, link, text);
    return thaw_text_finish(&target, &finished) == THAW_OK ? finished : NULL;
}

/* The path behind links that lead to nothing yet, which realpath cannot resolve. The caller releases *target. */
static thaw_status follow_dangling(const thaw_new_file *file, char **target)
{
    *target = thaw_copy_text(file->context, file->path);
    for (int links = 0; *target; links++) {
        char text[PATH_MAX];
        const ssize_t length = readlink(*target, text, sizeof text - 1);
        if (length < 0)
            return THAW_OK; /* no link: the place itself */
        if (links == MOST_LINKS)
            return fail(file, "cannot resolve its path", ELOOP);
        text[length] = '\0';
        char *next = follow(file->context, *target, text);
        thaw_release(file->context, *target);
        *target = next;
    }
    return THAW_OUT_OF_MEMORY;
}

static thaw_status find_place(thaw_new_file *file)
{
    char *resolved = realpath(file->path, NULL), *target = NULL;
    if (!resolved && errno != ENOENT)
        return fail(file, "cannot resolve its path", errno);
    thaw_status status = THAW_OK;
    if (resolved) {
        target = thaw_copy_text(file->context, resolved);
        status = target ? THAW_OK : THAW_OUT_OF_MEMORY;
    } else {
        status = follow_dangling(file, &target);
    }
    free(resolved);
    if (status == THAW_OK)
        status = open_directory(file, target);
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

/* Locks the temporary file for as long as it is open: a file without a lock is a leftover. Returns false if another
   process has removed it as one in the meantime. Where a file system has no locks, leftovers stay. */
static bool claim(int descriptor)
{
    struct stat about;
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return errno != EWOULDBLOCK;
    return fstat(descriptor, &about) != 0 || about.st_nlink > 0;
}

/* The permissions are the old file's from the start: nobody may read the copy who may not read the original. */
static thaw_status open_temporary(thaw_new_file *file, mode_t permissions)
{
    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        snprintf(file->temporary, sizeof file->temporary, ".thaw-%ld-%d.tmp", (long)getpid(), attempt);
        file->descriptor =
            thaw_open(file->directory, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, permissions);
        if (file->descriptor < 0 && errno != EEXIST)
            break;
        if (file->descriptor >= 0 && claim(file->descriptor))
            return THAW_OK;
        if (file->descriptor >= 0)
            close(file->descriptor);
        file->descriptor = -1;
        errno = EEXIST;
    }
    const int reason = errno;
    file->temporary[0] = '\0';
    return fail(file, "cannot make a temporary file beside it", reason);
}

/* Whether a name is one that open_temporary makes. */
static bool is_temporary(const char *name)
{
    int end = 0;
    return sscanf(name, ".thaw-%*[0-9]-%*[0-9].tmp%n", &end) == 0 && end > 0 && !name[end];
}

/* Removes a temporary file that nobody has locked. The name may belong to another file by now, since its writer could
   put the one that was opened in place. While this one is locked, its name stays its own. */
static void remove_leftover(const thaw_new_file *file, const char *name)
{
    struct stat opened, named;
    const int left = thaw_open(file->directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (left < 0)
        return;
    if (flock(left, LOCK_EX | LOCK_NB) == 0 && fstat(left, &opened) == 0 && S_ISREG(opened.st_mode) &&
        fstatat(file->directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_dev == opened.st_dev &&
        named.st_ino == opened.st_ino)
        unlinkat(file->directory, name, 0);
    close(left);
}

/* Removes the temporary files of killed processes. */
static void remove_leftovers(const thaw_new_file *file)
{
    const int listed = thaw_open(file->directory, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *entries = listed < 0 ? NULL : fdopendir(listed);
    if (!entries) {
        if (listed >= 0)
            close(listed);
        return; /* the next save removes them */
    }
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (is_temporary(entry->d_name))
            remove_leftover(file, entry->d_name);
    closedir(entries);
}

static thaw_status reserve(const thaw_new_file *file, uint64_t bytes)
{
    const int reason = thaw_reserve(file->descriptor, (off_t)bytes);
    /* Not every file system can reserve space; then writing will show a full disk. */
    if (reason == 0 || reason == EINVAL || reason == EOPNOTSUPP || reason == ENOSYS)
        return THAW_OK;
    return fail(file, "cannot reserve its space", reason);
}

static thaw_status create(thaw_new_file *file, uint64_t bytes)
{
    bool exists = false;
    mode_t permissions = 0666;
    thaw_status status = find_place(file);
    if (status == THAW_OK)
        status = check_old(file, &exists, &permissions);
    if (status == THAW_OK) {
        remove_leftovers(file);
        status = open_temporary(file, permissions);
    }
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
    const int error = thaw_write_all(file->descriptor, data, bytes);
    return error ? fail(file, "cannot write", error) : THAW_OK;
}

/* After a failed fsync the kernel may drop the pages that it could not write, so a second fsync would wrongly
   succeed: the file is abandoned. */
static thaw_status close_synced(thaw_new_file *file)
{
    if (fsync(file->descriptor) != 0)
        return fail(file, "cannot sync", errno);
    const int closed = close(file->descriptor);
    const int reason = errno;
    file->descriptor = -1;
    return closed != 0 && reason != EINTR ? fail(file, "cannot close", reason) : THAW_OK;
}

static thaw_status put_in_place(thaw_new_file *file)
{
    if (renameat(file->directory, file->temporary, file->directory, file->base) != 0)
        return fail(file, "cannot put the new file in place", errno);
    file->temporary[0] = '\0';
    /* Some file systems cannot sync directories. */
    if (fsync(file->directory) != 0 && errno != EINVAL && errno != ENOTSUP)
        return fail(file, "holds the new content, but its directory cannot be synced", errno);
    return THAW_OK;
}

/* While the file is locked: without the lock, its name may soon be another writer's. */
static void remove_temporary(thaw_new_file *file)
{
    if (file->temporary[0])
        unlinkat(file->directory, file->temporary, 0);
    file->temporary[0] = '\0';
}

/* The lock lasts until the file has its name or is removed: another descriptor keeps it. */
static thaw_status finish(thaw_new_file *file)
{
    const int lock = thaw_duplicate(file->descriptor);
    if (lock < 0)
        return fail(file, "cannot keep its lock", errno);
    thaw_status status = close_synced(file);
    if (status == THAW_OK)
        status = put_in_place(file);
    remove_temporary(file);
    close(lock);
    return status;
}

thaw_status thaw_new_file_commit(thaw_new_file *file)
{
    const thaw_status status = finish(file);
    thaw_new_file_discard(file);
    return status;
}

void thaw_new_file_discard(thaw_new_file *file)
{
    remove_temporary(file);
    if (file->descriptor >= 0)
        close(file->descriptor);
    if (file->directory >= 0)
        close(file->directory);
    thaw_release(file->context, file->base);
    *file = (thaw_new_file){ .directory = -1, .descriptor = -1 };
}
