#include "data/text/word_pieces.h"

#include "data/text/character.h"

static bool cut_word(thaw_context *context, const thaw_word_pieces *pieces, const unsigned char *word, size_t bytes,
                     size_t characters, thaw_id_list *ids)
{
    const size_t before = ids->count;
    const thaw_trie *trie = &pieces->first;
    if (characters > pieces->most)
        return thaw_id_list_add(context, ids, pieces->unknown);
    while (bytes > 0) {
        int32_t id;
        const size_t length = thaw_trie_longest(trie, word, bytes, &id);
        if (length == 0) {
            ids->count = before;
            return thaw_id_list_add(context, ids, pieces->unknown);
        }
        if (!thaw_id_list_add(context, ids, id))
            return false;
        word += length;
        bytes -= length;
        trie = &pieces->next;
    }
    return true;
}

bool thaw_word_pieces_cut(thaw_context *context, const thaw_word_pieces *pieces, const unsigned char *text,
                          size_t bytes, thaw_id_list *ids)
{
    const unsigned char *at = text, *end = text + bytes, *word = text;
    size_t characters = 0; /* of the word so far */
    while (at < end) {
        const unsigned char *begin = at;
        const uint32_t code = thaw_character_next(&at);
        const bool space = thaw_character_is_space(code);
        if (!space && !thaw_character_is_punctuation(code)) {
            characters++;
            continue;
        }
        if (characters && !cut_word(context, pieces, word, (size_t)(begin - word), characters, ids))
            return false;
        if (!space && !cut_word(context, pieces, begin, (size_t)(at - begin), 1, ids))
            return false;
        word = at;
        characters = 0;
    }
    return !characters || cut_word(context, pieces, word, (size_t)(end - word), characters, ids);
}
