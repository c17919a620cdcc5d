#include "core/workers.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "support/allocator.h"
#include "support/support.h"

enum { MOST_ITEMS = 1000, MOST_WORKERS = 5 };

typedef struct tally {
    size_t workers;
    atomic_int done[MOST_ITEMS];
    atomic_int running[MOST_WORKERS]; /* items that a worker is at: never two */
    atomic_size_t used;               /* a bit for each worker that did something */
    bool slow;
} tally;

static void count_item(void *argument, size_t worker, size_t item)
{
    tally *counts = argument;
    cr_assert_lt(worker, counts->workers);
    cr_assert_eq(atomic_fetch_add(&counts->running[worker], 1), 0, "worker %zu does two things at once", worker);
    if (counts->slow)
        usleep(200);
    atomic_fetch_add(&counts->done[item], 1);
    atomic_fetch_or(&counts->used, (size_t)1 << worker);
    atomic_fetch_sub(&counts->running[worker], 1);
}

Test(workers, do_each_item_once)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 7, MOST_ITEMS };
    thaw_context *context = support_context(1);
    for (int threads = 1; threads <= MOST_WORKERS; threads++) {
        thaw_workers *workers;
        assert_ok(context, thaw_workers_create(context, threads, &workers));
        for (size_t round = 0; round < 20 * THAW_COUNT(sizes); round++) {
            static tally counts;
            const size_t count = sizes[round % THAW_COUNT(sizes)];
            memset(&counts, 0, sizeof counts);
            counts.workers = (size_t)threads;
            thaw_workers_run(workers, count, count_item, &counts);
            for (size_t i = 0; i < MOST_ITEMS; i++)
                cr_assert_eq(atomic_load(&counts.done[i]), i < count, "item %zu of %zu", i, count);
        }
        thaw_workers_destroy(workers);
    }
    thaw_context_destroy(context);
}

Test(workers, share_the_work)
{
    thaw_context *context = support_context(1);
    thaw_workers *workers;
    static tally counts = { .workers = 3, .slow = true };
    assert_ok(context, thaw_workers_create(context, 3, &workers));
    thaw_workers_run(workers, 300, count_item, &counts);
    cr_assert_eq(atomic_load(&counts.used), 7, "of three workers %zx did something", atomic_load(&counts.used));
    thaw_workers_destroy(workers);
    thaw_context_destroy(context);
}

Test(workers, that_cannot_be_made_leave_nothing)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_workers *workers;
    for (size_t site = 1; site <= 2; site++) {
        allocator.fail_at = allocator.calls + site;
        assert_fails(context, thaw_workers_create(context, 3, &workers), THAW_OUT_OF_MEMORY, "no memory");
        cr_assert_null(workers);
        cr_assert_eq(allocator.live, 1);
    }
    thaw_workers_destroy(NULL);
    thaw_context_destroy(context);
}
