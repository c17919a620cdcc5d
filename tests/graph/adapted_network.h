/* The small network whose weights a test binds to adapters, masks and slices. */
#ifndef THAW_TESTS_ADAPTED_NETWORK_H
#define THAW_TESTS_ADAPTED_NETWORK_H

#include "support/network.h"

enum { ADAPTED_BATCH = 5 };

extern thaw_context *adapted_context;
extern thaw_model *adapted_model;

/* Two threads, and AdamW with weight decay. */
void adapted_begin(void);
void adapted_end(void);

/* The parameter; it must be there. */
thaw_parameter *adapted_find(const char *name);

/* Takes so many steps, on batches 1, 2 and so on. */
void adapted_step(uint32_t count);

/* The loss on the batch that `seed` names. */
double adapted_loss(uint32_t seed);

/* The parameter's values, in memory of the caller's (free). */
float *adapted_copy(const char *name);

/* How many values of the parameter are no longer those of the copy, bit by bit. */
size_t adapted_count_moved(const char *name, const float *before);

#endif
