/* Storage for the feature cache's rows, one per sample: in memory, or in a file. A row is written and read in
   consecutive pieces. Several threads may write and read rows at once. */
#ifndef THAW_FEATURES_FEATURE_STORAGE_H
#define THAW_FEATURES_FEATURE_STORAGE_H

#include <sys/uio.h>
#include <thaw/runtime.h>

#include "core/digest.h"

enum { THAW_MOST_PIECES = 32 };

typedef struct thaw_feature_storage thaw_feature_storage;

/* An implementation of the storage. */
typedef struct thaw_feature_storage_kind {
    bool (*write)(thaw_feature_storage *storage, size_t index, const struct iovec *pieces, int count);
    bool (*read)(thaw_feature_storage *storage, size_t index, const struct iovec *pieces, int count);
    void (*expect)(thaw_feature_storage *storage, size_t index); /* announces a row to be read soon; may be NULL */
    void (*release)(thaw_feature_storage *storage);
} thaw_feature_storage_kind;

struct thaw_feature_storage {
    const thaw_feature_storage_kind *kind;
    thaw_context *context;
    size_t count, row_bytes;
};

/* The longest rows that fit a file of at most this many bytes; 0: none fit. */
size_t thaw_feature_file_row_bytes(size_t file_bytes, size_t count);

/* The bytes of a file of so many rows; 0 if they have none. */
size_t thaw_feature_file_bytes(size_t count, size_t row_bytes);

/* Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_feature_memory_create(thaw_context *context, size_t count, size_t row_bytes,
                                       thaw_feature_storage **storage);

/* Opens or makes a file of rows. present[i] becomes true for each row that it holds. A row counts only if its own
   checksum, which covers `key` and its index, is right: a file that was cut short, damaged, or left by a killed
   process still serves its intact rows. A file with another key is emptied; a file of another kind is not touched.
   Errors: THAW_IO_ERROR (cannot be opened, another process uses it, no space), THAW_BAD_FORMAT (a file of another
   kind), THAW_OUT_OF_MEMORY. */
thaw_status thaw_feature_file_open(thaw_context *context, const char *path, const thaw_digest *key, size_t count,
                                   size_t row_bytes, bool *present, thaw_feature_storage **storage);

/* Whether the path is free, or holds a feature cache that no other process uses. */
bool thaw_feature_file_is_free(const char *path);

#endif
