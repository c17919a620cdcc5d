#include "support/allocator.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/max_cpu.h"

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    support_allocator *allocator = user;
    void *memory = NULL;
    const size_t call = __atomic_add_fetch(&allocator->calls, 1, __ATOMIC_SEQ_CST);
    if (allocator->fail_at && (call == allocator->fail_at || (allocator->fail_on && call > allocator->fail_at)))
        return NULL;
    if ((allocator->largest && bytes > allocator->largest) || posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    __atomic_add_fetch(&allocator->live, 1, __ATOMIC_SEQ_CST);
    return memory;
}

static void release(void *user, void *memory, size_t bytes)
{
    support_allocator *allocator = user;
    (void)bytes;
    __atomic_sub_fetch(&allocator->live, 1, __ATOMIC_SEQ_CST);
    free(memory);
}

thaw_context *support_context_on(support_allocator *allocator)
{
    thaw_context *context = NULL;
    const thaw_context_options options = {
        .threads = 1,
        .max_cpu = support_max_cpu(),
        .seed = 1,
        .allocator = { .allocate = allocate, .release = release, .user = allocator },
    };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    return context;
}

size_t support_fail_each(support_allocator *allocator, thaw_status (*act)(void *user), void *user)
{
    const size_t live = allocator->live;
    for (size_t failed = 0;; failed++) {
        allocator->fail_at = allocator->calls + failed + 1;
        const thaw_status status = act(user);
        if (status == THAW_OK)
            return failed;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY, "allocation %zu: %s", failed, thaw_status_name(status));
        cr_assert_eq(allocator->live, live, "allocation %zu leaks", failed);
    }
}
