/* A data set whose samples can be told from each other, for tests of loaders. */
#ifndef THAW_TESTS_DATA_NUMBERS_H
#define THAW_TESTS_DATA_NUMBERS_H

#include <thaw/thaw.h>

#include "data/loader.h"

enum { NUMBERS_WIDTH = 3, NUMBERS_MOST = 1000 };

/* Sample i is (i, 2 i, 3 i) with label i % 4. It fails at one sample, sleeps and counts as told. */
typedef struct numbers {
    size_t count, fails_at;
    bool fails;
    long sleep_microseconds;
    size_t reads;
} numbers;

thaw_dataset *numbers_open(thaw_context *context, numbers *from);

/* Asserts that a batch holds the samples that it names, in aligned memory. */
void numbers_check(const thaw_batch *batch);

/* Reads one epoch, checks it, and writes its order; returns the number of samples. */
size_t numbers_read_epoch(thaw_context *context, thaw_loader *loader, uint64_t epoch, size_t *order);

#endif
