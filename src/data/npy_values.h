/* The elements of an array of NumPy. */
#ifndef THAW_DATA_NPY_VALUES_H
#define THAW_DATA_NPY_VALUES_H

#include "data/npy_header.h"

/* Reads all elements, and the end of the content. Element (i, j, ...) goes to values[i * strides[0] + j * strides[1] +
   ...], as `dtype`: THAW_F32; THAW_U8, only for arrays of that type; or THAW_I32, for labels, whole numbers from 0 to
   2147483646. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (also a value that the type does not hold, which the message
   names), THAW_OUT_OF_MEMORY. */
thaw_status thaw_npy_read_values(const thaw_content *from, const thaw_npy_header *header, const size_t *strides,
                                 thaw_dtype dtype, void *values);

/* The strides of a dense array in C's order. */
void thaw_npy_dense_strides(const thaw_shape *shape, size_t strides[THAW_MAX_RANK]);

#endif
