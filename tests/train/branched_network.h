/* Networks of two branches, joined by sums, differences, products and a concatenation, and by constants. */
#ifndef THAW_TESTS_TRAIN_BRANCHED_NETWORK_H
#define THAW_TESTS_TRAIN_BRANCHED_NETWORK_H

#include "support/support.h"

enum {
    BRANCHED_STEPS = 4,
    BRANCHED_FEATURES = 6,
    BRANCHED_UNITS = 5,
    BRANCHED_OUTPUTS = 3,
    BRANCHED_GROUPS = 3,
    BRANCHED_PARAMETERS = 6
};

typedef struct branched_network {
    const char *name; /* of the golden values */
    thaw_model *(*create)(thaw_context *context);
    thaw_shape input, output;
} branched_network;

/* Branches of one shape. Nodes: input 0, a 1, tanh 2, b 3, relu 4, constant 5, a k 6, k - b 7, their sum 8, b a 9,
   concatenation 10, c 11, loss 12. */
extern const branched_network branched_equal;

/* A gate for each step, a row and a number for all steps. Nodes: input 0, a 1, tanh 2, b 3, sigmoid 4, row 5, number 6,
   b a 7, row - b a 8, that times the number 9, number + b 10, their difference 11, concatenation 12, c 13, loss 14. */
extern const branched_network branched_broadcast;

/* Freezes those of the groups a, b and c whose bit is not set, and unfreezes the others. */
void branched_train_only(thaw_model *model, unsigned trainable);

/* So many samples, in the memory of the caller. */
thaw_tensor branched_fill(const thaw_shape *sample, size_t count, uint32_t seed, float *values);

#endif
