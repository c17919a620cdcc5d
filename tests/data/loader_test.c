#include "data/loader.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "data/dataset.h"
#include "support/allocator.h"
#include "support/support.h"

enum { WIDTH = 3, MOST = 1000 };

/* Sample i is (i, 2 i, 3 i) with label i % 4. It fails at one sample, sleeps and counts as told. */
typedef struct numbers {
    size_t count, fails_at;
    bool fails;
    long sleep_microseconds;
    size_t reads;
} numbers;

static bool read_numbers(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    numbers *from = user;
    from->reads++;
    if (from->sleep_microseconds)
        nanosleep(&(struct timespec){ .tv_nsec = from->sleep_microseconds * 1000 }, NULL);
    for (size_t i = 0; i < count; i++) {
        if (from->fails && indices[i] == from->fails_at) {
            snprintf(message, capacity, "the needle jumps");
            return false;
        }
        for (size_t j = 0; j < WIDTH; j++)
            samples[i * WIDTH + j] = (float)(indices[i] * (j + 1));
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % 4);
    }
    return true;
}

static thaw_dataset *open_numbers(thaw_context *context, numbers *from)
{
    const thaw_source source = {
        .count = from->count,
        .sample_shape = { .rank = 1, .dims = { WIDTH } },
        .target_dtype = THAW_I32,
        .classes = 4,
        .read = read_numbers,
        .user = from,
    };
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_create(context, &source, &dataset));
    return dataset;
}

static void check_batch(const thaw_batch *batch)
{
    cr_assert_eq((uintptr_t)batch->samples % 64, 0);
    cr_assert_eq((uintptr_t)batch->targets % 64, 0);
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            cr_assert(batch->samples[i * WIDTH + j] == (float)(batch->indices[i] * (j + 1)));
        cr_assert_eq(((const int32_t *)batch->targets)[i], (int32_t)(batch->indices[i] % 4));
    }
}

/* Reads one epoch, checks it, and writes its order; returns the number of samples. */
static size_t read_epoch(thaw_context *context, thaw_loader *loader, uint64_t epoch, size_t *order)
{
    size_t count = 0, steps = 0;
    thaw_loader_start_epoch(loader, epoch);
    for (;;) {
        thaw_batch batch;
        assert_ok(context, thaw_loader_next(loader, &batch));
        if (batch.count == 0)
            break;
        check_batch(&batch);
        memcpy(order + count, batch.indices, batch.count * sizeof *order);
        count += batch.count;
        steps++;
    }
    cr_assert_eq(steps, thaw_loader_steps(loader));
    return count;
}

/* An epoch that starts at a step has the rest of the whole epoch's batches, and reads no others. */
Test(loader, an_epoch_starts_at_any_step)
{
    enum { COUNT = 23, BATCH = 4, STEPS = 6 };
    thaw_context *context = support_context(1);
    for (int on_caller = 0; on_caller < 2; on_caller++) {
        numbers from = { .count = COUNT };
        thaw_dataset *dataset = open_numbers(context, &from);
        thaw_loader *loader;
        size_t order[COUNT];
        const thaw_loader_options options = { .batch = BATCH, .shuffle = true, .seed = 3, .on_caller = on_caller };
        assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
        read_epoch(context, loader, 2, order);
        for (size_t first = 0; first <= STEPS + 1; first++) {
            const size_t before = from.reads, left = first < STEPS ? STEPS - first : 0;
            thaw_batch batch;
            thaw_loader_start_epoch_at(loader, 2, first);
            for (size_t step = first; step < STEPS; step++) {
                assert_ok(context, thaw_loader_next(loader, &batch));
                check_batch(&batch);
                cr_assert_eq(batch.count, step + 1 < STEPS ? BATCH : COUNT % BATCH);
                cr_assert_eq(memcmp(batch.indices, order + step * BATCH, batch.count * sizeof *order), 0);
            }
            assert_ok(context, thaw_loader_next(loader, &batch));
            cr_assert_eq(batch.count, 0);
            cr_assert_eq(from.reads - before, left, "%zu reads from step %zu on", from.reads - before, first);
        }
        thaw_loader_destroy(loader);
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

static const struct {
    size_t count, batch;
    bool drop_last;
    size_t steps, samples; /* an epoch */
} sizes[] = {
    { 1, 1, false, 1, 1 },       { 1, 5, false, 1, 1 },      { 10, 3, false, 4, 10 },  { 10, 3, true, 3, 9 },
    { 10, 5, true, 2, 10 },      { 10, 10, true, 1, 10 },    { 10, 99, false, 1, 10 }, { 100, 1, false, 100, 100 },
    { 999, 64, false, 16, 999 }, { 999, 64, true, 15, 960 },
};

Test(loader, every_sample_comes_once_an_epoch)
{
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(sizes); i++) {
        numbers from = { .count = sizes[i].count };
        thaw_dataset *dataset = open_numbers(context, &from);
        thaw_loader *loader;
        const thaw_loader_options options = {
            .batch = sizes[i].batch, .drop_last = sizes[i].drop_last, .shuffle = true, .seed = i
        };
        assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
        cr_assert_eq(thaw_loader_steps(loader), sizes[i].steps);
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            size_t order[MOST];
            bool seen[MOST] = { false };
            const size_t count = read_epoch(context, loader, epoch, order);
            cr_assert_eq(count, sizes[i].samples);
            for (size_t j = 0; j < count; j++) {
                cr_assert_lt(order[j], from.count);
                cr_assert(!seen[order[j]], "%zu comes twice", order[j]);
                seen[order[j]] = true;
            }
        }
        thaw_loader_destroy(loader);
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(loader, order_follows_seed_and_epoch_and_no_thread_count)
{
    size_t orders[4][MOST];
    const struct {
        int threads;
        uint64_t seed, epoch;
    } runs[4] = { { 1, 5, 2 }, { 7, 5, 2 }, { 1, 6, 2 }, { 1, 5, 3 } };
    for (int i = 0; i < 4; i++) {
        thaw_context *context = support_context(runs[i].threads);
        numbers from = { .count = MOST };
        thaw_dataset *dataset = open_numbers(context, &from);
        thaw_loader *loader;
        /* The batch has no say in the order either. */
        const thaw_loader_options options = { .batch = i == 0 ? 13 : 100, .shuffle = true, .seed = runs[i].seed };
        assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
        read_epoch(context, loader, runs[i].epoch, orders[i]);
        thaw_loader_destroy(loader);
        thaw_dataset_destroy(dataset);
        thaw_context_destroy(context);
    }
    cr_assert_eq(memcmp(orders[0], orders[1], sizeof orders[0]), 0);
    cr_assert_neq(memcmp(orders[0], orders[2], sizeof orders[0]), 0);
    cr_assert_neq(memcmp(orders[0], orders[3], sizeof orders[0]), 0);
}

typedef struct announced {
    size_t indices[MOST], count;
} announced;

static announced expected;

static void note_expected(void *user, const size_t *indices, size_t count)
{
    (void)user;
    memcpy(expected.indices, indices, count * sizeof *indices);
    expected.count = count;
}

Test(loader, reads_on_the_caller_s_thread_what_its_own_would)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 50 };
    thaw_dataset *dataset = open_numbers(context, &from);
    thaw_loader *loader;
    size_t order[MOST];
    thaw_loader_options options = { .batch = 7, .shuffle = true, .seed = 3 };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    cr_assert_eq(read_epoch(context, loader, 4, order), 50);
    thaw_loader_destroy(loader);

    options.on_caller = true;
    dataset->expect = note_expected;
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    thaw_batch batch;
    assert_ok(context, thaw_loader_next(loader, &batch));
    cr_assert_eq(batch.count, 0, "no epoch has begun");
    for (int pass = 0; pass < 2; pass++) {
        thaw_loader_start_epoch(loader, 4);
        for (size_t at = 0; at < 50; at += batch.count) {
            assert_ok(context, thaw_loader_next(loader, &batch));
            check_batch(&batch);
            cr_assert_eq(batch.count, at < 49 ? 7 : 1);
            cr_assert_eq(memcmp(batch.indices, order + at, batch.count * sizeof *order), 0);
            if (at < 49) {
                cr_assert_eq(expected.count, at < 42 ? 7 : 1);
                cr_assert_eq(memcmp(expected.indices, order + at + 7, expected.count * sizeof *order), 0);
            }
        }
        assert_ok(context, thaw_loader_next(loader, &batch));
        cr_assert_eq(batch.count, 0);
    }
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(loader, keeps_the_order_of_the_data_when_told)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 50 };
    thaw_dataset *dataset = open_numbers(context, &from);
    thaw_loader *loader;
    assert_ok(context, thaw_loader_create(context, dataset, &(thaw_loader_options){ .batch = 7 }, &loader));
    size_t order[MOST];
    cr_assert_eq(read_epoch(context, loader, 9, order), 50);
    for (size_t i = 0; i < 50; i++)
        cr_assert_eq(order[i], i);
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(loader, a_batch_stays_until_the_next_call)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 40 };
    thaw_dataset *dataset = open_numbers(context, &from);
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 4, .shuffle = true };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    thaw_loader_start_epoch(loader, 0);
    for (int i = 0; i < 10; i++) {
        thaw_batch batch;
        assert_ok(context, thaw_loader_next(loader, &batch));
        usleep(2000); /* time enough for the reader to run into this batch, if it would */
        check_batch(&batch);
    }
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(loader, stops_at_any_time_even_while_it_reads)
{
    thaw_context *context = support_context(1);
    for (int taken = -1; taken <= 12; taken++) {
        numbers from = { .count = 40, .sleep_microseconds = taken % 3 * 500 };
        thaw_dataset *dataset = open_numbers(context, &from);
        thaw_loader *loader;
        assert_ok(context, thaw_loader_create(context, dataset, &(thaw_loader_options){ .batch = 4 }, &loader));
        if (taken >= 0)
            thaw_loader_start_epoch(loader, 0);
        for (int i = 0; i < taken; i++) {
            thaw_batch batch;
            assert_ok(context, thaw_loader_next(loader, &batch));
            cr_assert_eq(batch.count, i < 10 ? 4 : 0);
        }
        thaw_loader_destroy(loader);
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(loader, another_epoch_may_begin_in_the_middle_of_one)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 40, .sleep_microseconds = 200 };
    thaw_dataset *dataset = open_numbers(context, &from);
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 4, .shuffle = true, .seed = 1 };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    size_t straight[MOST], broken_off[MOST];
    read_epoch(context, loader, 1, straight);
    for (int taken = 0; taken < 10; taken++) {
        thaw_loader_start_epoch(loader, 0);
        for (int i = 0; i < taken; i++) {
            thaw_batch batch;
            assert_ok(context, thaw_loader_next(loader, &batch));
        }
        cr_assert_eq(read_epoch(context, loader, 1, broken_off), 40);
        cr_assert_eq(memcmp(straight, broken_off, 40 * sizeof straight[0]), 0);
    }
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

static void check_failure(bool on_caller)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 40, .fails = true, .fails_at = 22 };
    thaw_dataset *dataset = open_numbers(context, &from);
    thaw_loader *loader;
    assert_ok(context, thaw_loader_create(context, dataset,
                                          &(thaw_loader_options){ .batch = 4, .on_caller = on_caller }, &loader));
    thaw_batch batch;
    for (int round = 0; round < 2; round++) {
        thaw_loader_start_epoch(loader, 0);
        for (size_t i = 0; i < 5; i++) {
            assert_ok(context, thaw_loader_next(loader, &batch));
            cr_assert_eq(batch.indices[0], 4 * i);
            check_batch(&batch);
        }
        for (int again = 0; again < 2; again++) {
            assert_fails(context, thaw_loader_next(loader, &batch), THAW_IO_ERROR, "sample 22: the needle jumps");
            cr_assert_eq(batch.count, 0);
        }
    }
    /* The reader rests after a failure, so that the source may be mended here. */
    from.fails = false;
    size_t order[MOST];
    cr_assert_eq(read_epoch(context, loader, 0, order), 40);
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(loader, a_failing_source_is_told_at_its_batch_with_its_sample)
{
    check_failure(false);
    check_failure(true);
}

Test(loader, allocates_nothing_after_creation_and_gives_all_back)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    numbers from = { .count = 100 };
    thaw_dataset *dataset = open_numbers(context, &from);
    const size_t live = allocator.live;
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 8, .shuffle = true };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    const size_t calls = allocator.calls;
    size_t order[MOST];
    for (uint64_t epoch = 0; epoch < 3; epoch++)
        read_epoch(context, loader, epoch, order);
    cr_assert_eq(allocator.calls, calls);
    thaw_loader_destroy(loader);
    cr_assert_eq(allocator.live, live);
    size_t sites = 0;
    for (;; sites++) {
        allocator.fail_at = allocator.calls + sites + 1;
        const thaw_status status = thaw_loader_create(context, dataset, &options, &loader);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY);
        cr_assert_eq(allocator.live, live, "site %zu leaks", sites);
    }
    cr_assert_eq(sites, calls - live);
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(loader, refuses_batches_that_cannot_be)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 10 };
    thaw_dataset *dataset = open_numbers(context, &from);
    thaw_loader *loader;
    assert_fails(context, thaw_loader_create(context, dataset, &(thaw_loader_options){ .batch = 0 }, &loader),
                 THAW_INVALID_ARGUMENT, "batch is 0");
    cr_assert_null(loader);
    assert_fails(context,
                 thaw_loader_create(context, dataset, &(thaw_loader_options){ .batch = 11, .drop_last = true },
                                    &loader),
                 THAW_INVALID_ARGUMENT, "10 samples do not fill a batch of 11");
    assert_ok(context, thaw_loader_create(context, dataset, &(thaw_loader_options){ .batch = SIZE_MAX }, &loader));
    cr_assert_eq(thaw_loader_steps(loader), 1);
    thaw_batch batch;
    assert_ok(context, thaw_loader_next(loader, &batch));
    cr_assert(batch.count == 0 && !batch.samples, "no epoch has begun");
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
