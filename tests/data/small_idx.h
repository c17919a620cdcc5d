/* A small pair of IDX files, to be spoilt by tests. */
#ifndef THAW_TESTS_DATA_SMALL_IDX_H
#define THAW_TESTS_DATA_SMALL_IDX_H

#include <thaw/data.h>

#include "support/folder.h"

/* Three images of 2 rows and 3 columns, and their labels. */
enum { COUNT = 3, ROWS = 2, COLUMNS = 3, PIXELS = COUNT * ROWS * COLUMNS, MOST_BYTES = 256 };

extern const uint8_t small_pixels[PIXELS], small_classes[COUNT];

typedef struct small_file {
    uint8_t bytes[MOST_BYTES];
    size_t count;
} small_file;

/* Where small_open writes, in the test's folder, which small_begin makes. */
extern char small_images_path[SUPPORT_PATH_BYTES], small_labels_path[SUPPORT_PATH_BYTES];

void small_begin(void);

small_file small_images(void);
small_file small_labels(void);
small_file small_gzip(small_file plain);

/* Writes both files and opens them. */
thaw_status small_open(thaw_context *context, const small_file *images, const small_file *labels,
                       thaw_dataset **dataset);

#endif
