/* The steps around the model of a tokenizer.json: normalizer, pre_tokenizer, post_processor, decoder. */
#ifndef THAW_DATA_TEXT_TOKENIZER_STEPS_H
#define THAW_DATA_TEXT_TOKENIZER_STEPS_H

#include "data/text/json_part.h"
#include "data/text/tokenizer.h"

/* Reads one step of the file into the tokenizer, whose kind is known. The post-processor needs the vocabulary. Errors:
   THAW_BAD_FORMAT, THAW_UNSUPPORTED, THAW_OUT_OF_MEMORY. */
thaw_status thaw_read_normalizer(const thaw_json_part *root, thaw_tokenizer *tokenizer);
thaw_status thaw_read_pre_tokenizer(const thaw_json_part *root, thaw_tokenizer *tokenizer);
thaw_status thaw_read_post_processor(const thaw_json_part *root, thaw_tokenizer *tokenizer);
thaw_status thaw_read_decoder(const thaw_json_part *root, thaw_tokenizer *tokenizer);

#endif
