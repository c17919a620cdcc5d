/* Tokens that are found in a text as they are, before it is split into words. */
#ifndef THAW_DATA_TEXT_ADDED_TOKENS_H
#define THAW_DATA_TEXT_ADDED_TOKENS_H

#include "data/text/trie.h"

typedef struct thaw_added_token {
    int32_t id;
    bool special;                   /* can be left out of decoded text */
    bool normalised;                /* is looked for in normalised text; otherwise, in the text as it was given */
    bool strips_left, strips_right; /* takes the spaces before or behind it, too */
} thaw_added_token;

/* Starts as zero, except the contexts. */
typedef struct thaw_added_tokens {
    thaw_context *context;
    thaw_added_token *items;
    size_t count, capacity;
    thaw_trie tries[2];  /* of texts as given, and of normalised ones; values are places in `items` */
    bool begins[2][256]; /* whether a token begins with the byte */
} thaw_added_tokens;

/* Adds a token; one of the same id and text is replaced. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_added_tokens_add(thaw_added_tokens *tokens, const thaw_added_token *token, const char *content,
                                  size_t bytes);

/* Finds the first token in text[from, bytes), the longest of those that begin there. *begin and *end include the spaces
   that it takes; those before `from` are not its own. NULL: there is none. Thread-safe. */
const thaw_added_token *thaw_added_tokens_find(const thaw_added_tokens *tokens, bool normalised,
                                               const unsigned char *text, size_t bytes, size_t from, size_t *begin,
                                               size_t *end);

/* Whether a token is special. */
bool thaw_added_tokens_special(const thaw_added_tokens *tokens, int32_t id);

void thaw_added_tokens_release(thaw_added_tokens *tokens);

#endif
