/* What the benchmark of optimizers finds, and how it is printed. */
#ifndef THAW_BENCH_UPDATE_FIGURES_H
#define THAW_BENCH_UPDATE_FIGURES_H

#include <stddef.h>

typedef struct bench_workload {
    const char *name;
    size_t parameters, tensors;
    int steps; /* of one sample: enough to be timed */
} bench_workload;

typedef struct bench_figures {
    const char *description;
    const bench_workload *work;
    int threads;
    size_t parameters, written;
    double median, low, high, spread, probe, share, half; /* seconds per step; share of the probe's speed */
    double state, of_floats; /* bytes of state an element; of the time with state in floats, 0: it is in floats */
    size_t regions;
} bench_figures;

/* Bytes of one step: one stream is only read, the parameters and the state are read and written. */
double bench_step_bytes(const bench_figures *found);

/* Those of the probe, whose streams are floats. */
double bench_probe_bytes(const bench_figures *found);

void bench_print_heading(const bench_workload *work, int threads, int repetitions);
void bench_print_row(const bench_figures *found);
void bench_print_figures(const bench_figures *found, int repetitions);

#endif
