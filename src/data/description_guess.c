/* What a path without a kind is: "photos" for "folder:photos". */
#include <string.h>
#include <sys/stat.h>

#include "core/allocation.h"
#include "data/description.h"

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool ends_as(const char *text, const char *const *ends)
{
    for (; *ends; ends++)
        if (ends_with(text, *ends))
            return true;
    return false;
}

/* Two files, by the name of the first. */
static const char *guess_pair(char *first)
{
    char *comma = strchr(first, ',');
    struct stat about;
    if (!comma)
        return NULL;
    *comma = '\0';
    const bool exists = stat(first, &about) == 0;
    return !exists ? NULL : ends_as(first, (const char *const[]){ ".npy", ".npy.gz", NULL }) ? "npy" : "idx";
}

const char *thaw_description_guess(thaw_description *into, const char *text)
{
    char *path = thaw_copy_text(into->context, text);
    const char *kind = NULL;
    struct stat about;
    if (!path)
        return NULL;
    path[strcspn(path, ";")] = '\0';
    if (stat(path, &about) != 0)
        kind = guess_pair(path);
    else if (S_ISDIR(about.st_mode))
        kind = "folder";
    else if (ends_as(path, (const char *const[]){ ".csv", ".csv.gz", ".tsv", ".tsv.gz", NULL }))
        kind = "csv";
    else if (ends_with(path, ".npz"))
        kind = "npz";
    if (kind && strcmp(kind, "csv") == 0 && strstr(path, ".tsv"))
        into->table.delimiter = '\t';
    thaw_release(into->context, path);
    return kind;
}
