/* A run on one or more ranks, and what each of them ends with. */
#ifndef THAW_TESTS_TRAIN_RANK_RUN_H
#define THAW_TESTS_TRAIN_RANK_RUN_H

#include "support/ranks.h"

typedef thaw_model *rank_run_build(thaw_context *context);

typedef struct rank_run {
    rank_run_build *build;
    const char *optimizer, *frozen;
    thaw_fit_options options;
    size_t samples;
    void (*spoil)(thaw_model *model, thaw_fit_options *options); /* of the last rank; NULL: it does as the others */
    size_t fewer;                                                /* samples of the last rank */
    float *weights[MOST_RANKS];
    size_t counts[MOST_RANKS];
    thaw_epoch_result results[MOST_RANKS];
    thaw_status statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
} rank_run;

/* The network of network.h, with dropout. */
thaw_model *rank_run_network(thaw_context *context);

/* Runs as one rank, or alone if `communicator` is NULL; a rank_body. `argument`: the run. */
void rank_run_train(void *argument, const thaw_communicator *communicator);

void rank_run_release(const rank_run *taken);

#endif
