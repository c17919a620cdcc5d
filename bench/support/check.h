/* The end of a benchmark that cannot go on. */
#ifndef THAW_BENCH_CHECK_H
#define THAW_BENCH_CHECK_H

#include <thaw/context.h>

/* Exits with the context's message, unless the status is THAW_OK. `context` may be NULL. */
void bench_check(const thaw_context *context, thaw_status status);

#endif
