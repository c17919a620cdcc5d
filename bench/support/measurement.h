/* What benchmarks report, of bench/measurement.schema.json: `thaw report` makes charts of it. */
#ifndef THAW_BENCH_MEASUREMENT_H
#define THAW_BENCH_MEASUREMENT_H

#include <jansson.h>
#include <stddef.h>

typedef struct bench_measurement {
    const char *benchmark, *title; /* a word, and a heading */
    const char *setting, *what;    /* what is drawn together, and of that this one */
    double size;                   /* where one thing is measured at several sizes; else 0 */
    const char *size_unit;
    int threads;
    double seconds, low, high; /* the median and the quartiles */
    size_t repetitions;
    double limit_seconds; /* what the hardware would take; 0: not known */
    const char *limit;
    double bytes; /* peak memory; 0: not known */
} bench_measurement;

/* Fills the median and the quartiles. Sorts `seconds`. */
void bench_measurement_take(bench_measurement *measurement, double *seconds, size_t count);

/* As JSON, to which further figures may be added; the caller releases it. */
json_t *bench_measurement_json(const bench_measurement *measurement);

/* Prints an object as a line, and releases it. */
void bench_print_json(json_t *object);

#endif
