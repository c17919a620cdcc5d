#include "data/folder_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/open.h"
#include "core/text.h"

static bool is_folder(int directory, const struct dirent *entry)
{
    struct stat about;
    return entry->d_name[0] != '.' && fstatat(directory, entry->d_name, &about, 0) == 0 && S_ISDIR(about.st_mode);
}

static thaw_status fail_to_read(thaw_context *context, const char *path, const char *split)
{
    return thaw_fail(context, THAW_IO_ERROR, "%s%s%s: cannot be read: %s", path, *split ? "/" : "", split,
                     strerror(errno));
}

thaw_status thaw_list_folders(const thaw_image_scan *scan, const char *split, thaw_image_list *found)
{
    thaw_context *context = found->context;
    const int file = thaw_open(scan->directory, *split ? split : ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *directory = file >= 0 ? fdopendir(file) : NULL;
    if (!directory) {
        const thaw_status status = fail_to_read(context, scan->path, split);
        if (file >= 0)
            close(file);
        return status;
    }
    thaw_status status = THAW_OK;
    for (const struct dirent *entry; status == THAW_OK && (errno = 0, entry = readdir(directory));) {
        thaw_text text = { .context = context };
        char *name;
        if (!is_folder(file, entry))
            continue;
        thaw_text_append(&text, "%s%s%s", split, *split ? "/" : "", entry->d_name);
        status = thaw_text_finish(&text, &name);
        if (status == THAW_OK) {
            status = thaw_image_list_add(found, name, 0, 0);
            thaw_text_destroy(context, name);
        }
    }
    if (status == THAW_OK && errno)
        status = fail_to_read(context, scan->path, split);
    closedir(directory);
    thaw_image_list_sort(found, 0);
    return status;
}
