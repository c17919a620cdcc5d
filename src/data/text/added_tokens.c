#include "data/text/added_tokens.h"

#include "core/allocation.h"
#include "data/text/character.h"

thaw_status thaw_added_tokens_add(thaw_added_tokens *tokens, const thaw_added_token *token, const char *content,
                                  size_t bytes)
{
    thaw_added_token *grown =
        thaw_grow(tokens->context, tokens->items, &tokens->capacity, tokens->count + 1, sizeof *grown);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    tokens->items = grown;
    grown[tokens->count] = *token;
    tokens->begins[token->normalised][(unsigned char)content[0]] = true;
    return thaw_trie_add(&tokens->tries[token->normalised], content, bytes, (int32_t)tokens->count++);
}

/* The beginning of the spaces that end at `at`, not before `from`. */
static size_t strip_left(const unsigned char *text, size_t from, size_t at)
{
    while (at > from) {
        size_t before = at - 1;
        while (before > from && (text[before] & 0xC0) == 0x80)
            before--;
        const unsigned char *character = text + before;
        if (!thaw_character_is_space(thaw_character_next(&character)))
            break;
        at = before;
    }
    return at;
}

static size_t strip_right(const unsigned char *text, size_t bytes, size_t at)
{
    const unsigned char *next = text + at;
    while (at < bytes && thaw_character_is_space(thaw_character_next(&next)))
        at = (size_t)(next - text);
    return at;
}

const thaw_added_token *thaw_added_tokens_find(const thaw_added_tokens *tokens, bool normalised,
                                               const unsigned char *text, size_t bytes, size_t from, size_t *begin,
                                               size_t *end)
{
    const bool *begins = tokens->begins[normalised];
    if (!tokens->tries[normalised].nodes)
        return NULL;
    for (size_t at = from; at < bytes; at++) {
        int32_t place;
        const size_t length =
            begins[text[at]] ? thaw_trie_longest(&tokens->tries[normalised], text + at, bytes - at, &place) : 0;
        if (!length)
            continue;
        const thaw_added_token *found = &tokens->items[place];
        *begin = found->strips_left ? strip_left(text, from, at) : at;
        *end = found->strips_right ? strip_right(text, bytes, at + length) : at + length;
        return found;
    }
    return NULL;
}

bool thaw_added_tokens_special(const thaw_added_tokens *tokens, int32_t id)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->items[i].id == id && tokens->items[i].special)
            return true;
    return false;
}

void thaw_added_tokens_release(thaw_added_tokens *tokens)
{
    thaw_release(tokens->context, tokens->items);
    thaw_trie_release(&tokens->tries[0]);
    thaw_trie_release(&tokens->tries[1]);
    *tokens = (thaw_added_tokens){ .context = tokens->context };
}
