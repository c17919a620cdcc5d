/* Finds the images in a folder: walks it, sorts the names, then looks into each file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/context.h"
#include "core/digest.h"
#include "data/image_list.h"
#include "data/image_reader.h"
#include "data/image_walk.h"

/* Whether the name says that the file is an image. */
static bool is_named_so(const char *name)
{
    static const char *const endings[] = { ".jpg",  ".jpeg", ".jpe",  ".jfif", ".png", ".gif",  ".bmp",
                                           ".webp", ".tif",  ".tiff", ".ppm",  ".pgm", ".avif", ".heic" };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < THAW_COUNT(endings); i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static thaw_image_finding explain(char reason[THAW_IMAGE_REASON_BYTES])
{
    const int error = errno;
    snprintf(reason, THAW_IMAGE_REASON_BYTES, "cannot be read: %s", strerror(error));
    return error == EMFILE || error == ENFILE || error == ENOMEM ? THAW_IMAGE_SYSTEM_FAILS : THAW_IMAGE_BROKEN;
}

static thaw_image_finding judge(const char *name, const uint8_t *bytes, size_t count,
                                char reason[THAW_IMAGE_REASON_BYTES])
{
    bool readable;
    const char *kind = thaw_image_kind(bytes, count, &readable);
    if (readable)
        return THAW_IMAGE_FOUND;
    if (kind)
        snprintf(reason, THAW_IMAGE_REASON_BYTES, "is a %s image, must be JPEG or PNG", kind);
    else if (count == 0)
        snprintf(reason, THAW_IMAGE_REASON_BYTES, "is empty");
    else
        snprintf(reason, THAW_IMAGE_REASON_BYTES, "is neither JPEG nor PNG");
    return kind || is_named_so(name) ? THAW_IMAGE_BROKEN : THAW_IMAGE_NONE;
}

static uint64_t stamp_of(const struct stat *about)
{
    thaw_digest digest = { 0 };
    thaw_digest_add_number(&digest, (uint64_t)about->st_size);
    thaw_digest_add_number(&digest, (uint64_t)about->st_mtim.tv_sec);
    thaw_digest_add_number(&digest, (uint64_t)about->st_mtim.tv_nsec);
    return digest.lane[0];
}

bool thaw_image_is_as_listed(int directory, const char *name, uint64_t stamp, char reason[THAW_IMAGE_REASON_BYTES])
{
    struct stat about;
    if (fstatat(directory, name, &about, 0) != 0) {
        explain(reason);
        return false;
    }
    if (stamp_of(&about) == stamp)
        return true;
    snprintf(reason, THAW_IMAGE_REASON_BYTES, "has another size or time than the file that rank 0 has listed");
    return false;
}

thaw_image_finding thaw_image_inspect(const thaw_image_scan *scan, const char *name, uint64_t *stamp,
                                      char reason[THAW_IMAGE_REASON_BYTES])
{
    struct stat about;
    if (fstatat(scan->directory, name, &about, 0) != 0)
        return explain(reason);
    if (!S_ISREG(about.st_mode)) {
        snprintf(reason, THAW_IMAGE_REASON_BYTES, "is not a regular file");
        return is_named_so(name) ? THAW_IMAGE_BROKEN : THAW_IMAGE_NONE;
    }
    *stamp = stamp_of(&about);
    const int file = thaw_image_open(scan->directory, name);
    if (file < 0)
        return explain(reason);
    uint8_t bytes[THAW_IMAGE_MAGIC_BYTES];
    const ssize_t count = pread(file, bytes, sizeof bytes, 0);
    const thaw_image_finding found = count < 0 ? explain(reason) : judge(name, bytes, (size_t)count, reason);
    close(file);
    return found;
}

/* Inspects the files from `first` on, and keeps the images. */
static thaw_status look_into_all(thaw_image_list *list, const thaw_image_scan *scan, size_t first)
{
    thaw_context *context = list->context;
    size_t kept = first;
    for (size_t i = first; i < list->count; i++) {
        const char *name = thaw_image_list_name(list, i);
        char reason[THAW_IMAGE_REASON_BYTES];
        const thaw_image_finding found = thaw_image_inspect(scan, name, &list->images[i].stamp, reason);
        if (found == THAW_IMAGE_SYSTEM_FAILS || (found == THAW_IMAGE_BROKEN && scan->strict))
            return thaw_fail(context, found == THAW_IMAGE_BROKEN ? THAW_BAD_FORMAT : THAW_IO_ERROR, "%s/%s: %s",
                             scan->path, name, reason);
        if (found == THAW_IMAGE_BROKEN)
            thaw_log(context, THAW_LOG_WARNING, "%s/%s: %s; left out", scan->path, name, reason);
        else if (found == THAW_IMAGE_FOUND)
            list->images[kept++] = list->images[i];
    }
    list->count = kept;
    return THAW_OK;
}

thaw_status thaw_image_list_scan(thaw_image_list *list, const thaw_image_scan *scan, const char *name, int32_t label)
{
    const size_t first = list->count;
    const thaw_status status = thaw_image_list_walk(list, scan, name, label);
    if (status != THAW_OK)
        return status;
    thaw_image_list_sort(list, first);
    return look_into_all(list, scan, first);
}
