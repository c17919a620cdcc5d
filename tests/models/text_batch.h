/* Small networks of text, and batches for them that tests/golden/text_networks.py makes, too. */
#ifndef THAW_TESTS_MODELS_TEXT_BATCH_H
#define THAW_TESTS_MODELS_TEXT_BATCH_H

#include "support/support.h"

enum { TEXT_SAMPLES = 4, TEXT_LENGTH = 12, TEXT_VOCABULARY = 31, TEXT_CLASSES = 3 };
enum { TEXT_IDS = TEXT_SAMPLES * TEXT_LENGTH };

extern const int32_t text_lengths[TEXT_SAMPLES];

typedef struct text_batch {
    int32_t ids[TEXT_IDS], lengths[TEXT_SAMPLES], types[TEXT_IDS], labels[TEXT_SAMPLES];
    thaw_tensor inputs[3], targets; /* of the above */
} text_batch;

void text_batch_fill(text_batch *batch);

/* A network of the zoo in a small size, "bert-base", "minilm-l6", "distilbert" or "gpt2", with the weights of the
   golden values and no loss. `more` is appended to its description. Without dropout, unless `more` has it; `more` may
   say how many layers. */
thaw_model *text_network(thaw_context *context, const char *name, const char *more, thaw_node *outputs);

/* All outputs of a batch. */
void text_predict(thaw_model *model, const text_batch *batch, float *outputs);

#endif
