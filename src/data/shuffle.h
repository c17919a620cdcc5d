/* The order of samples in an epoch. */
#ifndef THAW_DATA_SHUFFLE_H
#define THAW_DATA_SHUFFLE_H

#include <thaw/context.h>

/* Writes 0 .. count - 1 in an order that depends only on seed and epoch. */
void thaw_shuffle(const thaw_context *context, uint64_t seed, uint64_t epoch, size_t *indices, size_t count);

/* Changes the order of whole batches of `batch` indices each, keyed by (seed, epoch). Same result for any number of
   threads. */
void thaw_shuffle_batches(const thaw_context *context, uint64_t seed, uint64_t epoch, size_t *indices, size_t batches,
                          size_t batch);

#endif
