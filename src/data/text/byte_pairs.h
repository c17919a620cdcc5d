/* Byte-pair encoding: of the neighbours in a word, those of the earliest merge become one symbol, until none is left.
   Sennrich et al. 2016, arXiv 1508.07909. */
#ifndef THAW_DATA_TEXT_BYTE_PAIRS_H
#define THAW_DATA_TEXT_BYTE_PAIRS_H

#include "data/text/list.h"
#include "data/text/vocabulary.h"

/* What a pair of symbols becomes, and the place of its merge in the list. */
typedef struct thaw_merge {
    int32_t left, right, merged;
    uint32_t rank;
} thaw_merge;

/* Starts as zero, except the context. The merges are in a hash table: open addressing, linear probing, at most half
   full; left is -1 in an empty slot. */
typedef struct thaw_byte_pairs {
    thaw_context *context;
    thaw_merge *merges;
    size_t slot_count;
    int32_t symbols[256]; /* of bytes; THAW_NO_TOKEN: the byte has none */
    int32_t unknown;      /* the token of such a byte; THAW_NO_TOKEN: it is left out */
} thaw_byte_pairs;

/* Makes the table for `count` merges. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_byte_pairs_reserve(thaw_byte_pairs *pairs, size_t count);

/* Adds a merge in place of one of the same pair. Errors: THAW_BAD_FORMAT (left, right, or both together are no tokens
   of the vocabulary). */
thaw_status thaw_byte_pairs_add(thaw_byte_pairs *pairs, const thaw_vocabulary *vocabulary, const char *path,
                                const char *left, const char *right, uint32_t rank);

void thaw_byte_pairs_release(thaw_byte_pairs *pairs);

/* The working memory of a thread. Starts as zero. */
typedef struct thaw_merging {
    struct thaw_symbol *symbols;
    struct thaw_candidate *heap;
    struct thaw_kept_word *words; /* short words and their ids, by hash; the latest stays */
    size_t symbol_capacity, heap_capacity, heap_count;
} thaw_merging;

/* Appends the ids of a word. Returns false if there is no memory. */
bool thaw_byte_pairs_merge(const thaw_byte_pairs *pairs, thaw_merging *memory, const unsigned char *word, size_t bytes,
                           thaw_id_list *ids);

void thaw_merging_release(thaw_context *context, thaw_merging *memory);

#endif
