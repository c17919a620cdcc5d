/* Writes the header of an array of NumPy, in version 1.0 of the format (see data/npy_header.h). */
#ifndef THAW_DATA_NPY_WRITER_H
#define THAW_DATA_NPY_WRITER_H

#include <thaw/tensor.h>

enum { THAW_NPY_HEADER_BYTES = 256 };

/* Writes the header of floats of this shape in C's order, which follow it. A dimension may be 0. Returns its length, a
   multiple of 64, at most the room. */
size_t thaw_npy_write_header(char header[THAW_NPY_HEADER_BYTES], const thaw_shape *shape);

#endif
