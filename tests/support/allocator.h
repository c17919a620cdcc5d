/* An allocator that counts, and that fails when it is told to. */
#ifndef THAW_TESTS_SUPPORT_ALLOCATOR_H
#define THAW_TESTS_SUPPORT_ALLOCATOR_H

#include <thaw/context.h>

typedef struct support_allocator {
    size_t calls, live; /* allocations so far; those that were not released */
    size_t fail_at;     /* this one fails, counted from 1; 0: none */
    bool fail_on;       /* and so do all after it */
    size_t largest;     /* more bytes than this fail; 0: no limit */
} support_allocator;

/* A context on it, with one thread and seed 1. */
thaw_context *support_context_on(support_allocator *allocator);

#endif
