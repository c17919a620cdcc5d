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

/* Whether a file's name says that it is of a type, packed by gzip or not. */
static bool is_type(const char *path, const char *type, const char *packed)
{
    return ends_with(path, type) || ends_with(path, packed);
}

/* Two files, by the name of the first. */
static const char *guess_pair(char *first)
{
    char *comma = strchr(first, ',');
    struct stat about;
    if (!comma)
        return NULL;
    *comma = '\0';
    if (stat(first, &about) != 0)
        return NULL;
    return is_type(first, ".npy", ".npy.gz") ? "npy" : "idx";
}

static const char *guess_file(thaw_description *into, const char *path)
{
    if (ends_with(path, ".npz"))
        return "npz";
    if (is_type(path, ".csv", ".csv.gz"))
        return "csv";
    if (!is_type(path, ".tsv", ".tsv.gz"))
        return NULL;
    into->table.delimiter = '\t';
    return "csv";
}

static thaw_status guess(thaw_description *into, char *path, const char **kind)
{
    struct stat about;
    if (stat(path, &about) != 0)
        *kind = guess_pair(path);
    else if (S_ISDIR(about.st_mode))
        *kind = "folder";
    else if (!(*kind = guess_file(into, path)))
        return thaw_fail(into->context, THAW_NOT_FOUND,
                         "%s: the name of a file alone must end with .csv, .tsv or .npz; otherwise say what it is, "
                         "such as csv:FILE",
                         path);
    return THAW_OK;
}

thaw_status thaw_description_guess(thaw_description *into, const char *text, const char **kind)
{
    char *path = thaw_copy_text(into->context, text);
    *kind = NULL;
    if (!path)
        return THAW_OUT_OF_MEMORY;
    path[strcspn(path, ";")] = '\0';
    const thaw_status status = guess(into, path, kind);
    thaw_release(into->context, path);
    return status;
}
