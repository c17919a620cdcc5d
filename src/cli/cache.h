/* Where a run keeps the outputs of its frozen layers. */
#ifndef THAW_CLI_CACHE_H
#define THAW_CLI_CACHE_H

#include "cli/session.h"

/* Sets the feature cache from --cache and its budgets, once data, model and rules exist. With auto the cache is in
   memory if it fits into --cache-bytes. Otherwise it is a file, if the run gains by it and the disk has room: at least
   two successive epochs must have the same frozen prefix. Then *path is the name of the file, which the caller frees;
   else it is NULL. */
int cli_cache_choose(const cli_session *session, thaw_fit_options *options, char **path);

/* The path of the features for this data set and network. The caller frees it. NULL if there is no place for it, or
   no memory. For a folder of images it is beside the folder if that is writable: "flowers.resnet18.features" beside
   "flowers". Otherwise it is in the user's cache: thaw/ in $XDG_CACHE_HOME or ~/.cache. */
char *cli_cache_path(const char *data, const char *model);

/* The largest size that the file may have: half of the free disk space plus the file's present size. 0 if the file
   cannot be used: another process uses it, or it is not a feature cache. */
size_t cli_cache_room(const char *path);

/* Whether the file can be used for the feature cache, given room for it. */
bool cli_cache_usable(const char *path);

/* Whether two paths lead to one file, or would if it existed. Either may be NULL. */
bool cli_same_file(const char *one, const char *other);

#endif
