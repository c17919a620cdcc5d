#include "train/checkpoint_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/open.h"
#include "core/text.h"

#define FORM "checkpoint-%012" PRIu64 ".safetensors"
enum { NAME_BYTES = 64 };

static thaw_status fail(thaw_context *context, const char *folder, const char *what)
{
    const int reason = errno;
    return thaw_fail(context, reason == ENOMEM ? THAW_OUT_OF_MEMORY : THAW_IO_ERROR, "%s: %s: %s", folder, what,
                     strerror(reason));
}

thaw_status thaw_checkpoint_folder_make(thaw_context *context, const char *folder)
{
    struct stat about;
    if (mkdir(folder, 0777) == 0)
        return THAW_OK;
    if (errno != EEXIST)
        return fail(context, folder, "cannot make the folder of checkpoints");
    if (stat(folder, &about) == 0 && !S_ISDIR(about.st_mode))
        return thaw_fail(context, THAW_IO_ERROR, "%s: is not a folder, must be one to hold checkpoints", folder);
    return THAW_OK;
}

/* Whether a name is that of a checkpoint. */
static bool read_name(const char *name, uint64_t *steps)
{
    char again[NAME_BYTES];
    if (sscanf(name, "checkpoint-%20" SCNu64, steps) != 1)
        return false;
    snprintf(again, sizeof again, FORM, *steps);
    return strcmp(name, again) == 0;
}

static int by_steps(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static thaw_status add(thaw_context *context, thaw_checkpoint_list *list, uint64_t steps)
{
    uint64_t *grown = thaw_grow(context, list->steps, &list->capacity, list->count + 1, sizeof *grown);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    list->steps = grown;
    list->steps[list->count++] = steps;
    return THAW_OK;
}

thaw_status thaw_checkpoint_folder_list(thaw_context *context, const char *folder, thaw_checkpoint_list *list)
{
    *list = (thaw_checkpoint_list){ 0 };
    const int descriptor = thaw_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    DIR *entries = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (!entries) {
        const thaw_status status = fail(context, folder, "cannot read the folder of checkpoints");
        if (descriptor >= 0)
            close(descriptor);
        return status;
    }
    thaw_status status = THAW_OK;
    uint64_t steps;
    errno = 0;
    for (const struct dirent *entry; status == THAW_OK && (entry = readdir(entries)); errno = 0)
        if (read_name(entry->d_name, &steps))
            status = add(context, list, steps);
    if (status == THAW_OK && errno)
        status = fail(context, folder, "cannot read the folder of checkpoints");
    closedir(entries);
    if (list->count > 1)
        qsort(list->steps, list->count, sizeof *list->steps, by_steps);
    if (status != THAW_OK)
        thaw_release(context, list->steps);
    return status;
}

thaw_status thaw_checkpoint_folder_path(thaw_context *context, const char *folder, uint64_t steps, char **path)
{
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%s/" FORM, folder, steps);
    return thaw_text_finish(&text, path);
}

void thaw_checkpoint_folder_thin(thaw_context *context, const char *folder, uint64_t steps, size_t keep)
{
    thaw_checkpoint_list list;
    if (thaw_checkpoint_folder_list(context, folder, &list) != THAW_OK)
        return;
    size_t upto = 0;
    while (upto < list.count && list.steps[upto] <= steps)
        upto++;
    for (size_t i = 0; i + keep < upto; i++) {
        char *path;
        if (thaw_checkpoint_folder_path(context, folder, list.steps[i], &path) == THAW_OK)
            unlink(path);
        thaw_release(context, path);
    }
    thaw_release(context, list.steps);
}
