/* One IDX file: its header, which is checked before anything else is unpacked, and its elements. */
#ifndef THAW_DATA_IDX_FILE_H
#define THAW_DATA_IDX_FILE_H

#include "data/unpack.h"

enum { THAW_IDX_MOST_DIMENSIONS = 3 };

typedef struct thaw_idx_file {
    thaw_context *context;
    const char *path;
    thaw_unpacker *unpacker;
    size_t dims[THAW_IDX_MOST_DIMENSIONS];
    size_t bytes; /* the product of the dimensions that the header names */
    uint8_t *data;
    size_t capacity; /* of the data */
} thaw_idx_file;

/* Which rows to keep, by their labels. NULL labels: all rows. */
typedef struct thaw_idx_choice {
    const int32_t *labels;
    size_t first_class, last_class;
} thaw_idx_choice;

bool thaw_idx_is_chosen(const thaw_idx_choice *choice, size_t row);

/* Reads the header of a file with `rank` dimensions (1 or 3). `path` must outlive `file`, which holds nothing after an
   error. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (also when the file is too short for what its header says). */
thaw_status thaw_idx_file_open(thaw_context *context, const char *path, size_t rank, thaw_idx_file *file);

/* Whether `count` elements of `item_bytes` bytes may be in memory. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_idx_file_allow(const thaw_idx_file *file, size_t count, size_t item_bytes);

/* Reads all rows and keeps the chosen ones, which `dims[0]` then counts. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_idx_file_read(thaw_idx_file *file, const thaw_idx_choice *choice);

/* Also releases the data. May be called again. */
void thaw_idx_file_close(thaw_idx_file *file);

#endif
