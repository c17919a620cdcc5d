/* Floats of 16 bits, as files store them: IEEE 754's binary16 (F16), and bfloat16 (BF16). */
#ifndef THAW_IO_HALF_FLOATS_H
#define THAW_IO_HALF_FLOATS_H

#include <stddef.h>

/* Replace numbers of 16 bits by the floats that are equal to them; a NaN stays one. The former are the second half of
   the `count` elements' memory. */
void thaw_widen_float16(float *values, size_t count);
void thaw_widen_bfloat16(float *values, size_t count);

#endif
