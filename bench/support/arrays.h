/* Memory for what kernels read and write. Aligned to 64 bytes; the caller frees it. Without memory, a benchmark
   ends. */
#ifndef THAW_BENCH_ARRAYS_H
#define THAW_BENCH_ARRAYS_H

#include <stddef.h>

/* All zeros. */
void *bench_zeros(size_t bytes);

/* Numbers from -0.5 to 0.5, always the same. */
float *bench_values(size_t count);

#endif
