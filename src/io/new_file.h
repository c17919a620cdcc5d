/* A file that is replaced as a whole: written under another name beside the old one, synced, and renamed over it. Until
   the rename the old content stands, and afterwards the new one does; there is no state between. */
#ifndef THAW_IO_NEW_FILE_H
#define THAW_IO_NEW_FILE_H

#include <thaw/runtime.h>

typedef struct thaw_new_file {
    thaw_context *context;
    const char *path;   /* as the caller gave it, for messages */
    char *base;         /* the last part of the path, symbolic links followed: a link stays one */
    int directory;      /* descriptor of the rest */
    int descriptor;     /* of the temporary file */
    char temporary[48]; /* its name in the directory; "" when there is none */
} thaw_new_file;

/* Makes the temporary file and reserves `bytes`, so that a full disk shows early. An existing file's permissions are
   kept. `path` must outlive `file`, which on failure holds nothing. Errors: THAW_IO_ERROR (also when `path` exists and
   is no regular file), THAW_OUT_OF_MEMORY. */
thaw_status thaw_new_file_create(thaw_context *context, const char *path, uint64_t bytes, thaw_new_file *file);

/* Appends. Errors: THAW_IO_ERROR; the caller then discards the file. */
thaw_status thaw_new_file_write(thaw_new_file *file, const void *data, size_t bytes);

/* Puts the file in place. `file` holds nothing afterwards, whether that succeeded or not. Errors: THAW_IO_ERROR. */
thaw_status thaw_new_file_commit(thaw_new_file *file);

/* Removes the temporary file; the old one stands. */
void thaw_new_file_discard(thaw_new_file *file);

#endif
