/* LSTM and GRU stacks as a user appends them, with one batch of sequences. */
#ifndef THAW_TESTS_RECURRENT_STACK_H
#define THAW_TESTS_RECURRENT_STACK_H

#include "support/support.h"

enum { RECURRENT_BATCH = 3, RECURRENT_STEPS = 5, RECURRENT_FEATURES = 4, RECURRENT_UNITS = 6, RECURRENT_MOST = 4096 };

/* By whether it is a GRU. */
extern const char *const recurrent_kinds[];

/* Two layers of two directions, named "rnn". */
extern const thaw_recurrent_options recurrent_pair_of_pairs;

thaw_status recurrent_append(thaw_model *model, int gru, thaw_node input, const thaw_recurrent_options *options,
                             thaw_node *output);

/* A model that has only its input, a sequence. */
thaw_model *recurrent_sequence(thaw_context *context);

/* A model of one stack; with `loss`, one that can be trained towards a sequence. */
thaw_model *recurrent_stack(thaw_context *context, int gru, const thaw_recurrent_options *options, bool loss);

thaw_status recurrent_step(thaw_model *model, const thaw_step_options *options, thaw_step_result *result);

#endif
