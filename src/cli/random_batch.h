/* A batch of random samples with labels, to measure a network on. */
#ifndef THAW_CLI_RANDOM_BATCH_H
#define THAW_CLI_RANDOM_BATCH_H

#include "cli/session.h"

typedef struct cli_random_batch {
    thaw_tensor inputs[THAW_MOST_MODEL_INPUTS], targets; /* in memory of the batch */
} cli_random_batch;

/* Makes --batch samples for the session's network: floats from 0 to 1, and whole numbers that its embeddings have rows
   for. Sequences have their whole length. Returns an exit code; release the batch only after success. */
int cli_random_batch_create(const cli_session *session, cli_random_batch *batch);

void cli_random_batch_release(cli_random_batch *batch);

#endif
