/* Small arrays of NumPy and archives of them, to be spoilt by tests. */
#ifndef THAW_TESTS_DATA_SMALL_NPY_H
#define THAW_TESTS_DATA_SMALL_NPY_H

#include <thaw/data.h>

#include "support/folder.h"

enum { NPY_BYTES = 4096 };

typedef struct npy_file {
    uint8_t bytes[NPY_BYTES];
    size_t count;
} npy_file;

/* Version 1.0 with this dictionary, such as "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }". */
npy_file npy_text(const char *dictionary, const void *elements, size_t bytes);

/* Floats, and labels of one byte. */
npy_file npy_floats(const char *shape, const float *values, size_t count);
npy_file npy_labels(const char *shape, const uint8_t *values, size_t count);

/* An archive of x.npy and y.npy, deflated or stored. */
npy_file npy_archive(const npy_file *x, const npy_file *y, bool deflated);

/* Write files to the test's folder and open them. `options` begin with ';'. */
thaw_status npy_open(thaw_context *context, const npy_file *x, const npy_file *y, const char *options,
                     thaw_dataset **training, thaw_dataset **test);
thaw_status npy_open_archive(thaw_context *context, const npy_file *archive, const char *options,
                             thaw_dataset **training, thaw_dataset **test);

#endif
