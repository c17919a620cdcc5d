/* A folder of images for tests: one pixel each, whose brightness tells which it is. */
#ifndef THAW_TESTS_DATA_FOLDER_FIXTURE_H
#define THAW_TESTS_DATA_FOLDER_FIXTURE_H

#include <thaw/thaw.h>

#include "support/folder.h"

enum { FOLDER_LOG_BYTES = 1 << 14 };

extern char folder_log[FOLDER_LOG_BYTES]; /* what was logged, a line each */

/* Writes an image, or a part of one in tests/data/images; makes folders on the way. */
void folder_put_image(const char *name, int brightness);
void folder_put_copy(const char *name, const char *from, double kept);

/* Puts images of three classes, a to c: image i of class c has the brightness 50 c + i. */
enum { FOLDER_CLASSES = 3 };
extern const int folder_class_sizes[FOLDER_CLASSES];
void folder_put_classes(void);

/* A context that logs into folder_log, with so many threads and seed 1. */
thaw_context *folder_context(int threads);

/* Samples of one value, as the images' brightness. */
extern const thaw_folder_options folder_plain;

/* Asserts that the data set has these samples, "brightness:label" in order, and so many classes. */
void folder_assert_samples(thaw_context *context, thaw_dataset *dataset, const char *wanted, size_t classes);

/* Writes the same to `text`. */
const char *folder_list(thaw_context *context, thaw_dataset *dataset, char *text, size_t capacity);

#endif
