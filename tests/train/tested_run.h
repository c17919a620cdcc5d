/* A run with test data that count how often they are read. */
#ifndef THAW_TESTS_TRAIN_TESTED_RUN_H
#define THAW_TESTS_TRAIN_TESTED_RUN_H

#include "support/support.h"

enum {
    TESTED_TRAINED = 45, /* samples to train on */
    TESTED_COUNT = 37,   /* samples to test on; the last batch is smaller */
    TESTED_EPOCHS = 5,
    TESTED_ROW = 30 * 4 + 4 /* bytes of a sample behind both convolutions, and of its label */
};

typedef struct tested_run {
    thaw_fit_options options; /* epochs, batch, test and on_epoch are filled in */
    unsigned trainable;       /* groups of network.h; 0: the dense layers */
    bool random;              /* the training data */
    bool edits;               /* a frozen weight, after epoch 2 */
    bool spoils;              /* a test sample is NaN */
    size_t steps;             /* 0: all */
    const char *saved;        /* a checkpoint: the run is saved there after `steps`, or continues from there */
    char *warning;            /* the last that was logged; of 512 bytes; may be NULL */

    thaw_epoch_result results[TESTED_EPOCHS + 1]; /* by epoch */
    thaw_evaluation evaluated;                    /* at the end */
    size_t reads;                                 /* test samples, before that */
} tested_run;

/* Runs, on one rank of several if there is a communicator. */
void tested_train_rank(tested_run *now, const thaw_communicator *communicator);
void tested_train(tested_run *now);

#endif
