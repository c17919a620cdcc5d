/* What many tests need: a context, and assertions that show both values. */
#ifndef THAW_TESTS_SUPPORT_H
#define THAW_TESTS_SUPPORT_H

#include <criterion/criterion.h>
#include <thaw/thaw.h>

/* A context with `threads` threads and seed 1. */
thaw_context *support_context(int threads);

/* As many of so many threads as OpenMP may start: OMP_THREAD_LIMIT is the host's. */
int support_usable_threads(int threads);

/* Asserts THAW_OK, showing the context's message. */
#define assert_ok(context, call)                                                                    \
    do {                                                                                            \
        const thaw_status support_status = (call);                                                  \
        cr_assert(support_status == THAW_OK, "%s: %s: %s", #call, thaw_status_name(support_status), \
                  thaw_context_message(context));                                                   \
    } while (0)

/* Asserts a failure of this status whose message contains `text`. */
#define assert_fails(context, call, status, text)                                                           \
    do {                                                                                                    \
        const thaw_status support_status = (call);                                                          \
        cr_assert(support_status == (status), "%s: %s, wanted %s", #call, thaw_status_name(support_status), \
                  thaw_status_name(status));                                                                \
        cr_assert(strstr(thaw_context_message(context), text) != NULL, "message \"%s\" lacks \"%s\"",       \
                  thaw_context_message(context), text);                                                     \
    } while (0)

/* Asserts |actual - expected| <= tolerance * max(1, |expected|) for each element. */
void assert_close(const float *actual, const float *expected, size_t count, double tolerance, const char *what);

/* Skips the test where oneDNN does not compute in bfloat16, natively or emulated. */
void skip_without_bfloat16(void);

/* Fills with numbers in [-1, 1) that depend on `seed` alone. */
void support_fill(float *values, size_t count, uint32_t seed);

#endif
