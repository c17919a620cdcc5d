/* A network of two named inputs: token ids and numbers, of the shapes of tests/golden/named_inputs.py. */
#ifndef THAW_TESTS_TRAIN_NAMED_NETWORK_H
#define THAW_TESTS_TRAIN_NAMED_NETWORK_H

#include "support/support.h"

enum { NAMED_ROWS = 13, NAMED_LENGTH = 5, NAMED_NUMBERS = 3, NAMED_CLASSES = 3, NAMED_MOST = 96 };

/* An embedding and an LSTM over "ids", whose last state is concatenated with "numbers" before two dense layers. Groups:
   table, reader, mix, last. */
thaw_model *named_network(thaw_context *context, const char *optimizer);

/* The same without assertions and optimizer: any of its calls may fail. */
thaw_status named_network_build(thaw_model *model);

/* Samples that depend on a seed alone. */
typedef struct named_batch {
    int64_t count;
    int32_t ids[NAMED_MOST * NAMED_LENGTH], labels[NAMED_MOST];
    float numbers[NAMED_MOST * NAMED_NUMBERS];
    thaw_tensor inputs[2], targets; /* of the above */
} named_batch;

void named_batch_fill(named_batch *batch, int64_t count, uint32_t seed);

#endif
