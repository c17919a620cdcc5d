/* The exponential moving average of the parameters that train; see thaw/average.h. */
#ifndef THAW_TRAIN_AVERAGE_H
#define THAW_TRAIN_AVERAGE_H

#include <thaw/average.h>

#include "params/parameter.h"

/* The average of one parameter. */
typedef struct thaw_averaged {
    thaw_parameter *parameter;
    float *values;    /* while averages are in use, the weights */
    uint64_t updates; /* of the run, up to which it is an average */
    float *kept;      /* while in use: the average as it is kept, if another value is used; else NULL */
    uint64_t version; /* while in use: of the weights */
} thaw_averaged;

/* A piece of an entry's values. */
typedef struct thaw_averaged_block {
    size_t entry, begin, count;
} thaw_averaged_block;

typedef struct thaw_average {
    thaw_parameter_set *set;
    double decay;
    uint64_t updates; /* of the run */
    bool in_use;
    thaw_averaged *entries;
    size_t count, capacity;
    size_t *active; /* the entries of the parameters that train, in their order */
    size_t active_count, active_capacity;
    thaw_averaged_block *blocks; /* pieces of these */
    size_t block_count, block_capacity;
} thaw_average;

/* Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_average_create(thaw_parameter_set *set, double decay, thaw_average **average);
void thaw_average_release(thaw_average *average);

/* Adds a parameter's average. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_average_add(thaw_average *average, thaw_parameter *parameter, const void *values, uint64_t updates);

/* Before a step: these parameters train. Begins averages that there are not yet. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_average_follow(thaw_average *average, thaw_parameter *const *trained, size_t count);

/* After a step that has updated them. Allocates nothing. The same bits for any number of threads. Only between
   thaw_threads_enter and thaw_threads_leave. */
void thaw_average_update(thaw_average *average);

/* See thaw_trainer_use_average. Putting the weights back does not fail. */
thaw_status thaw_average_use(thaw_average *average, bool use);

/* The memory of all averages. */
size_t thaw_average_bytes(const thaw_average *average);

#endif
