/* Where a run keeps what its frozen layers compute. */
#ifndef THAW_CLI_CACHE_H
#define THAW_CLI_CACHE_H

#include "cli/session.h"

/* Sets the fields of the feature cache after --cache and its budgets, once data, model and rules are there. By itself it
   is in memory where it fits into --cache-bytes, else in a file where a run of so many epochs gains by it, and the disk has
   room. *path becomes the name of a file that was chosen so, which the caller frees, or NULL. */
int cli_cache_choose(const cli_session *session, uint64_t epochs, thaw_fit_options *options, char **path);

/* Where the features of this data set and network go, which the caller frees; NULL where there is no place, or no
   memory. A folder of images has them beside it, "flowers.resnet18.features" beside "flowers", where files can be made
   there; they are in the user's cache otherwise: thaw/ in $XDG_CACHE_HOME or ~/.cache. */
char *cli_cache_path(const char *data, const char *model);

/* How many bytes the file may have: half of what the disk has free, and what the file has already; 0: it cannot be used,
   since another process does, or since it is no feature cache. */
size_t cli_cache_room(const char *path);

#endif
