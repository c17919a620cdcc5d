/* How long a batch stays, when a loader may stop, what it says of a source that fails, and what it allocates. */
#include "data/loader.h"

#include <string.h>
#include <unistd.h>

#include "data/numbers.h"
#include "support/allocator.h"
#include "support/support.h"

Test(loader, a_batch_stays_until_the_next_call)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 40 };
    thaw_dataset *dataset = numbers_open(context, &from);
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 4, .shuffle = true };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    thaw_loader_start_epoch(loader, 0);
    for (int i = 0; i < 10; i++) {
        thaw_batch batch;
        assert_ok(context, thaw_loader_next(loader, &batch));
        usleep(2000); /* time enough for the reader to run into this batch, if it would */
        numbers_check(&batch);
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
        thaw_dataset *dataset = numbers_open(context, &from);
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
    thaw_dataset *dataset = numbers_open(context, &from);
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 4, .shuffle = true, .seed = 1 };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    size_t straight[NUMBERS_MOST], broken_off[NUMBERS_MOST];
    numbers_read_epoch(context, loader, 1, straight);
    for (int taken = 0; taken < 10; taken++) {
        thaw_loader_start_epoch(loader, 0);
        for (int i = 0; i < taken; i++) {
            thaw_batch batch;
            assert_ok(context, thaw_loader_next(loader, &batch));
        }
        cr_assert_eq(numbers_read_epoch(context, loader, 1, broken_off), 40);
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
    thaw_dataset *dataset = numbers_open(context, &from);
    thaw_loader *loader;
    assert_ok(context, thaw_loader_create(context, dataset,
                                          &(thaw_loader_options){ .batch = 4, .on_caller = on_caller }, &loader));
    thaw_batch batch;
    for (int round = 0; round < 2; round++) {
        thaw_loader_start_epoch(loader, 0);
        for (size_t i = 0; i < 5; i++) {
            assert_ok(context, thaw_loader_next(loader, &batch));
            cr_assert_eq(batch.indices[0], 4 * i);
            numbers_check(&batch);
        }
        for (int again = 0; again < 2; again++) {
            assert_fails(context, thaw_loader_next(loader, &batch), THAW_IO_ERROR, "sample 22: the needle jumps");
            cr_assert_eq(batch.count, 0);
        }
    }
    /* The reader rests after a failure, so that the source may be mended here. */
    from.fails = false;
    size_t order[NUMBERS_MOST];
    cr_assert_eq(numbers_read_epoch(context, loader, 0, order), 40);
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
    thaw_dataset *dataset = numbers_open(context, &from);
    const size_t live = allocator.live;
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 8, .shuffle = true };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    const size_t calls = allocator.calls;
    size_t order[NUMBERS_MOST];
    for (uint64_t epoch = 0; epoch < 3; epoch++)
        numbers_read_epoch(context, loader, epoch, order);
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
    thaw_dataset *dataset = numbers_open(context, &from);
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
