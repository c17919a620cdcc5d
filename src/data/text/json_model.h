/* The vocabulary and the model of a tokenizer in JSON. */
#ifndef THAW_DATA_TEXT_JSON_MODEL_H
#define THAW_DATA_TEXT_JSON_MODEL_H

#include "data/text/json_part.h"
#include "data/text/tokenizer.h"

/* Reads an object of tokens and ids. Errors: THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_read_vocabulary(const thaw_json_part *part, thaw_tokenizer *tokenizer);

/* Makes a tokenizer of the model's kind and reads the model into it; its merges and pieces, too. Errors:
   THAW_BAD_FORMAT, THAW_UNSUPPORTED, THAW_OUT_OF_MEMORY. */
thaw_status thaw_read_model(const thaw_json_part *root, thaw_tokenizer **tokenizer);

#endif
