/* Replaces a file as a whole: writes under a temporary name beside it, syncs, and renames over it. The path always
   holds either the complete old content or the complete new one. */
#ifndef THAW_IO_NEW_FILE_H
#define THAW_IO_NEW_FILE_H

#include <thaw/runtime.h>

typedef struct thaw_new_file {
    thaw_context *context;
    const char *path;   /* as the caller gave it, for messages */
    char *base;         /* the last part of the path after following symbolic links, even dangling ones: a link stays */
    int directory;      /* descriptor of the directory */
    int descriptor;     /* of the temporary file */
    char temporary[48]; /* its name in the directory; "" if there is none */
} thaw_new_file;

/* Makes the temporary file and reserves `bytes`, so that a full disk or a limit of the process shows early. Keeps an
   existing file's permissions, which the temporary file has from the start. Removes temporary files in the same
   directory that killed processes have left. `path` must outlive `file`. On failure `file` holds nothing.
   Errors: THAW_IO_ERROR (also if `path` exists and is not a regular file), THAW_OUT_OF_MEMORY. */
thaw_status thaw_new_file_create(thaw_context *context, const char *path, uint64_t bytes, thaw_new_file *file);

/* Appends. Errors: THAW_IO_ERROR; the caller must then discard the file. */
thaw_status thaw_new_file_write(thaw_new_file *file, const void *data, size_t bytes);

/* Puts the file in place. Afterwards `file` holds nothing, whether that succeeded or not. Errors: THAW_IO_ERROR. */
thaw_status thaw_new_file_commit(thaw_new_file *file);

/* Removes the temporary file; the old file stays. */
void thaw_new_file_discard(thaw_new_file *file);

#endif
