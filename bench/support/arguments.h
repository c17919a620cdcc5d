/* The options that benchmarks share. */
#ifndef THAW_BENCH_ARGUMENTS_H
#define THAW_BENCH_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bench_arguments {
    bool json;
    size_t repetitions;
    int threads;      /* one a core, where none are asked for */
    const char *only; /* cases whose name has this; NULL: all */
} bench_arguments;

/* Reads [--json] [--repetitions N] [--threads N] [--only PART]; ends the program with a word where they are wrong. */
bench_arguments bench_arguments_read(const char *name, int count, char **values, size_t repetitions, size_t most);

#endif
