/* Results of benchmarks in bench/measurement.schema.json, from which `thaw report` makes charts. */
#ifndef THAW_BENCH_MEASUREMENT_H
#define THAW_BENCH_MEASUREMENT_H

#include <jansson.h>
#include <stddef.h>

typedef struct bench_measurement {
    const char *benchmark, *title; /* a word, and a heading */
    const char *setting, *what;    /* what is drawn together, and which part of it this is */
    double size;                   /* for things measured at several sizes; otherwise 0 */
    const char *size_unit;
    int threads;
    double seconds, low, high; /* the median and the quartiles */
    size_t repetitions;
    double limit_seconds; /* the time that the hardware would need; 0: unknown */
    const char *limit;
    double bytes; /* peak memory; 0: unknown */
} bench_measurement;

/* Computes the median and the quartiles. Sorts `seconds`. */
void bench_measurement_take(bench_measurement *measurement, double *seconds, size_t count);

/* As JSON, to which further figures can be added; the caller releases it. */
json_t *bench_measurement_json(const bench_measurement *measurement);

/* Prints an object as one line, and releases it. */
void bench_print_json(json_t *object);

#endif
