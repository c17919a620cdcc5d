#include "data/openings.h"

#include <criterion/criterion.h>
#include <thaw/data.h>

typedef struct opening {
    thaw_context *context;
    const char *description;
    thaw_dataset *training, *test;
} opening;

static thaw_status open_both(void *user)
{
    opening *now = user;
    const thaw_status status = thaw_dataset_open(now->context, now->description, &now->training, &now->test);
    cr_assert(status == THAW_OK || (!now->training && !now->test), "%s", now->description);
    return status;
}

size_t openings_fail_each(support_allocator *allocator, thaw_context *context, const char *description)
{
    opening now = { .context = context, .description = description };
    const size_t live = allocator->live, failed = support_fail_each(allocator, open_both, &now);
    thaw_dataset_destroy(now.training);
    thaw_dataset_destroy(now.test);
    cr_assert_eq(allocator->live, live, "%s leaks", description);
    return failed;
}
