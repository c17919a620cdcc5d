/* What one direction of one recurrent layer should compute, by its formulas, in double precision. */
#ifndef THAW_TESTS_RECURRENT_H
#define THAW_TESTS_RECURRENT_H

#include "support/layer.h"

typedef struct recurrent_case {
    size_t batch, steps, features, units;
    bool gru, reverse, last_only, no_bias;
    bool initial; /* states are inputs */
} recurrent_case;

/* Appends the layer to a model with an input of its own; the model's last node is the direction that is asked for. */
thaw_model *recurrent_model(thaw_context *context, const recurrent_case *c);

/* Asserts that the layer's output, and of its gradients those that have a buffer, are what they should be: within
   `tolerance`. Both passes must have run where there are gradients. */
void recurrent_check(const layer *l, const recurrent_case *c, double tolerance);

#endif
