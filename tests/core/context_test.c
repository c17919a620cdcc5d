/* The options of a context, and its messages. */
#include "core/context.h"

#include <omp.h>
#include <string.h>

#include "support/support.h"

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    (void)user, (void)bytes, (void)alignment;
    return NULL;
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user, (void)memory, (void)bytes;
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

Test(context, keeps_its_options)
{
    for (int threads = 1; threads <= 7; threads++) {
        thaw_context *context = NULL;
        const thaw_context_options options = { .threads = threads, .seed = 41 };
        cr_assert(thaw_context_create(&options, &context) == THAW_OK);
        cr_assert_eq(thaw_context_threads(context), support_usable_threads(threads));
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
    cr_assert_eq(thaw_context_threads(context), support_usable_threads(5));
    thaw_context_destroy(context);
}

/* ---- messages ---- */

Test(context, long_messages_are_cut)
{
    thaw_context *context = support_context(1);
    char text[3 * THAW_MESSAGE_BYTES] = "";
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = "long "[i % 5];
    cr_assert(thaw_fail(context, THAW_NOT_FOUND, "%d: %s", 7, text) == THAW_NOT_FOUND);
    cr_assert_eq(strlen(thaw_context_message(context)), THAW_MESSAGE_BYTES - 1);
    cr_assert(strncmp(thaw_context_message(context), "7: long long ", 13) == 0);
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
