/* The file of a search: sections of ranges, whose names and forms have been checked. */
#ifndef THAW_COMPARE_SEARCH_FILE_H
#define THAW_COMPARE_SEARCH_FILE_H

#include "compare/search.h"

typedef struct thaw_search_file {
    thaw_context *context;
    const char *path;                  /* for messages */
    thaw_optimizer *const *optimizers; /* those of the comparison */
    size_t optimizer_count;
    json_t *root;
} thaw_search_file;

/* Checks everything but ends against what an optimizer accepts. Errors: THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY, those of
   thaw_optimizer_create. */
thaw_status thaw_search_file_check(const thaw_search_file *file);

/* Fails, naming the place. */
thaw_status thaw_search_file_refuse(const thaw_search_file *file, const char *section, const char *name,
                                    const char *why);

#endif
