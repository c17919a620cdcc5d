/* Teams of threads: the host's OpenMP settings, ranges of loops, barriers. */
#include "core/threads.h"

#include <omp.h>

#include "support/support.h"

Test(threads, gives_the_hosts_openmp_settings_back)
{
    thaw_context *context = support_context(3);
    omp_set_num_threads(5);
    omp_set_dynamic(1);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    cr_assert_eq(omp_get_max_threads(), support_usable_threads(3));
    cr_assert_eq(omp_get_dynamic(), 0);
    thaw_threads_leave(scope);
    cr_assert_eq(omp_get_max_threads(), 5);
    cr_assert_neq(omp_get_dynamic(), 0);
    thaw_context_destroy(context);
}

Test(threads, host_settings_come_back)
{
    thaw_context *context = support_context(3);
    omp_set_num_threads(6);
    const thaw_thread_scope outer = thaw_threads_enter(context);
    cr_assert_eq(omp_get_max_threads(), support_usable_threads(3));
    thaw_context *other = support_context(2);
    const thaw_thread_scope inner = thaw_threads_enter(other);
    cr_assert_eq(omp_get_max_threads(), support_usable_threads(2));
    thaw_threads_leave(inner);
    cr_assert_eq(omp_get_max_threads(), support_usable_threads(3));
    thaw_threads_leave(outer);
    cr_assert_eq(omp_get_max_threads(), 6);
    thaw_context_destroy(other);
    thaw_context_destroy(context);
}

typedef struct coverage {
    size_t count, grain;
    int visits[5000]; /* each index is one thread's alone, unless the loop is wrong: then the atomic counts it */
    int ranges;
    int misaligned;
} coverage;

static void visit(void *argument, size_t begin, size_t end)
{
    coverage *cover = argument;
    __atomic_add_fetch(&cover->ranges, 1, __ATOMIC_RELAXED);
    if (begin >= end || end > cover->count || begin % cover->grain)
        __atomic_add_fetch(&cover->misaligned, 1, __ATOMIC_RELAXED);
    for (size_t i = begin; i < end && i < THAW_COUNT(cover->visits); i++)
        __atomic_add_fetch(&cover->visits[i], 1, __ATOMIC_RELAXED);
}

static void assert_covered(const coverage *cover, int threads)
{
    cr_assert_eq(cover->misaligned, 0, "%zu by %zu on %d threads: a bad range", cover->count, cover->grain, threads);
    cr_assert_leq(cover->ranges, threads);
    for (size_t i = 0; i < THAW_COUNT(cover->visits); i++)
        cr_assert_eq(cover->visits[i], i < cover->count, "%zu by %zu on %d threads: index %zu visited %d times",
                     cover->count, cover->grain, threads, i, cover->visits[i]);
}

Test(threads, parallel_for_covers_each_index_once)
{
    static const size_t counts[] = { 0, 1, 2, 3, 15, 16, 17, 100, 1023, 1024, 4999 };
    static const size_t grains[] = { 1, 2, 16, 64, 1000, 100000 };
    static const int teams[] = { 1, 2, 3, 7 };
    static coverage cover;
    for (size_t t = 0; t < THAW_COUNT(teams); t++) {
        thaw_context *context = support_context(teams[t]);
        for (size_t c = 0; c < THAW_COUNT(counts); c++)
            for (size_t g = 0; g < THAW_COUNT(grains); g++) {
                cover = (coverage){ .count = counts[c], .grain = grains[g] };
                thaw_parallel_for(context, cover.count, cover.grain, visit, &cover);
                assert_covered(&cover, teams[t]);
            }
        thaw_context_destroy(context);
    }
}

Test(threads, parallel_for_takes_grain_zero_for_one)
{
    static coverage cover = { .count = 100, .grain = 1 };
    thaw_context *context = support_context(3);
    thaw_parallel_for(context, cover.count, 0, visit, &cover);
    assert_covered(&cover, 3);
    thaw_context_destroy(context);
}

Test(threads, parallel_for_uses_the_whole_team_and_only_when_it_pays)
{
    thaw_context *context = support_context(3);
    static coverage large = { .count = 4000, .grain = 16 }, small = { .grain = 16 };
    small.count = small.grain * (size_t)support_usable_threads(3) - 8;
    thaw_parallel_for(context, large.count, large.grain, visit, &large);
    cr_assert_eq(large.ranges, support_usable_threads(3));
    thaw_parallel_for(context, small.count, small.grain, visit, &small);
    cr_assert_eq(small.ranges, 1, "less than a grain a thread ran in %d ranges", small.ranges);
    thaw_context_destroy(context);
}

typedef struct host {
    thaw_context *context;
    coverage *covers;
} host;

static void use_from_host(void *argument, int thread, int threads)
{
    (void)threads;
    const host *caller = argument;
    coverage *cover = &caller->covers[thread];
    thaw_parallel_for(caller->context, cover->count, cover->grain, visit, cover);
}

Test(threads, parallel_for_is_serial_inside_a_parallel_region)
{
    static coverage covers[4];
    thaw_context *context = support_context(4);
    const size_t threads = (size_t)thaw_context_threads(context);
    for (size_t i = 0; i < threads; i++)
        covers[i] = (coverage){ .count = 2000 + i, .grain = 16 };
    thaw_parallel(context, use_from_host, &(host){ .context = context, .covers = covers });
    for (size_t i = 0; i < threads; i++) {
        assert_covered(&covers[i], 4);
        cr_assert_eq(covers[i].ranges, 1);
    }
    thaw_context_destroy(context);
}

enum { ROUNDS = 200 };

typedef struct gathering {
    thaw_context *context;
    int arrived[ROUNDS]; /* atomically */
    int early;           /* members who went on before all had come */
} gathering;

static void wait_at_barriers(void *argument, int thread, int threads)
{
    gathering *m = argument;
    (void)thread;
    for (int round = 0; round < ROUNDS; round++) {
        __atomic_add_fetch(&m->arrived[round], 1, __ATOMIC_RELAXED);
        thaw_barrier(threads);
        if (__atomic_load_n(&m->arrived[round], __ATOMIC_RELAXED) != threads)
            __atomic_add_fetch(&m->early, 1, __ATOMIC_RELAXED);
    }
}

Test(threads, members_wait_for_each_other)
{
    for (int threads = 1; threads <= 5; threads++) {
        thaw_context *context = support_context(threads);
        gathering m = { .context = context };
        thaw_parallel(context, wait_at_barriers, &m);
        cr_assert_eq(m.early, 0, "%d threads: %d times", threads, m.early);
        cr_assert_eq(m.arrived[ROUNDS - 1], thaw_context_threads(context));
        thaw_context_destroy(context);
    }
}

/* One member of the host's team must not wait for others, who never come. */
static void wait_alone(void *argument, int thread, int threads)
{
    gathering *m = argument;
    (void)threads;
    if (thread == 0)
        thaw_parallel(m->context, wait_at_barriers, m);
}

Test(threads, guests_wait_for_nobody)
{
    thaw_context *context = support_context(3);
    gathering m = { .context = context };
    thaw_parallel(context, wait_alone, &m);
    cr_assert_eq(m.early, 0);
    cr_assert_eq(m.arrived[0], 1);
    thaw_context_destroy(context);
}
