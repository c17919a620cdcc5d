/* Tokens and their ids: a list by id, and a hash table by token. */
#ifndef THAW_DATA_TEXT_VOCABULARY_H
#define THAW_DATA_TEXT_VOCABULARY_H

#include <thaw/context.h>

enum { THAW_MOST_TOKENS = 1 << 24, THAW_NO_TOKEN = -1 };

/* Starts as zero, except the context. */
typedef struct thaw_vocabulary {
    thaw_context *context;
    char *text; /* of all tokens, each with its terminating zero */
    size_t text_bytes, text_capacity;
    size_t *places;         /* by id: where in `text`, plus 1; 0: no token has the id */
    size_t count, capacity; /* ids are below the count */
    int32_t *slots;         /* ids plus 1, by the tokens' hashes; 0: empty. Open addressing, linear probing */
    size_t slot_count, used;
} thaw_vocabulary;

/* Adds a token. One that is there already gets the new id, and its old id has no token. Errors: THAW_BAD_FORMAT (the id
   is beyond THAW_MOST_TOKENS, or has another token), THAW_OUT_OF_MEMORY. */
thaw_status thaw_vocabulary_add(thaw_vocabulary *vocabulary, const char *path, const char *token, size_t bytes,
                                int64_t id);

/* The id of a token; THAW_NO_TOKEN: it is none. */
int32_t thaw_vocabulary_find(const thaw_vocabulary *vocabulary, const char *token, size_t bytes);

/* The token of an id; NULL: none has it. */
static inline const char *thaw_vocabulary_token(const thaw_vocabulary *vocabulary, int64_t id)
{
    const bool known = id >= 0 && (size_t)id < vocabulary->count && vocabulary->places[id];
    return known ? vocabulary->text + vocabulary->places[id] - 1 : NULL;
}

void thaw_vocabulary_release(thaw_vocabulary *vocabulary);

#endif
