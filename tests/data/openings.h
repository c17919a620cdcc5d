/* Data sets that are opened while memory runs out. */
#ifndef THAW_TESTS_DATA_OPENINGS_H
#define THAW_TESTS_DATA_OPENINGS_H

#include "support/allocator.h"

/* Opens both parts of a description while each allocation in turn fails, and gives all back: see support_fail_each. */
size_t openings_fail_each(support_allocator *allocator, thaw_context *context, const char *description);

#endif
