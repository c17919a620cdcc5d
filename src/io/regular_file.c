#include "io/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/open.h"

static thaw_status examine(thaw_context *context, const char *path, int descriptor, uint64_t *bytes)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot examine: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return thaw_fail(context, THAW_IO_ERROR, "%s: is not a regular file", path);
    if (bytes)
        *bytes = (uint64_t)about.st_size;
    return THAW_OK;
}

thaw_status thaw_regular_file_open(thaw_context *context, const char *path, int *descriptor, uint64_t *bytes)
{
    *descriptor = thaw_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (*descriptor < 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot open: %s", path, strerror(errno));
    const thaw_status status = examine(context, path, *descriptor, bytes);
    if (status != THAW_OK) {
        close(*descriptor);
        *descriptor = -1;
    }
    return status;
}

thaw_status thaw_regular_file_stream(thaw_context *context, const char *path, FILE **stream)
{
    int descriptor;
    *stream = NULL;
    const thaw_status status = thaw_regular_file_open(context, path, &descriptor, NULL);
    if (status != THAW_OK)
        return status;
    *stream = fdopen(descriptor, "r");
    if (*stream)
        return THAW_OK;
    close(descriptor);
    return thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: out of memory to read it", path);
}
