/* The update list's insides: shared by what makes it and what runs it. */
#ifndef THAW_UPDATE_UPDATE_LIST_H
#define THAW_UPDATE_UPDATE_LIST_H

#include <stdatomic.h>

#include "update/update.h"

enum { THAW_NORM_BLOCK = 4096 /* floats of a block of the norm */ };

/* A piece of one parameter. */
typedef struct thaw_span {
    size_t parameter, begin, count;
} thaw_span;

/* What is the same for parameters of one group and step count. */
typedef struct thaw_rule {
    double values[THAW_MAX_HYPERPARAMETERS];
    float scalars[THAW_MAX_HYPERPARAMETERS];
    uint64_t step;
} thaw_rule;

struct thaw_update_list {
    thaw_context *context;
    thaw_parameter **parameters;
    size_t parameter_count;
    uint64_t **held; /* bits of a parameter's elements: 1 where updates keep the value; NULL: nowhere */
    size_t *rule_of; /* a parameter's rule */
    thaw_rule *rules;

    thaw_span *spans; /* what each thread updates */
    size_t span_count;
    size_t *first_span; /* of each thread, and one past the last */
    int threads;
    double gradient_scale; /* of the run under way */
    atomic_bool suspect;   /* see thaw_update_list_suspect */

    thaw_span *norm_blocks; /* pieces of fixed size, whatever the thread count */
    double *norm_sums;      /* the sum of squares of each */
    size_t norm_count;
};

/* The spans of one thread of a team: [*first, *past). OpenMP may give a team fewer threads than were asked for, one alone
   inside a host's parallel region: each does the shares of several then. */
static inline void thaw_share_of(const thaw_update_list *list, int thread, int threads, size_t *first, size_t *past)
{
    *first = list->first_span[list->threads * thread / threads];
    *past = list->first_span[list->threads * (thread + 1) / threads];
}

#endif
