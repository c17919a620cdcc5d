/* Matrices that files of weights have transposed. */
#ifndef THAW_PARAMS_TRANSPOSED_H
#define THAW_PARAMS_TRANSPOSED_H

#include "params/parameter.h"

/* The shape that files have. */
thaw_shape thaw_parameter_stored_shape(const thaw_parameter *parameter);

/* Reads elements [first, first + count) in the order of files. */
void thaw_parameter_read_stored(const thaw_parameter *parameter, size_t first, size_t count, float *values);

/* Writes all elements, which are in the order of files. */
void thaw_parameter_write_stored(thaw_parameter *parameter, const float *values);

#endif
