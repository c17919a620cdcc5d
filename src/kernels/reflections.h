/* Householder reflections, applied many at a time by products of matrices. A reflection is I - scale v v^T, with a
   vector v that begins with zeros and then a 1. The bits do not depend on the number of threads. */
#ifndef THAW_KERNELS_REFLECTIONS_H
#define THAW_KERNELS_REFLECTIONS_H

#include "kernels/matrix_product.h"

/* Reflections that are applied together. */
enum { THAW_REFLECTIONS = 64 };

/* Reflections of `side` dimensions, from the first, H1 H2 ... . */
typedef struct thaw_reflections {
    size_t count, side;
    const float *vectors; /* [count, side] */
    const float *scales;  /* [count] */
} thaw_reflections;

/* Makes the reflection that leaves of values[0 .. count) only the first, with another value, which is returned. Writes
   its vector over the values. Of nothing but zeros after the first, the scale is 0. */
float thaw_reflection_make(size_t count, float *values, float *scale);

/* Floats of scratch memory for thaw_reflections_apply, of matrices with at most `side` rows. */
size_t thaw_reflections_room(size_t side);

/* matrix = matrix H1 H2 ... Hcount, or backwards: matrix Hcount ... H2 H1; at most THAW_REFLECTIONS, and [rows, side].
   Called by all threads of a team; waits for them at the beginning and at the end. */
void thaw_reflections_apply(thaw_product_team *team, int thread, int threads, const thaw_reflections *reflections,
                            bool backwards, size_t rows, float *matrix, float *scratch);

/* matrix [side, side] = Hcount ... H2 H1, for any count of reflections whose vectors begin with `zeros` zeros, and one
   more each; the same conditions. */
void thaw_reflections_join(thaw_product_team *team, int thread, int threads, const thaw_reflections *reflections,
                           size_t zeros, float *matrix, float *scratch);

#endif
