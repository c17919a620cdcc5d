/* Options that all benchmarks share. */
#ifndef THAW_BENCH_ARGUMENTS_H
#define THAW_BENCH_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bench_arguments {
    bool json;
    size_t repetitions;
    int threads;      /* one per core by default */
    const char *only; /* only cases whose name contains this; NULL: all */
} bench_arguments;

/* The number that `text` holds, from 1 to `most`; exits with a message of `name` if it is none. */
int bench_positive(const char *name, const char *text, int most);

/* Reads [--json] [--repetitions N] [--threads N] [--only PART]; exits with a message if they are wrong. */
bench_arguments bench_arguments_read(const char *name, int count, char **values, size_t repetitions, size_t most);

#endif
