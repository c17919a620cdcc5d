#include "support/roofline.h"

#include "core/threads.h"
#include "support/probe.h"
#include "support/timing.h"

/* Independent chains hide the latency of an addition. */
#ifdef __AVX512F__
typedef float vector __attribute__((vector_size(64)));
#else
typedef float vector __attribute__((vector_size(32)));
#endif
enum { CHAINS = 10, ROUNDS = 200000, LANES = sizeof(vector) / sizeof(float), TRIES = 7 };

/* Each in its own register; the empty instruction prevents the compiler from removing the loop. */
#define STEP(chain)                \
    chain = chain * factor + term; \
    __asm__ volatile("" : "+v"(chain))

static void multiply_and_add(void *argument, int thread, int threads)
{
    (void)threads;
    const vector factor = { 0.5F }, term = { (float)thread };
    vector a = term, b = term, c = term, d = term, e = term, f = term, g = term, h = term, i = term, j = term;
    for (int round = 0; round < ROUNDS; round++) {
        STEP(a);
        STEP(b);
        STEP(c);
        STEP(d);
        STEP(e);
        STEP(f);
        STEP(g);
        STEP(h);
        STEP(i);
        STEP(j);
    }
    const vector sum = a + b + c + d + e + f + g + h + i + j;
    ((volatile float *)argument)[thread] = sum[0];
}

double bench_peak_flops(thaw_context *context)
{
    enum { MOST_THREADS = 1024 };
    static float sums[MOST_THREADS];
    const int threads = thaw_context_threads(context);
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        const double begin = bench_now();
        thaw_parallel(context, multiply_and_add, sums);
        const double flops = 2.0 * LANES * CHAINS * ROUNDS * threads / (bench_now() - begin);
        best = flops > best ? flops : best;
    }
    return best;
}

double bench_traffic_seconds(thaw_context *context, double bytes)
{
    enum { STREAMS = 3, AT_LEAST = 1 << 10 }; /* two read and one written: one more read than written */
    const double wanted = bytes / (STREAMS * sizeof(float));
    const size_t count = wanted > AT_LEAST ? (size_t)wanted : AT_LEAST;
    bench_probe probe;
    if (bench_probe_create(context, count, 1, &probe) != THAW_OK)
        return 0;
    double best = 0;
    for (int i = 0; i < TRIES; i++) {
        const int runs = 1 + (int)(4e6 / (double)count);
        const double begin = bench_now();
        for (int run = 0; run < runs; run++)
            bench_probe_run(&probe);
        const double seconds = (bench_now() - begin) / runs;
        best = best == 0 || seconds < best ? seconds : best;
    }
    bench_probe_release(&probe);
    return best * bytes / ((double)count * STREAMS * sizeof(float));
}
