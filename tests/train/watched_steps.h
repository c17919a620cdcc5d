/* Steps on one or more ranks: what each rank asks of its communicator, whose line may be cut, and what it ends with. */
#ifndef THAW_TESTS_TRAIN_WATCHED_STEPS_H
#define THAW_TESTS_TRAIN_WATCHED_STEPS_H

#include "support/ranks.h"

enum { WATCHED_MOST_EVENTS = 400 };

/* What a rank asked, in order. */
typedef struct watched_rank {
    const thaw_communicator *communicator;
    char log[WATCHED_MOST_EVENTS + 1]; /* 's': started an exchange, 'w': waited for one, 'p': progress */
    size_t count;
    size_t last_wait; /* the number of the wait that fails; 0: none does */
    float *weights;   /* at the end */
    size_t weight_count;
    thaw_status status;
    char message[THAW_REASON_BYTES];
} watched_rank;

typedef struct watched_steps {
    thaw_model *(*build)(thaw_context *context, void *user, int rank);
    thaw_status (*step)(thaw_model *model, uint32_t number, const thaw_communicator *communicator, void *user);
    void *user;
    uint32_t steps;   /* to take; a rank that fails takes no more */
    size_t last_wait; /* see watched_rank, of rank 1 */
    watched_rank ranks[MOST_RANKS];
} watched_steps;

/* `ranks` 1: alone, without a communicator. The caller releases what they end with. */
void watched_steps_take(watched_steps *taken, int ranks);
void watched_steps_release(const watched_steps *taken);

/* How many of these events there were. */
size_t watched_count(const watched_rank *asked, char event);

/* Cuts the line of two ranks at one wait, then `stride` waits later, and so on, until none is left. Every exchange that
   was started must be waited for, and every rank learn of it that has not done all. */
void watched_steps_cut(const watched_steps *steps, size_t stride);

/* All ranks' samples of one step. */
typedef struct watched_batch {
    int64_t batch, width;
    int32_t classes;
} watched_batch;

/* A step on this rank's part of them, drawn by a seed. `spoiled`: a value of it is no number. */
thaw_status watched_step(thaw_model *model, const watched_batch *from, uint32_t seed, bool spoiled,
                         const thaw_step_options *options);

#endif
