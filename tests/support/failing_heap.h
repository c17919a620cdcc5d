/* A heap that fails when it is told to. Its object file takes the place of malloc and its relatives for everything in
   the process, the C++ library among it, so it belongs to the sources of the tests that want it and to no library. */
#ifndef THAW_TESTS_SUPPORT_FAILING_HEAP_H
#define THAW_TESTS_SUPPORT_FAILING_HEAP_H

#include <stddef.h>

typedef enum heap_failure {
    HEAP_FAILS_ONCE,    /* allocation `at`, counted from 1 */
    HEAP_FAILS_FROM_ON, /* that one and all later ones, but for those of destructors while an exception is under way:
                           they find the memory that others gave back */
    HEAP_IS_FULL        /* what would make it hold `at` bytes more than when it was armed */
} heap_failure;

/* From now on it fails; `at` 0: it only counts.
   The first two spare what libraries do not survive, whatever their caller does: libgomp ends the process; oneDNN
   constructs objects at what its aligned allocator returns, and jansson drops characters of a text whose buffer cannot
   grow. Thaw does not let the latter two run out of memory, which a full heap shows. */
void failing_heap_arm(heap_failure failure, size_t at);

/* Nothing fails any more. Returns how many allocations there were since it was armed, and the most bytes that the heap
   held more than then. */
size_t failing_heap_disarm(size_t *most_bytes);

#endif
