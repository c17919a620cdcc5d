/* The images that rows of tables list. */
#ifndef THAW_DATA_LABELLED_ROWS_H
#define THAW_DATA_LABELLED_ROWS_H

#include "data/image_list.h"
#include "data/table.h"

/* One row: its image, and where it is. */
typedef struct thaw_labelled_row {
    const thaw_table *table;
    size_t row, column; /* the cell with the path */
    const char *name;   /* relative to the folder */
    uint64_t stamp;
    int32_t label; /* of classes; otherwise 0 */
    bool test;     /* of the test part */
} thaw_labelled_row;

/* Starts as zero, except the context. */
typedef struct thaw_labelled_rows {
    thaw_context *context;
    thaw_labelled_row *items;
    size_t count, capacity;
} thaw_labelled_rows;

/* Adds the rows of a table, whose `column` names the images; `labels` may be NULL. Errors: THAW_BAD_FORMAT (an empty
   cell), THAW_OUT_OF_MEMORY. */
thaw_status thaw_labelled_rows_add(thaw_labelled_rows *rows, const thaw_table *table, size_t column,
                                   const int32_t *labels, bool test);

/* Looks into each image, and at what else the folder has. A broken one that is no error is logged and left out. The rows
   stay in their order. Errors: THAW_BAD_FORMAT (an image that is listed twice or missing, an image without a row unless
   `skips_unlisted`, a broken one if the scan is strict), THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_labelled_rows_check(thaw_labelled_rows *rows, const thaw_image_scan *scan, bool skips_unlisted);

/* Sorts the rows by label, and makes a share of each label test data, drawn by seed, as of a folder with a sub-folder per
   class: at least one image of each stays for training. 0: none. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_labelled_rows_split(thaw_labelled_rows *rows, double share, uint64_t seed);

void thaw_labelled_rows_release(thaw_labelled_rows *rows);

#endif
