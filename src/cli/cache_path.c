#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cache.h"
#include "features/feature_storage.h"

/* The letters and digits of a text, with '-' for everything between them. The caller frees it. */
static char *plain_name(const char *text)
{
    char *name = strdup(text);
    for (char *c = name; c && *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '.' && *c != '_')
            *c = '-';
    return name;
}

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static bool takes_files(const char *directory)
{
    return directory && access(directory, W_OK | X_OK) == 0;
}

/* Beside the folder of a description "folder:PATH;OPTIONS". NULL if it is another kind, or no file can be made
   there. */
static char *beside_data(const char *data, const char *model)
{
    static const char kind[] = "folder:";
    if (strncmp(data, kind, sizeof kind - 1) != 0)
        return NULL;
    const char *begin = data + sizeof kind - 1;
    char *given = strndup(begin, strcspn(begin, ";")), *folder = given ? realpath(given, NULL) : NULL;
    char *parent = folder ? parent_of(folder) : NULL, *path = NULL;
    if (takes_files(parent) && strcmp(folder, "/") != 0 && asprintf(&path, "%s.%s.features", folder, model) < 0)
        path = NULL;
    free(parent);
    free(folder);
    free(given);
    return path;
}

/* Makes a directory in the user's cache; NULL if there is none. */
static char *user_cache(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *base = NULL, *directory = NULL;
    if (cache && cache[0] == '/')
        base = strdup(cache);
    else if (!home || home[0] != '/' || asprintf(&base, "%s/.cache", home) < 0)
        return NULL;
    if (base && asprintf(&directory, "%s/thaw", base) < 0)
        directory = NULL;
    if (directory) {
        mkdir(base, 0700); /* errors show in the test below */
        mkdir(directory, 0700);
    }
    free(base);
    if (takes_files(directory))
        return directory;
    free(directory);
    return NULL;
}

/* FNV-1a, so that descriptions with the same letters and digits get different files. */
static unsigned long long hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037U;
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211U;
    return hash;
}

static char *in_user_cache(const char *data, const char *model)
{
    char *directory = user_cache(), *name = plain_name(data), *path = NULL;
    if (directory && name && asprintf(&path, "%s/%.60s-%016llx.%s.features", directory, name, hash_of(data), model) < 0)
        path = NULL;
    free(name);
    free(directory);
    return path;
}

char *cli_cache_path(const char *data, const char *model)
{
    char *name = plain_name(model);
    if (name && strlen(name) > 100)
        name[100] = '\0';
    char *path = name ? beside_data(data, name) : NULL;
    if (name && !path)
        path = in_user_cache(data, name);
    free(name);
    return path;
}

size_t cli_cache_room(const char *path)
{
    struct stat status;
    struct statvfs disk;
    char *directory = parent_of(path);
    const bool known = directory && statvfs(directory, &disk) == 0;
    free(directory);
    if (!known || !thaw_feature_file_is_free(path))
        return 0;
    const size_t taken = stat(path, &status) == 0 ? (size_t)status.st_blocks * 512 : 0;
    return ((size_t)disk.f_bavail * disk.f_frsize) / 2 + taken;
}

bool cli_cache_usable(const char *path)
{
    char *directory = parent_of(path);
    const bool usable = takes_files(directory) && thaw_feature_file_is_free(path);
    free(directory);
    return usable;
}

/* Absolute, with links resolved; of a file that does not exist yet its folder's. NULL where there is no such folder. */
static char *resolve(const char *path)
{
    char *whole = realpath(path, NULL);
    if (whole)
        return whole;
    const char *slash = strrchr(path, '/');
    char *parent = parent_of(path), *folder = parent ? realpath(parent, NULL) : NULL;
    if (folder && asprintf(&whole, "%s/%s", folder, slash ? slash + 1 : path) < 0)
        whole = NULL;
    free(folder);
    free(parent);
    return whole;
}

bool cli_same_file(const char *one, const char *other)
{
    struct stat a, b;
    if (!one || !other)
        return false;
    if (stat(one, &a) == 0 && stat(other, &b) == 0)
        return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    char *first = resolve(one), *second = resolve(other);
    const bool same = first && second && strcmp(first, second) == 0;
    free(first);
    free(second);
    return same;
}
