/* Loops over matrices whose columns are channels, built for each level of the CPU's instructions: what normalisation and
   the sums for it, and for biases, come down to. Arithmetic is in floats. */
#ifndef THAW_CORE_CHANNEL_LOOPS_H
#define THAW_CORE_CHANNEL_LOOPS_H

#include <thaw/tensor.h>

/* Some rows, and what the loops below read and write of them; other fields may be left out. */
typedef struct thaw_channel_rows {
    size_t rows, channels;
    thaw_dtype precision; /* THAW_F32 or THAW_BF16: of the next three, a row of channels after the other */
    const void *values, *inputs;
    void *result;                               /* may be `values` or `inputs` */
    const float *mean, *scale, *shift, *linear; /* a number a channel */
} thaw_channel_rows;

typedef struct thaw_channel_functions {
    /* Add to sums[channel], row by row: values; (inputs - mean)^2; values * (inputs - mean). */
    void (*sum)(const thaw_channel_rows *r, float *sums);
    void (*sum_squares)(const thaw_channel_rows *r, float *sums);
    void (*sum_products)(const thaw_channel_rows *r, float *sums);

    void (*normalise)(const thaw_channel_rows *r);     /* result = (inputs - mean) * scale + shift */
    void (*differentiate)(const thaw_channel_rows *r); /* result = values * scale + shift + (inputs - mean) * linear */
} thaw_channel_functions;

/* `count` rows of a matrix, from `first` on. Thread-safe. */
thaw_channel_rows thaw_channel_rows_of(const thaw_channel_rows *matrix, size_t first, size_t count);

/* Those for this CPU. Thread-safe. */
const thaw_channel_functions *thaw_channel_functions_of_cpu(void);

extern const thaw_channel_functions thaw_channel_loops_baseline;
#ifdef __x86_64__
extern const thaw_channel_functions thaw_channel_loops_v3;
extern const thaw_channel_functions thaw_channel_loops_v4;
#endif

#endif
