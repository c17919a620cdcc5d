/* Networks in which every kind of layer occurs, with what makes plans differ: frozen prefixes and frozen layers between
   others, low-rank changes, masks, frozen slices, dropout, and bfloat16 in some where the CPU has it. */
#ifndef THAW_TESTS_SUPPORT_ASSORTED_NETWORK_H
#define THAW_TESTS_SUPPORT_ASSORTED_NETWORK_H

#include "support/support.h"

enum { ASSORTED_NETWORKS = 20, ASSORTED_SAMPLES = 14 };

typedef struct assorted_network {
    thaw_model *model;
    thaw_tensor inputs, targets; /* ASSORTED_SAMPLES of each */
    size_t classes;              /* of labels; 0: targets are floats */
    size_t results;              /* values of an output */
} assorted_network;

/* Network `index`, the same for the same index and the context's seed. Its samples and targets are from the context's
   allocator. */
assorted_network assorted_open(thaw_context *context, size_t index);
void assorted_close(assorted_network *network);

#endif
