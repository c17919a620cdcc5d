/* Results of comparisons. */
#ifndef THAW_TESTS_SUPPORT_RESULTS_H
#define THAW_TESTS_SUPPORT_RESULTS_H

#include <jansson.h>

/* Removes what may differ between two runs of the same, and the checksum of it. */
void support_forget_times(json_t *file);

#endif
