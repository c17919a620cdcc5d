#include "support/probe.h"

#include <string.h>

#include "core/allocation.h"
#include "core/threads.h"

static void pass1(size_t count, const float *restrict g, float *restrict a)
{
    for (size_t i = 0; i < count; i++)
        a[i] = 0.5F * a[i] + g[i];
}

static void pass2(size_t count, const float *restrict g, float *restrict a, float *restrict b)
{
    for (size_t i = 0; i < count; i++) {
        a[i] = 0.5F * a[i] + g[i];
        b[i] = 0.5F * b[i] + g[i];
    }
}

static void pass3(size_t count, const float *restrict g, float *restrict a, float *restrict b, float *restrict c)
{
    for (size_t i = 0; i < count; i++) {
        a[i] = 0.5F * a[i] + g[i];
        b[i] = 0.5F * b[i] + g[i];
        c[i] = 0.5F * c[i] + g[i];
    }
}

static void pass4(size_t count, const float *restrict g, float *restrict a, float *restrict b, float *restrict c,
                  float *restrict d)
{
    for (size_t i = 0; i < count; i++) {
        a[i] = 0.5F * a[i] + g[i];
        b[i] = 0.5F * b[i] + g[i];
        c[i] = 0.5F * c[i] + g[i];
        d[i] = 0.5F * d[i] + g[i];
    }
}

static void share_of(const bench_probe *probe, int thread, int threads, size_t *begin, size_t *count)
{
    const size_t line = 16, lines = probe->count / line, team = (size_t)threads, member = (size_t)thread;
    *begin = lines * member / team * line;
    *count = (member + 1 == team ? probe->count : lines * (member + 1) / team * line) - *begin;
}

static void run_share(void *argument, int thread, int threads)
{
    const bench_probe *probe = argument;
    size_t at, count;
    share_of(probe, thread, threads, &at, &count);
    const float *read = probe->read + at;
    float *const *stream = probe->stream;
    if (probe->written == 1)
        pass1(count, read, stream[0] + at);
    else if (probe->written == 2)
        pass2(count, read, stream[0] + at, stream[1] + at);
    else if (probe->written == 3)
        pass3(count, read, stream[0] + at, stream[1] + at, stream[2] + at);
    else
        pass4(count, read, stream[0] + at, stream[1] + at, stream[2] + at, stream[3] + at);
}

static void clear_share(void *argument, int thread, int threads)
{
    const bench_probe *probe = argument;
    size_t begin, count;
    share_of(probe, thread, threads, &begin, &count);
    memset(probe->read + begin, 0, count * sizeof(float));
    for (size_t i = 0; i < probe->written; i++)
        memset(probe->stream[i] + begin, 0, count * sizeof(float));
}

thaw_status bench_probe_create(thaw_context *context, size_t count, size_t written, bench_probe *probe)
{
    *probe = (bench_probe){ .context = context, .count = count, .written = written };
    probe->read = thaw_allocate_raw(context, count * sizeof(float));
    bool complete = probe->read != NULL;
    for (size_t i = 0; i < written && complete; i++) {
        probe->stream[i] = thaw_allocate_raw(context, count * sizeof(float));
        complete = probe->stream[i] != NULL;
    }
    if (!complete) {
        bench_probe_release(probe);
        return THAW_OUT_OF_MEMORY;
    }
    thaw_parallel(context, clear_share, probe);
    return THAW_OK;
}

void bench_probe_release(bench_probe *probe)
{
    thaw_release(probe->context, probe->read);
    for (size_t i = 0; i < PROBE_MOST_WRITTEN; i++)
        thaw_release(probe->context, probe->stream[i]);
}

void bench_probe_run(bench_probe *probe)
{
    thaw_parallel(probe->context, run_share, probe);
}
