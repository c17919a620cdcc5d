/* Where the feature cache keeps its rows, one a sample: in memory, or in a file. A row is written and read in pieces
   that follow each other. Rows may be written and read from several threads at once. */
#ifndef THAW_FEATURES_FEATURE_ROWS_H
#define THAW_FEATURES_FEATURE_ROWS_H

#include <sys/uio.h>
#include <thaw/runtime.h>

#include "core/digest.h"

enum { THAW_MOST_PIECES = 32 };

typedef struct thaw_feature_rows thaw_feature_rows;

/* What rows come from. */
typedef struct thaw_feature_rows_kind {
    bool (*write)(thaw_feature_rows *rows, size_t index, const struct iovec *pieces, int count);
    bool (*read)(thaw_feature_rows *rows, size_t index, const struct iovec *pieces, int count);
    void (*expect)(thaw_feature_rows *rows, size_t index); /* will be read soon; NULL: it makes no difference */
    void (*release)(thaw_feature_rows *rows);
} thaw_feature_rows_kind;

struct thaw_feature_rows {
    const thaw_feature_rows_kind *kind;
    thaw_context *context;
    size_t count, row_bytes;
};

/* How long the rows of a file may be that has at most so many bytes; 0: there is no room for any. */
size_t thaw_feature_file_row_bytes(size_t file_bytes, size_t count);

/* Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_feature_memory_create(thaw_context *context, size_t count, size_t row_bytes, thaw_feature_rows **rows);

/* Opens or makes a file of rows; present[i] becomes true for each row that it holds. A row is believed only if its own
   checksum, which covers `key` and its place, is right: so a file that was cut short, damaged, or left by a process that
   died serves the rows that are whole. A file made with another key is emptied; one that is no such file is not touched.
   Errors: THAW_IO_ERROR (cannot be opened, another process has it, no room), THAW_BAD_FORMAT (some other file),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_feature_file_open(thaw_context *context, const char *path, const thaw_digest *key, size_t count,
                                   size_t row_bytes, bool *present, thaw_feature_rows **rows);

/* Whether there is nothing under this name, or a feature cache that no other process uses. */
bool thaw_feature_file_is_free(const char *path);

#endif
