#include "data/image_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/context.h"
#include "core/open.h"
#include "data/folder_set.h"

enum { MOST_DEPTH = 64 };

typedef struct walk {
    const thaw_image_scan *scan;
    thaw_image_list *list;
    int32_t label;
    thaw_folder_set read;  /* folders */
    thaw_image_list links; /* to folders, found and not yet followed from `next_link` on */
    size_t next_link;
    size_t depth;
    char path[PATH_MAX]; /* the current path, relative to the scan's directory */
} walk;

static thaw_status walk_folder(walk *now, size_t length);

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

/* Whether the current path is a folder, and whether through a link. */
static bool is_folder(const walk *now, unsigned char type, bool *linked)
{
    struct stat about;
    const int directory = now->scan->directory;
    if (type == DT_UNKNOWN && fstatat(directory, now->path, &about, AT_SYMLINK_NOFOLLOW) == 0)
        type = S_ISLNK(about.st_mode) ? DT_LNK : S_ISDIR(about.st_mode) ? DT_DIR : DT_REG;
    *linked = type == DT_LNK;
    return type == DT_DIR || (*linked && fstatat(directory, now->path, &about, 0) == 0 && S_ISDIR(about.st_mode));
}

static thaw_status visit(walk *now, size_t length, const struct dirent *entry)
{
    if (entry->d_name[0] == '.')
        return THAW_OK;
    if (!descend(now, length, entry->d_name))
        return thaw_fail(now->list->context, THAW_IO_ERROR, "%s/%.200s..: contains a path that is too long",
                         now->scan->path, now->path);
    bool linked;
    if (!is_folder(now, entry->d_type, &linked))
        return thaw_image_list_add(now->list, now->path, 0, now->label);
    return linked ? thaw_image_list_add(&now->links, now->path, 0, 0)
                  : walk_folder(now, length + 1 + strlen(entry->d_name));
}

static thaw_status read_folder(walk *now, DIR *folder, size_t length)
{
    thaw_status status = THAW_OK;
    while (status == THAW_OK) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry)
            status = visit(now, length, entry);
        now->path[length] = '\0';
        if (!entry && errno)
            return thaw_fail(now->list->context, THAW_IO_ERROR, "%s/%s: cannot be read: %s", now->scan->path, now->path,
                             strerror(errno));
        if (!entry)
            break;
    }
    return status;
}

/* Reads an open folder, unless that was done through another path. */
static thaw_status enter(walk *now, DIR *folder, const struct stat *about, size_t length)
{
    thaw_context *context = now->list->context;
    bool added;
    thaw_status status = thaw_folder_set_add(&now->read, about, &added);
    if (status != THAW_OK)
        return status;
    if (!added) {
        thaw_log(context, THAW_LOG_WARNING, "%s/%s: links to a folder that was read through another path; not followed",
                 now->scan->path, now->path);
        return THAW_OK;
    }
    if (now->depth == MOST_DEPTH)
        return thaw_fail(context, THAW_IO_ERROR, "%s/%.200s: more than %d folders deep", now->scan->path, now->path,
                         MOST_DEPTH);
    now->depth++;
    status = read_folder(now, folder, length);
    now->depth--;
    return status;
}

static thaw_status walk_folder(walk *now, size_t length)
{
    struct stat about;
    const int file = thaw_open(now->scan->directory, now->path, O_RDONLY | O_DIRECTORY, 0);
    DIR *folder = file >= 0 && fstat(file, &about) == 0 ? fdopendir(file) : NULL;
    if (!folder) {
        const int error = errno;
        if (file >= 0)
            close(file);
        return thaw_fail(now->list->context, THAW_IO_ERROR, "%s/%s: cannot be read: %s", now->scan->path, now->path,
                         strerror(error));
    }
    const thaw_status status = enter(now, folder, &about, length);
    closedir(folder);
    return status;
}

/* Links lead to others: round by round. */
static thaw_status follow_links(walk *now)
{
    thaw_status status = THAW_OK;
    while (status == THAW_OK && now->next_link < now->links.count) {
        const size_t past = now->links.count;
        thaw_image_list_sort(&now->links, now->next_link);
        while (status == THAW_OK && now->next_link < past) {
            const char *link = thaw_image_list_name(&now->links, now->next_link++);
            const size_t length = strlen(link);
            memcpy(now->path, link, length + 1);
            status = walk_folder(now, length);
        }
    }
    return status;
}

thaw_status thaw_image_list_walk(thaw_image_list *list, const thaw_image_scan *scan, const char *name, int32_t label)
{
    walk now = {
        .scan = scan,
        .list = list,
        .label = label,
        .read.context = list->context,
        .links.context = list->context,
    };
    const size_t length = strlen(name);
    if (length >= sizeof now.path)
        return thaw_fail(list->context, THAW_IO_ERROR, "%s/%.200s..: the path is too long", scan->path, name);
    memcpy(now.path, name, length + 1);
    thaw_status status = walk_folder(&now, length);
    if (status == THAW_OK)
        status = follow_links(&now);
    thaw_folder_set_release(&now.read);
    thaw_image_list_release(&now.links);
    return status;
}
