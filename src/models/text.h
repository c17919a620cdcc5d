/* Shared by the networks of text: their inputs and their options. */
#ifndef THAW_MODELS_TEXT_H
#define THAW_MODELS_TEXT_H

#include "models/zoo.h"

enum { THAW_LONGEST_TEXT_NAME = 96 };

/* The inputs of a network, as nodes. */
typedef struct thaw_text_inputs {
    thaw_node ids, lengths, types;
    bool has_types;
} thaw_text_inputs;

/* Declares the inputs "token_ids", "lengths" and, if `has_types`, "token_types". */
thaw_status thaw_append_text_inputs(thaw_model *model, const thaw_text_options *options, bool has_types,
                                    thaw_text_inputs *inputs);

/* The longest sequence. */
int64_t thaw_text_length(const thaw_text_options *options);

/* The rest append a layer to `*node`, which becomes it. */

/* A table of vectors by id. */
thaw_status thaw_append_table(thaw_model *model, const char *name, int64_t rows, const thaw_text_options *options,
                              bool pads, thaw_node *node);

/* A vector for each place, which is added. */
thaw_status thaw_append_places(thaw_model *model, const char *name, const thaw_text_options *options, thaw_node *node);

/* A dense layer with the initial values of transformers. `transposed` as in thaw_dense_options. */
thaw_status thaw_append_text_dense(thaw_model *model, const char *name, int64_t units, bool transposed,
                                   thaw_node *node);

thaw_status thaw_append_text_norm(thaw_model *model, const char *name, const thaw_text_options *options,
                                  thaw_node *node);

thaw_status thaw_append_text_activation(thaw_model *model, const char *name, const thaw_text_options *options,
                                        thaw_node *node);

/* The dropout inside a network; nothing at rate 0. */
thaw_status thaw_append_text_dropout(thaw_model *model, const thaw_text_options *options, thaw_node *node);

/* The mean over each sequence, or its first token. */
thaw_status thaw_append_text_pooling(thaw_model *model, const thaw_text_options *options,
                                     const thaw_text_inputs *inputs, thaw_node *node);

#endif
