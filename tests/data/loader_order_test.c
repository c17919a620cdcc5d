/* Which samples the batches of an epoch hold, and in which order. */
#include "data/loader.h"

#include <string.h>

#include "data/dataset.h"
#include "data/numbers.h"
#include "support/support.h"

static const struct {
    size_t count, batch;
    bool drop_last;
    size_t steps, samples; /* an epoch */
} sizes[] = {
    { 1, 1, false, 1, 1 },       { 1, 5, false, 1, 1 },      { 10, 3, false, 4, 10 },  { 10, 3, true, 3, 9 },
    { 10, 5, true, 2, 10 },      { 10, 10, true, 1, 10 },    { 10, 99, false, 1, 10 }, { 100, 1, false, 100, 100 },
    { 999, 64, false, 16, 999 }, { 999, 64, true, 15, 960 },
};

Test(loader_order, every_sample_comes_once_an_epoch)
{
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(sizes); i++) {
        numbers from = { .count = sizes[i].count };
        thaw_dataset *dataset = numbers_open(context, &from);
        thaw_loader *loader;
        const thaw_loader_options options = {
            .batch = sizes[i].batch, .drop_last = sizes[i].drop_last, .shuffle = true, .seed = i
        };
        assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
        cr_assert_eq(thaw_loader_steps(loader), sizes[i].steps);
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            size_t order[NUMBERS_MOST];
            bool seen[NUMBERS_MOST] = { false };
            const size_t count = numbers_read_epoch(context, loader, epoch, order);
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

Test(loader_order, order_follows_seed_and_epoch_and_no_thread_count)
{
    size_t orders[4][NUMBERS_MOST];
    const struct {
        int threads;
        uint64_t seed, epoch;
    } runs[4] = { { 1, 5, 2 }, { 7, 5, 2 }, { 1, 6, 2 }, { 1, 5, 3 } };
    for (int i = 0; i < 4; i++) {
        thaw_context *context = support_context(runs[i].threads);
        numbers from = { .count = NUMBERS_MOST };
        thaw_dataset *dataset = numbers_open(context, &from);
        thaw_loader *loader;
        /* The batch has no say in the order either. */
        const thaw_loader_options options = { .batch = i == 0 ? 13 : 100, .shuffle = true, .seed = runs[i].seed };
        assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
        numbers_read_epoch(context, loader, runs[i].epoch, orders[i]);
        thaw_loader_destroy(loader);
        thaw_dataset_destroy(dataset);
        thaw_context_destroy(context);
    }
    cr_assert_eq(memcmp(orders[0], orders[1], sizeof orders[0]), 0);
    cr_assert_neq(memcmp(orders[0], orders[2], sizeof orders[0]), 0);
    cr_assert_neq(memcmp(orders[0], orders[3], sizeof orders[0]), 0);
}

Test(loader_order, keeps_the_order_of_the_data_when_told)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 50 };
    thaw_dataset *dataset = numbers_open(context, &from);
    thaw_loader *loader;
    assert_ok(context, thaw_loader_create(context, dataset, &(thaw_loader_options){ .batch = 7 }, &loader));
    size_t order[NUMBERS_MOST];
    cr_assert_eq(numbers_read_epoch(context, loader, 9, order), 50);
    for (size_t i = 0; i < 50; i++)
        cr_assert_eq(order[i], i);
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

/* An epoch that starts at a step has the rest of the whole epoch's batches, and reads no others. */
Test(loader_order, an_epoch_starts_at_any_step)
{
    enum { COUNT = 23, BATCH = 4, STEPS = 6 };
    thaw_context *context = support_context(1);
    for (int on_caller = 0; on_caller < 2; on_caller++) {
        numbers from = { .count = COUNT };
        thaw_dataset *dataset = numbers_open(context, &from);
        thaw_loader *loader;
        size_t order[COUNT];
        const thaw_loader_options options = { .batch = BATCH, .shuffle = true, .seed = 3, .on_caller = on_caller };
        assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
        numbers_read_epoch(context, loader, 2, order);
        for (size_t first = 0; first <= STEPS + 1; first++) {
            const size_t before = from.reads, left = first < STEPS ? STEPS - first : 0;
            thaw_batch batch;
            thaw_loader_start_epoch_at(loader, 2, first);
            for (size_t step = first; step < STEPS; step++) {
                assert_ok(context, thaw_loader_next(loader, &batch));
                numbers_check(&batch);
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

/* One that also ends at a step has the batches between, and another epoch may be whole again. */
Test(loader_order, an_epoch_ends_at_any_step)
{
    enum { COUNT = 23, BATCH = 4, STEPS = 6 };
    thaw_context *context = support_context(1);
    for (int on_caller = 0; on_caller < 2; on_caller++) {
        numbers from = { .count = COUNT };
        thaw_dataset *dataset = numbers_open(context, &from);
        thaw_loader *loader;
        size_t order[COUNT], again[COUNT];
        const thaw_loader_options options = { .batch = BATCH, .shuffle = true, .seed = 3, .on_caller = on_caller };
        assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
        numbers_read_epoch(context, loader, 2, order);
        for (size_t first = 0; first <= STEPS; first++)
            for (size_t past = 0; past <= STEPS + 1; past++) {
                const size_t before = from.reads, end = past < STEPS ? past : STEPS;
                thaw_batch batch;
                thaw_loader_start_epoch_between(loader, 2, first, past);
                for (size_t step = first; step < end; step++) {
                    assert_ok(context, thaw_loader_next(loader, &batch));
                    cr_assert_eq(memcmp(batch.indices, order + step * BATCH, batch.count * sizeof *order), 0);
                }
                assert_ok(context, thaw_loader_next(loader, &batch));
                cr_assert_eq(batch.count, 0);
                cr_assert_eq(from.reads - before, first < end ? end - first : 0, "%zu reads from step %zu to %zu",
                             from.reads - before, first, past);
            }
        cr_assert_eq(numbers_read_epoch(context, loader, 2, again), COUNT);
        thaw_loader_destroy(loader);
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

typedef struct announced {
    size_t indices[NUMBERS_MOST], count;
} announced;

static announced expected;

static void note_expected(void *user, const size_t *indices, size_t count)
{
    (void)user;
    memcpy(expected.indices, indices, count * sizeof *indices);
    expected.count = count;
}

Test(loader_order, reads_on_the_caller_s_thread_what_its_own_would)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 50 };
    thaw_dataset *dataset = numbers_open(context, &from);
    thaw_loader *loader;
    size_t order[NUMBERS_MOST];
    thaw_loader_options options = { .batch = 7, .shuffle = true, .seed = 3 };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    cr_assert_eq(numbers_read_epoch(context, loader, 4, order), 50);
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
            numbers_check(&batch);
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
