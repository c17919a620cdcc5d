/* The speed of memory for an optimizer's mix of streams: one is only read, like the gradient; the others are read
   and written, like a parameter and its state. */
#ifndef THAW_BENCH_PROBE_H
#define THAW_BENCH_PROBE_H

#include <thaw/runtime.h>

enum { PROBE_MOST_WRITTEN = 5 };

typedef struct bench_probe {
    thaw_context *context;
    size_t count; /* floats of each stream */
    size_t written;
    float *read;
    float *stream[PROBE_MOST_WRITTEN];
} bench_probe;

/* Each page is first touched by the thread that will use it. Errors: THAW_OUT_OF_MEMORY. */
thaw_status bench_probe_create(thaw_context *context, size_t count, size_t written, bench_probe *probe);
void bench_probe_release(bench_probe *probe);

/* One pass over everything; each thread has its own share of whole cache lines. */
void bench_probe_run(bench_probe *probe);

#endif
