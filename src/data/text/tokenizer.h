/* The internals of a tokenizer. */
#ifndef THAW_DATA_TEXT_TOKENIZER_H
#define THAW_DATA_TEXT_TOKENIZER_H

#include "data/text/added_tokens.h"
#include "data/text/bert_text.h"
#include "data/text/byte_pairs.h"
#include "data/text/layout.h"
#include "data/text/word_pieces.h"

struct thaw_tokenizer {
    thaw_context *context;
    thaw_tokenizer_kind kind;
    thaw_vocabulary vocabulary; /* with the added tokens */
    thaw_added_tokens added;
    thaw_layout single, pair;
    thaw_bert_form form;     /* of WordPiece */
    thaw_word_pieces pieces; /* of WordPiece */
    char *prefix;            /* of WordPiece's tokens that continue a word: "##" */
    bool cleans;             /* decoding puts no space before punctuation and contractions */
    bool joins;              /* decoding follows the kind; otherwise spaces come between tokens */
    thaw_byte_pairs pairs;   /* of BPE */
    bool adds_space;         /* before a text of BPE that does not begin with one */
};

/* Makes an empty tokenizer, for the caller to fill. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_tokenizer_make(thaw_context *context, thaw_tokenizer_kind kind, thaw_tokenizer **tokenizer);

/* Makes the tries of WordPiece from the vocabulary, once it is complete. Errors: those of thaw_trie_add. */
thaw_status thaw_tokenizer_list_pieces(thaw_tokenizer *tokenizer);

/* Finds the symbols of bytes in the vocabulary of BPE. */
void thaw_tokenizer_list_symbols(thaw_tokenizer *tokenizer);

/* Adds a token to the vocabulary, and to those that are found in texts. Errors: THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_tokenizer_add(thaw_tokenizer *tokenizer, const char *path, const char *content, size_t bytes,
                               const thaw_added_token *token);

/* Lays texts out as BERT does: [CLS] one [SEP], and [CLS] one [SEP] other [SEP]. `doubled` puts two separators between
   both, and gives all tokens type 0, as RoBERTa does. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_tokenizer_lay_out(thaw_tokenizer *tokenizer, int32_t begin, int32_t separator, bool doubled);

/* Lays them out without special tokens. */
thaw_status thaw_tokenizer_lay_out_plainly(thaw_tokenizer *tokenizer);

#endif
