#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/threads.h"
#include "support/support.h"

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    size_t *budget = user;
    void *memory = NULL;
    if (*budget == 0)
        return NULL;
    --*budget;
    return posix_memalign(&memory, alignment, bytes) == 0 ? memory : NULL;
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user;
    memset(memory, 0xDD, bytes);
    free(memory);
}

/* A context whose allocator succeeds `*budget` times. */
static thaw_status budgeted_context(size_t *budget, thaw_context **context)
{
    const thaw_context_options options = { .threads = 1,
                                           .allocator = { .allocate = allocate, .release = release, .user = budget } };
    return thaw_context_create(&options, context);
}

Test(context, rejects_bad_options)
{
    thaw_context *context = NULL;
    cr_assert(thaw_context_create(&(thaw_context_options){ .threads = -1 }, &context) == THAW_INVALID_ARGUMENT);
    cr_assert(thaw_context_create(&(thaw_context_options){ .threads = 1025 }, &context) == THAW_INVALID_ARGUMENT);
    cr_assert(thaw_context_create(&(thaw_context_options){ .allocator.allocate = allocate }, &context) ==
              THAW_INVALID_ARGUMENT);
    cr_assert(thaw_context_create(&(thaw_context_options){ .allocator.release = release }, &context) ==
              THAW_INVALID_ARGUMENT);
    cr_assert_null(context);
    thaw_context_destroy(NULL);
}

/* A context takes no more threads than OpenMP may start: OMP_THREAD_LIMIT is the host's. */
static int usable(int threads)
{
    const int limit = omp_get_thread_limit();
    return threads < limit ? threads : limit;
}

Test(context, keeps_its_options)
{
    for (int threads = 1; threads <= 7; threads++) {
        thaw_context *context = NULL;
        const thaw_context_options options = { .threads = threads, .seed = 41 };
        cr_assert(thaw_context_create(&options, &context) == THAW_OK);
        cr_assert_eq(thaw_context_threads(context), usable(threads));
        cr_assert_eq(thaw_context_seed(context), 41);
        cr_assert_str_eq(thaw_context_message(context), "");
        thaw_context_destroy(context);
    }
}

Test(context, takes_openmps_thread_count_by_default)
{
    thaw_context *context = NULL;
    omp_set_num_threads(5);
    cr_assert(thaw_context_create(NULL, &context) == THAW_OK);
    cr_assert_eq(thaw_context_threads(context), usable(5));
    thaw_context_destroy(context);
}

Test(context, gives_the_hosts_openmp_settings_back)
{
    thaw_context *context = support_context(3);
    omp_set_num_threads(5);
    omp_set_dynamic(1);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    cr_assert_eq(omp_get_max_threads(), usable(3));
    cr_assert_eq(omp_get_dynamic(), 0);
    thaw_threads_leave(scope);
    cr_assert_eq(omp_get_max_threads(), 5);
    cr_assert_neq(omp_get_dynamic(), 0);
    thaw_context_destroy(context);
}

/* ---- parallel loops ---- */

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

Test(context, parallel_for_covers_each_index_once)
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

Test(context, parallel_for_takes_grain_zero_for_one)
{
    static coverage cover = { .count = 100, .grain = 1 };
    thaw_context *context = support_context(3);
    thaw_parallel_for(context, cover.count, 0, visit, &cover);
    assert_covered(&cover, 3);
    thaw_context_destroy(context);
}

Test(context, parallel_for_uses_the_whole_team_and_only_when_it_pays)
{
    thaw_context *context = support_context(3);
    static coverage large = { .count = 4000, .grain = 16 }, small = { .grain = 16 };
    small.count = small.grain * (size_t)usable(3) - 8;
    thaw_parallel_for(context, large.count, large.grain, visit, &large);
    cr_assert_eq(large.ranges, usable(3));
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

Test(context, parallel_for_is_serial_inside_a_parallel_region)
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

Test(context, members_wait_for_each_other)
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

Test(context, guests_wait_for_nobody)
{
    thaw_context *context = support_context(3);
    gathering m = { .context = context };
    thaw_parallel(context, wait_alone, &m);
    cr_assert_eq(m.early, 0);
    cr_assert_eq(m.arrived[0], 1);
    thaw_context_destroy(context);
}

Test(context, host_settings_come_back)
{
    thaw_context *context = support_context(3);
    omp_set_num_threads(6);
    const thaw_thread_scope outer = thaw_threads_enter(context);
    cr_assert_eq(omp_get_max_threads(), usable(3));
    thaw_context *other = support_context(2);
    const thaw_thread_scope inner = thaw_threads_enter(other);
    cr_assert_eq(omp_get_max_threads(), usable(2));
    thaw_threads_leave(inner);
    cr_assert_eq(omp_get_max_threads(), usable(3));
    thaw_threads_leave(outer);
    cr_assert_eq(omp_get_max_threads(), 6);
    thaw_context_destroy(other);
    thaw_context_destroy(context);
}

/* ---- memory ---- */

Test(context, failing_allocator_is_reported)
{
    thaw_context *context = NULL;
    size_t budget = 0;
    cr_assert(budgeted_context(&budget, &context) == THAW_OUT_OF_MEMORY);
    cr_assert_null(context);

    budget = 2;
    cr_assert(budgeted_context(&budget, &context) == THAW_OK);
    char *first = thaw_copy_text(context, "first");
    cr_assert_str_eq(first, "first");
    cr_assert_null(thaw_allocate(context, 12345));
    cr_assert_not_null(strstr(thaw_context_message(context), "12345"), "%s", thaw_context_message(context));
    thaw_text_destroy(context, first);
    thaw_context_destroy(context);
}

Test(context, memory_is_zeroed_and_aligned)
{
    size_t budget = 100;
    thaw_context *context = NULL;
    cr_assert(budgeted_context(&budget, &context) == THAW_OK);
    for (size_t bytes = 0; bytes < 50; bytes++) {
        unsigned char *memory = thaw_allocate(context, bytes);
        cr_assert_not_null(memory);
        cr_assert_eq((uintptr_t)memory % 64, 0);
        for (size_t i = 0; i < bytes; i++)
            cr_assert_eq(memory[i], 0);
        thaw_release(context, memory);
    }
    thaw_release(context, NULL);
    thaw_context_destroy(context);
}

Test(context, sizes_that_overflow_are_refused)
{
    thaw_context *context = support_context(1);
    cr_assert_null(thaw_allocate_array(context, SIZE_MAX / 2, 4));
    cr_assert_not_null(strstr(thaw_context_message(context), "overflow"));
    cr_assert_null(thaw_allocate_raw(context, SIZE_MAX));
    thaw_context_destroy(context);
}

Test(context, arrays_in_one_block_can_be_aligned)
{
    static const size_t cases[][2] = { { 0, 0 }, { 1, 64 }, { 63, 64 }, { 64, 64 }, { 65, 128 }, { 1000, 1024 } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        cr_assert_eq(thaw_align(cases[i][0]), cases[i][1], "%zu: %zu", cases[i][0], thaw_align(cases[i][0]));
}

Test(context, a_grown_array_keeps_its_elements)
{
    size_t budget = 3, capacity = 0;
    thaw_context *context = NULL;
    cr_assert(budgeted_context(&budget, &context) == THAW_OK);
    int *array = thaw_grow(context, NULL, &capacity, 1, sizeof *array);
    cr_assert_not_null(array);
    const size_t before = capacity;
    for (size_t i = 0; i < before; i++)
        array[i] = (int)i;
    array = thaw_grow(context, array, &capacity, before + 1, sizeof *array);
    cr_assert(array && capacity > before);
    const size_t after = capacity;
    cr_assert_null(thaw_grow(context, array, &capacity, after + 1, sizeof *array));
    cr_assert_eq(capacity, after);
    for (size_t i = 0; i < before; i++)
        cr_assert_eq(array[i], (int)i);
    thaw_release(context, array);
    thaw_context_destroy(context);
}

/* ---- messages ---- */

Test(context, long_messages_are_cut)
{
    thaw_context *context = support_context(1);
    char text[3 * THAW_MESSAGE_BYTES];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    cr_assert(thaw_fail(context, THAW_NOT_FOUND, "%d: %s", 7, text) == THAW_NOT_FOUND);
    cr_assert_eq(strlen(thaw_context_message(context)), THAW_MESSAGE_BYTES - 1);
    cr_assert(strncmp(thaw_context_message(context), "7: xxx", 6) == 0);
    thaw_context_destroy(context);
}

Test(context, a_message_may_quote_the_one_before)
{
    thaw_context *context = support_context(1);
    thaw_fail(context, THAW_IO_ERROR, "inner");
    thaw_fail(context, THAW_IO_ERROR, "outer: %s", thaw_context_message(context));
    cr_assert_str_eq(thaw_context_message(context), "outer: inner");
    thaw_context_destroy(context);
}

static void keep(void *user, thaw_log_level level, const char *message)
{
    char *kept = user;
    kept[0] = level == THAW_LOG_WARNING ? 'W' : 'I';
    strcpy(kept + 1, message);
}

Test(context, logs_where_the_host_says)
{
    char kept[THAW_MESSAGE_BYTES + 1] = { 0 };
    thaw_context *context = NULL;
    const thaw_context_options options = { .threads = 1, .log = keep, .log_user = kept };
    cr_assert(thaw_context_create(&options, &context) == THAW_OK);
    thaw_log(context, THAW_LOG_WARNING, "%s %d", "epoch", 3);
    cr_assert_str_eq(kept, "Wepoch 3");
    thaw_context_destroy(context);
}
