/* WordPiece: words are cut into the longest pieces of a vocabulary, from left to right. Schuster and Nakajima 2012,
   "Japanese and Korean voice search"; Wu et al. 2016, arXiv 1609.08144. */
#ifndef THAW_DATA_TEXT_WORD_PIECES_H
#define THAW_DATA_TEXT_WORD_PIECES_H

#include "data/text/list.h"
#include "data/text/trie.h"

typedef struct thaw_word_pieces {
    thaw_trie first, next; /* pieces that begin a word, and those that continue one, without their prefix */
    int32_t unknown;       /* the token of a word that cannot be cut */
    size_t most;           /* characters of a word; longer ones are unknown */
} thaw_word_pieces;

/* Splits a text of valid UTF-8 into words as BERT does, at spaces and before and behind punctuation, and appends their
   pieces. Returns false if there is no memory. */
bool thaw_word_pieces_cut(thaw_context *context, const thaw_word_pieces *pieces, const unsigned char *text,
                          size_t bytes, thaw_id_list *ids);

#endif
