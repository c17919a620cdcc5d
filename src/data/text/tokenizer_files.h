/* The files that a tokenizer is read from. */
#ifndef THAW_DATA_TEXT_TOKENIZER_FILES_H
#define THAW_DATA_TEXT_TOKENIZER_FILES_H

#include <thaw/tokenizer.h>

/* Each makes *tokenizer, which the caller destroys, also after an error. Errors: those of thaw_tokenizer_open. */

/* tokenizer.json */
thaw_status thaw_tokenizer_read_json(thaw_context *context, const char *path, thaw_tokenizer **tokenizer);

/* vocab.txt; `config` is a tokenizer_config.json, or NULL. */
thaw_status thaw_tokenizer_read_lines(thaw_context *context, const char *path, const char *config,
                                      thaw_tokenizer **tokenizer);

/* vocab.json and merges.txt */
thaw_status thaw_tokenizer_read_merges(thaw_context *context, const char *vocabulary, const char *merges,
                                       thaw_tokenizer **tokenizer);

#endif
