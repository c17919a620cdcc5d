/* A network with a label for each token, and batches for it. tests/golden/token_losses.py has the same. */
#ifndef THAW_TESTS_TRAIN_TOKEN_NETWORK_H
#define THAW_TESTS_TRAIN_TOKEN_NETWORK_H

#include "support/support.h"

enum { TOKEN_LONGEST = 24, TOKEN_ROWS = 13, TOKEN_CLASSES = 7, TOKEN_MOST = 48 };

/* Inputs "ids" and "length"; an embedding, a dense layer, tanh, a dense layer. Groups: table, mix, last. If it does not
   cut, batches always have the longest length. `options` may be NULL. */
thaw_model *token_network(thaw_context *context, bool cuts, const thaw_token_cross_entropy_options *options,
                          const char *optimizer);

/* Samples of up to 15 tokens. Behind its length, and at every fifth place of the batch, a label is ignored. */
typedef struct token_batch {
    int64_t count;
    int32_t ids[TOKEN_MOST * TOKEN_LONGEST], lengths[TOKEN_MOST], labels[TOKEN_MOST * TOKEN_LONGEST];
    thaw_tensor inputs[2], targets; /* of the above */
} token_batch;

void token_batch_fill(token_batch *batch, int64_t count, uint32_t seed);

#endif
