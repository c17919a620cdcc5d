/* Products of matrices by a team of threads that is already running, for optimizers (thaw/matrix_stage.h). The bits do
   not depend on the number of threads. */
#ifndef THAW_KERNELS_MATRIX_PRODUCT_H
#define THAW_KERNELS_MATRIX_PRODUCT_H

#include <stdatomic.h>
#include <thaw/matrix_stage.h>

#include "core/cpu.h"

/* Terms that are added before they reach the result: so many rows of a strip of the right matrix stay in the nearest
   cache. */
enum { THAW_PRODUCT_DEPTH = 256 };

/* Blocks of a dot product, whatever its length. */
enum { THAW_DOT_BLOCKS = 256 };

/* What the threads of a team share. */
typedef struct thaw_product_team {
    thaw_cpu_level level;
    float *packed;      /* thaw_product_room floats */
    atomic_size_t next; /* the next task */
    double sums[THAW_DOT_BLOCKS];
} thaw_product_team;

/* Floats of `packed` for products whose sides are at most `longest`. */
size_t thaw_product_room(size_t longest);

/* Called by all threads of a team. Waits for them at the beginning and at the end. */
void thaw_matrix_product_run(thaw_product_team *team, int thread, int threads, const thaw_matrix_product *product);

/* The sum of left[i] * right[i], in double; the same conditions. */
double thaw_dot_product_run(thaw_product_team *team, int thread, int threads, size_t count, const float *left,
                            const float *right);

#endif
