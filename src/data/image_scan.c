/* Finds the images in a folder: walks it, sorts the names, then looks into each file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/context.h"
#include "core/digest.h"
#include "core/open.h"
#include "data/image_list.h"
#include "data/image_reader.h"

enum { MOST_DEPTH = 64, REASON_BYTES = 160 };

/* A folder on the current path. */
typedef struct level {
    const struct level *above;
    dev_t device;
    ino_t inode;
    size_t depth;
} level;

typedef struct walk {
    const thaw_image_scan *scan;
    thaw_image_list *list;
    int32_t label;
    char path[PATH_MAX]; /* the current path, relative to the scan's directory */
} walk;

/* ---------------------------------------------------------------- walking */

static thaw_status walk_folder(walk *now, size_t length, const level *above);

static bool is_above(const level *from, const struct stat *folder)
{
    for (; from; from = from->above)
        if (from->device == folder->st_dev && from->inode == folder->st_ino)
            return true;
    return false;
}

/* Appends a name to the path; false if it becomes too long. */
static bool descend(walk *now, size_t length, const char *name)
{
    const size_t bytes = strlen(name) + 1;
    if (length + 1 + bytes > sizeof now->path)
        return false;
    now->path[length] = '/';
    memcpy(now->path + length + 1, name, bytes);
    return true;
}

static thaw_status visit(walk *now, size_t length, const struct dirent *entry, const level *above)
{
    const thaw_image_scan *scan = now->scan;
    if (entry->d_name[0] == '.')
        return THAW_OK;
    if (!descend(now, length, entry->d_name))
        return thaw_fail(now->list->context, THAW_IO_ERROR, "%s/%.200s..: contains a path that is too long", scan->path,
                         now->path);
    struct stat about;
    const bool follows = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
    const bool is_folder = entry->d_type == DT_DIR ||
                           (follows && fstatat(scan->directory, now->path, &about, 0) == 0 && S_ISDIR(about.st_mode));
    return is_folder ? walk_folder(now, length + 1 + strlen(entry->d_name), above)
                     : thaw_image_list_add(now->list, now->path, 0, now->label);
}

static thaw_status read_folder(walk *now, DIR *folder, size_t length, const level *above)
{
    thaw_status status = THAW_OK;
    while (status == THAW_OK) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry)
            status = visit(now, length, entry, above);
        now->path[length] = '\0';
        if (!entry && errno)
            return thaw_fail(now->list->context, THAW_IO_ERROR, "%s/%s: cannot be read: %s", now->scan->path, now->path,
                             strerror(errno));
        if (!entry)
            break;
    }
    return status;
}

static thaw_status walk_folder(walk *now, size_t length, const level *above)
{
    thaw_context *context = now->list->context;
    const char *root = now->scan->path;
    struct stat about;
    const int file = thaw_open(now->scan->directory, now->path, O_RDONLY | O_DIRECTORY, 0);
    DIR *folder = file >= 0 && fstat(file, &about) == 0 ? fdopendir(file) : NULL;
    if (!folder) {
        const int error = errno;
        if (file >= 0)
            close(file);
        return thaw_fail(context, THAW_IO_ERROR, "%s/%s: cannot be read: %s", root, now->path, strerror(error));
    }
    const level here = { above, about.st_dev, about.st_ino, above ? above->depth + 1 : 1 };
    thaw_status status = THAW_OK;
    if (is_above(above, &about))
        thaw_log(context, THAW_LOG_WARNING, "%s/%s: links to a folder above it; not followed", root, now->path);
    else if (here.depth > MOST_DEPTH)
        status = thaw_fail(context, THAW_IO_ERROR, "%s/%.200s: more than %d folders deep", root, now->path, MOST_DEPTH);
    else
        status = read_folder(now, folder, length, &here);
    closedir(folder);
    return status;
}

/* ---------------------------------------------------------------- looking */

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

typedef enum finding { IMAGE, NO_IMAGE, BROKEN, SYSTEM_FAILS } finding;

static finding explain(char reason[REASON_BYTES])
{
    const int error = errno;
    snprintf(reason, REASON_BYTES, "cannot be read: %s", strerror(error));
    return error == EMFILE || error == ENFILE || error == ENOMEM ? SYSTEM_FAILS : BROKEN;
}

static finding judge(const char *name, const uint8_t *bytes, size_t count, char reason[REASON_BYTES])
{
    bool readable;
    const char *kind = thaw_image_kind(bytes, count, &readable);
    if (readable)
        return IMAGE;
    if (kind)
        snprintf(reason, REASON_BYTES, "is a %s image, must be JPEG or PNG", kind);
    else if (count == 0)
        snprintf(reason, REASON_BYTES, "is empty");
    else
        snprintf(reason, REASON_BYTES, "is neither JPEG nor PNG");
    return kind || is_named_so(name) ? BROKEN : NO_IMAGE;
}

static uint64_t stamp_of(const struct stat *about)
{
    thaw_digest digest = { 0 };
    thaw_digest_add_number(&digest, (uint64_t)about->st_size);
    thaw_digest_add_number(&digest, (uint64_t)about->st_mtim.tv_sec);
    thaw_digest_add_number(&digest, (uint64_t)about->st_mtim.tv_nsec);
    return digest.lane[0];
}

static finding look(const thaw_image_scan *scan, const char *name, uint64_t *stamp, char reason[REASON_BYTES])
{
    struct stat about;
    if (fstatat(scan->directory, name, &about, 0) != 0)
        return explain(reason);
    if (!S_ISREG(about.st_mode)) {
        snprintf(reason, REASON_BYTES, "is not a regular file");
        return is_named_so(name) ? BROKEN : NO_IMAGE;
    }
    *stamp = stamp_of(&about);
    const int file = thaw_image_open(scan->directory, name);
    if (file < 0)
        return explain(reason);
    uint8_t bytes[THAW_IMAGE_MAGIC_BYTES];
    const ssize_t count = pread(file, bytes, sizeof bytes, 0);
    const finding found = count < 0 ? explain(reason) : judge(name, bytes, (size_t)count, reason);
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
        char reason[REASON_BYTES];
        const finding found = look(scan, name, &list->images[i].stamp, reason);
        if (found == SYSTEM_FAILS || (found == BROKEN && scan->strict))
            return thaw_fail(context, found == BROKEN ? THAW_BAD_FORMAT : THAW_IO_ERROR, "%s/%s: %s", scan->path, name,
                             reason);
        if (found == BROKEN)
            thaw_log(context, THAW_LOG_WARNING, "%s/%s: %s; left out", scan->path, name, reason);
        else if (found == IMAGE)
            list->images[kept++] = list->images[i];
    }
    list->count = kept;
    return THAW_OK;
}

thaw_status thaw_image_list_scan(thaw_image_list *list, const thaw_image_scan *scan, const char *name, int32_t label)
{
    walk now = { .scan = scan, .list = list, .label = label };
    const size_t first = list->count, length = strlen(name);
    if (length >= sizeof now.path)
        return thaw_fail(list->context, THAW_IO_ERROR, "%s/%.200s..: the path is too long", scan->path, name);
    memcpy(now.path, name, length + 1);
    const thaw_status status = walk_folder(&now, length, NULL);
    if (status != THAW_OK)
        return status;
    thaw_image_list_sort(list, first);
    return look_into_all(list, scan, first);
}
