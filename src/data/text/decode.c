/* Ids to text. */
#include <thaw/runtime.h>

#include "data/text/byte_words.h"
#include "data/text/character.h"
#include "data/text/repair.h"
#include "data/text/tokenizer.h"

typedef struct decoding {
    const thaw_tokenizer *tokenizer;
    thaw_byte_list text;
} decoding;

static bool append(decoding *d, const char *text)
{
    return thaw_byte_list_append(d->tokenizer->context, &d->text, text, strlen(text));
}

/* Whether no space comes before a token of cleaned text. */
static bool leans_left(const char *token)
{
    static const char *const beginnings[] = { ".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re" };
    for (size_t i = 0; i < THAW_COUNT(beginnings); i++)
        if (strncmp(token, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static bool append_piece(decoding *d, const char *token)
{
    const thaw_tokenizer *tokenizer = d->tokenizer;
    const size_t prefix = strlen(tokenizer->prefix);
    if (prefix && strncmp(token, tokenizer->prefix, prefix) == 0)
        return append(d, token + prefix);
    if (!(tokenizer->cleans && leans_left(token)) && !append(d, " "))
        return false;
    return append(d, token);
}

/* The bytes that a token's characters stand for; the token itself if one of them stands for none. */
static bool append_bytes(decoding *d, const char *token)
{
    const size_t before = d->text.count, length = strlen(token);
    const unsigned char *at = (const unsigned char *)token, *end = at + length;
    if (thaw_utf8_valid(at, length) < length)
        return append(d, token);
    while (at < end) {
        const int byte = thaw_character_byte(thaw_character_next(&at));
        const unsigned char one = (unsigned char)byte;
        if (byte < 0) {
            d->text.count = before;
            return append(d, token);
        }
        if (!thaw_byte_list_append(d->tokenizer->context, &d->text, &one, 1))
            return false;
    }
    return true;
}

static bool append_token(decoding *d, const char *token, bool first)
{
    if (d->tokenizer->joins && d->tokenizer->kind == THAW_TOKENIZER_BYTE_PAIR)
        return append_bytes(d, token);
    if (first)
        return append(d, token);
    if (d->tokenizer->joins)
        return append_piece(d, token);
    return append(d, " ") && append(d, token);
}

/* Gives the text to the caller. The bytes of a token may be a part of a character. */
static thaw_status finish(decoding *d, char **text)
{
    size_t replaced;
    *text = thaw_allocate(d->tokenizer->context, 3 * d->text.count + 1);
    if (*text)
        thaw_utf8_repair(d->text.items, d->text.count, (unsigned char *)*text, &replaced);
    return *text ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_tokenizer_decode(const thaw_tokenizer *tokenizer, const int32_t *ids, size_t count, bool skip_special,
                                  char **text)
{
    decoding d = { .tokenizer = tokenizer };
    thaw_status status = THAW_OK;
    bool first = true;
    *text = NULL;
    for (size_t i = 0; i < count && status == THAW_OK; i++) {
        const char *token = thaw_tokenizer_token(tokenizer, ids[i]);
        if (!token)
            status =
                thaw_fail(tokenizer->context, THAW_NOT_FOUND, "token %zu has id %d, which has no token", i, ids[i]);
        else if (skip_special && thaw_added_tokens_special(&tokenizer->added, ids[i]))
            continue;
        else if (!append_token(&d, token, first))
            status = thaw_fail(tokenizer->context, THAW_OUT_OF_MEMORY, "no memory for the text of %zu tokens", count);
        first = false;
    }
    if (status == THAW_OK)
        status = finish(&d, text);
    thaw_release(tokenizer->context, d.text.items);
    return status;
}
