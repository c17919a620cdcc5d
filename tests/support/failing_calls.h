/* Calls of the operating system of which one fails. The linker puts those of failing_calls.c in the place of the
   system's (--wrap, see tests/meson.build). */
#ifndef THAW_TESTS_FAILING_CALLS_H
#define THAW_TESTS_FAILING_CALLS_H

#include <stdbool.h>

enum {
    SHORT_TRANSFER = 0, /* a write transfers one byte */
    TORN_WRITE = -1     /* a write transfers one byte, and the next one finds the disk full */
};

/* From now on, call number `fail_at` (from 1) fails, for a reason that is an errno or one of those above. */
void failing_calls_arm(int fail_at, int reason);

/* All calls succeed again. Returns whether the one that was to fail came. */
bool failing_calls_disarm(void);

#endif
