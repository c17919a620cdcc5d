/* Memory from the host's allocator. */
#include "core/allocation.h"

#include <stdlib.h>
#include <string.h>

#include "core/context.h"
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

Test(allocation, failing_allocator_is_reported)
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

Test(allocation, memory_is_zeroed_and_aligned)
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

Test(allocation, sizes_that_overflow_are_refused)
{
    thaw_context *context = support_context(1);
    cr_assert_null(thaw_allocate_array(context, SIZE_MAX / 2, 4));
    cr_assert_not_null(strstr(thaw_context_message(context), "overflow"));
    cr_assert_null(thaw_allocate_raw(context, SIZE_MAX));
    thaw_context_destroy(context);
}

Test(allocation, arrays_in_one_block_can_be_aligned)
{
    static const size_t cases[][2] = { { 0, 0 }, { 1, 64 }, { 63, 64 }, { 64, 64 }, { 65, 128 }, { 1000, 1024 } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        cr_assert_eq(thaw_align(cases[i][0]), cases[i][1], "%zu: %zu", cases[i][0], thaw_align(cases[i][0]));
}

Test(allocation, a_grown_array_keeps_its_elements)
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
