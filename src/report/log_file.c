#include "report/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/open.h"
#include "core/text.h"

static thaw_status fail(const thaw_log_file *file, const char *what, int error)
{
    return thaw_fail(file->context, THAW_IO_ERROR, "%s: cannot %s: %s", file->path, what, strerror(error));
}

static thaw_status open_file(thaw_log_file *file)
{
    struct stat about;
    file->descriptor = thaw_open(AT_FDCWD, file->path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (file->descriptor < 0)
        return fail(file, "open", errno);
    if (fstat(file->descriptor, &about) != 0)
        return fail(file, "examine", errno);
    if (!S_ISREG(about.st_mode))
        return thaw_fail(file->context, THAW_IO_ERROR, "%s: is not a regular file", file->path);
    return THAW_OK;
}

thaw_status thaw_log_file_open(thaw_context *context, const char *folder, const char *name, thaw_log_file *file)
{
    *file = (thaw_log_file){ .context = context, .descriptor = -1 };
    thaw_text path = { .context = context };
    thaw_text_append(&path, "%s/%s", folder, name);
    thaw_status status = thaw_text_finish(&path, &file->path);
    if (status == THAW_OK)
        status = open_file(file);
    if (status != THAW_OK)
        thaw_log_file_close(file);
    return status;
}

thaw_status thaw_log_file_read(const thaw_log_file *file, unsigned char **content, size_t *bytes)
{
    struct stat about;
    *content = NULL;
    if (fstat(file->descriptor, &about) != 0)
        return fail(file, "examine", errno);
    const size_t size = (size_t)about.st_size;
    unsigned char *read_bytes = thaw_allocate_raw(file->context, size + 1);
    if (!read_bytes)
        return THAW_OUT_OF_MEMORY;
    size_t done = 0;
    while (done < size) {
        const ssize_t some = pread(file->descriptor, read_bytes + done, size - done, (off_t)done);
        if (some < 0 && errno == EINTR)
            continue;
        if (some < 0) {
            const thaw_status status = fail(file, "read", errno);
            thaw_release(file->context, read_bytes);
            return status;
        }
        if (some == 0)
            break;
        done += (size_t)some;
    }
    read_bytes[done] = '\0';
    *content = read_bytes;
    *bytes = done;
    return THAW_OK;
}

thaw_status thaw_log_file_cut(const thaw_log_file *file, size_t bytes)
{
    int result;
    do
        result = ftruncate(file->descriptor, (off_t)bytes);
    while (result != 0 && errno == EINTR);
    return result == 0 ? THAW_OK : fail(file, "cut", errno);
}

thaw_status thaw_log_file_append(const thaw_log_file *file, const void *content, size_t bytes)
{
    const int error = thaw_write_all(file->descriptor, content, bytes);
    return error ? fail(file, "write", error) : THAW_OK;
}

void thaw_log_file_close(thaw_log_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    thaw_text_destroy(file->context, file->path);
    *file = (thaw_log_file){ .context = file->context, .descriptor = -1 };
}
