/* Encoders of text in the form of BERT: blocks that normalise after each sum. Devlin et al. 2018, arXiv 1810.04805. */
#ifndef THAW_MODELS_TEXT_ENCODER_H
#define THAW_MODELS_TEXT_ENCODER_H

#include "models/text.h"

/* What files call the layers. */
typedef struct thaw_encoder_names {
    const char *words, *positions, *types, *norm; /* of the embeddings; types NULL: the network has none */
    const char *blocks;                           /* the rest follow it and the block's number */
    const char *attention, *query, *key, *value, *projection, *attention_norm;
    const char *hidden, *activation, *output, *output_norm;
} thaw_encoder_names;

/* Appends inputs, embeddings and blocks. `*node` becomes the last block's output, [length, width]; unless it is pooled
   by a mean, of the first token alone, [1, width]: in the last block nothing else is computed. */
thaw_status thaw_append_encoder(thaw_model *model, const thaw_encoder_names *names, const thaw_text_options *options,
                                thaw_text_inputs *inputs, thaw_node *node);

#endif
