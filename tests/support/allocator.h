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

/* Acts with its first allocation failing, then with its second, and so on until it succeeds. Each failure must be told
   as THAW_OUT_OF_MEMORY, and leave no more memory allocated than there was. Returns how many there were. */
size_t support_fail_each(support_allocator *allocator, thaw_status (*act)(void *user), void *user);

#endif
