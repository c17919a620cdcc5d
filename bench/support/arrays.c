#include "support/arrays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *bench_zeros(size_t bytes)
{
    enum { LINE = 64 };
    void *memory = aligned_alloc(LINE, (bytes + LINE) / LINE * LINE);
    if (!memory) {
        fprintf(stderr, "out of memory for %zu bytes\n", bytes);
        exit(1);
    }
    return memset(memory, 0, bytes);
}

float *bench_values(size_t count)
{
    float *values = bench_zeros(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i * 7919 % 1009) / 1009 - 0.5F;
    return values;
}
