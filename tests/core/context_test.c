#include <string.h>

#include "core/threads.h"
#include "support/support.h"

Test(context, rejects_bad_options)
{
    thaw_context *context = NULL;
    cr_assert(thaw_context_create(&(thaw_context_options){ .threads = -1 }, &context) == THAW_INVALID_ARGUMENT);
    cr_assert(thaw_context_create(&(thaw_context_options){ .threads = 100000 }, &context) == THAW_INVALID_ARGUMENT);
    cr_assert_null(context);
}

Test(context, parallel_for_covers_each_index_once)
{
    enum { COUNT = 1000 };
    for (int threads = 1; threads <= 7; threads++) {
        thaw_context *context = support_context(threads);
        cr_assert_eq(thaw_context_threads(context), threads);
        thaw_context_destroy(context);
    }
}
