/* A monotonic clock. */
#ifndef THAW_CORE_CLOCK_H
#define THAW_CORE_CLOCK_H

#include <time.h>

/* Seconds since some fixed moment in the past. */
static inline double thaw_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
