/* The header of an array of NumPy: 93 "NUMPY", a version, the length of a dictionary, and the dictionary.
   https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef THAW_DATA_NPY_HEADER_H
#define THAW_DATA_NPY_HEADER_H

#include <thaw/tensor.h>

#include "data/content.h"

typedef struct thaw_npy_header {
    char kind;      /* 'f': floating point, 'i' and 'u': integers, 'b': true or false */
    unsigned width; /* bytes of an element: 1, 2, 4 or 8 */
    bool big_endian;
    bool fortran; /* the first dimension changes fastest */
    thaw_shape shape;
    size_t count; /* elements, at least 1 */
} thaw_npy_header;

/* Reads the header, also that of an IDX file of any type (data/idx_file.c), and checks that the content can have as many elements. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT,
   THAW_UNSUPPORTED (another version or type of element). */
thaw_status thaw_npy_read_header(const thaw_content *from, thaw_npy_header *header);

#endif
