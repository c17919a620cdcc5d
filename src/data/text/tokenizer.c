#include "data/text/tokenizer.h"

#include "data/text/byte_words.h"
#include "data/text/character.h"

thaw_status thaw_tokenizer_make(thaw_context *context, thaw_tokenizer_kind kind, thaw_tokenizer **tokenizer)
{
    thaw_tokenizer *made = thaw_allocate(context, sizeof *made);
    *tokenizer = made;
    if (!made)
        return THAW_OUT_OF_MEMORY;
    const thaw_trie trie = { .context = context };
    made->context = context;
    made->kind = kind;
    made->vocabulary.context = context;
    made->added.context = context;
    made->added.tries[0] = made->added.tries[1] = trie;
    made->pieces = (thaw_word_pieces){ .first = trie, .next = trie, .unknown = THAW_NO_TOKEN };
    made->pairs.context = context;
    made->pairs.unknown = THAW_NO_TOKEN;
    made->joins = true;
    return THAW_OK;
}

void thaw_tokenizer_destroy(thaw_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    thaw_context *context = tokenizer->context;
    thaw_vocabulary_release(&tokenizer->vocabulary);
    thaw_added_tokens_release(&tokenizer->added);
    thaw_trie_release(&tokenizer->pieces.first);
    thaw_trie_release(&tokenizer->pieces.next);
    thaw_byte_pairs_release(&tokenizer->pairs);
    thaw_release(context, tokenizer->single.pieces);
    thaw_release(context, tokenizer->pair.pieces);
    thaw_release(context, tokenizer->prefix);
    thaw_release(context, tokenizer);
}

/* ---- making one ---- */

thaw_status thaw_tokenizer_list_pieces(thaw_tokenizer *tokenizer)
{
    const size_t prefix = strlen(tokenizer->prefix);
    thaw_status status = THAW_OK;
    for (size_t id = 0; id < tokenizer->vocabulary.count && status == THAW_OK; id++) {
        const char *token = thaw_vocabulary_token(&tokenizer->vocabulary, (int64_t)id);
        const size_t bytes = token ? strlen(token) : 0;
        if (bytes == 0)
            continue;
        status = thaw_trie_add(&tokenizer->pieces.first, token, bytes, (int32_t)id);
        if (status == THAW_OK && bytes > prefix && strncmp(token, tokenizer->prefix, prefix) == 0)
            status = thaw_trie_add(&tokenizer->pieces.next, token + prefix, bytes - prefix, (int32_t)id);
    }
    return status;
}

void thaw_tokenizer_list_symbols(thaw_tokenizer *tokenizer)
{
    for (size_t byte = 0; byte < 256; byte++) {
        unsigned char character[THAW_UTF8_BYTES];
        const size_t bytes = thaw_character_write(thaw_byte_character((unsigned char)byte), character);
        tokenizer->pairs.symbols[byte] = thaw_vocabulary_find(&tokenizer->vocabulary, (const char *)character, bytes);
    }
}

/* A token that is looked for in normalised text is normalised itself. */
thaw_status thaw_tokenizer_add(thaw_tokenizer *tokenizer, const char *path, const char *content, size_t bytes,
                               const thaw_added_token *token)
{
    thaw_context *context = tokenizer->context;
    thaw_byte_list normalised = { 0 };
    thaw_id_list marks = { 0 };
    if (bytes == 0)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: the added token %d is empty", path, (int)token->id);
    thaw_status status = thaw_vocabulary_add(&tokenizer->vocabulary, path, content, bytes, token->id);
    if (status == THAW_OK && token->normalised && tokenizer->kind == THAW_TOKENIZER_WORD_PIECE) {
        if (!thaw_bert_normalise(context, &tokenizer->form, (const unsigned char *)content, bytes, &marks, &normalised))
            status = thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: no memory for its added tokens", path);
        content = (const char *)normalised.items;
        bytes = normalised.count;
    }
    if (status == THAW_OK && bytes)
        status = thaw_added_tokens_add(&tokenizer->added, token, content, bytes);
    thaw_release(context, normalised.items);
    thaw_release(context, marks.items);
    return status;
}

static thaw_status lay_out(thaw_tokenizer *tokenizer, thaw_layout *layout, const thaw_piece *pieces, size_t count)
{
    thaw_status status = THAW_OK;
    layout->count = layout->specials = 0;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = thaw_layout_add(tokenizer->context, layout, pieces[i]);
    return status;
}

thaw_status thaw_tokenizer_lay_out(thaw_tokenizer *tokenizer, int32_t begin, int32_t separator, bool doubled)
{
    const thaw_piece cls = { .id = begin }, sep = { .id = separator };
    const thaw_piece end = { .id = separator, .type = !doubled }, first = { .kind = THAW_PIECE_FIRST };
    const thaw_piece second = { .kind = THAW_PIECE_SECOND, .type = !doubled };
    const thaw_piece single[] = { cls, first, sep };
    const thaw_piece pair[] = { cls, first, sep, second, end }, wide[] = { cls, first, sep, sep, second, end };
    thaw_status status = lay_out(tokenizer, &tokenizer->single, single, THAW_COUNT(single));
    if (status == THAW_OK)
        status =
            lay_out(tokenizer, &tokenizer->pair, doubled ? wide : pair, doubled ? THAW_COUNT(wide) : THAW_COUNT(pair));
    return status;
}

thaw_status thaw_tokenizer_lay_out_plainly(thaw_tokenizer *tokenizer)
{
    const thaw_piece pieces[] = { { .kind = THAW_PIECE_FIRST }, { .kind = THAW_PIECE_SECOND, .type = 1 } };
    const thaw_status status = lay_out(tokenizer, &tokenizer->single, pieces, 1);
    return status == THAW_OK ? lay_out(tokenizer, &tokenizer->pair, pieces, 2) : status;
}

/* ---- asking one ---- */

thaw_tokenizer_kind thaw_tokenizer_kind_of(const thaw_tokenizer *tokenizer)
{
    return tokenizer->kind;
}

size_t thaw_tokenizer_count(const thaw_tokenizer *tokenizer)
{
    return tokenizer->vocabulary.count;
}

int32_t thaw_tokenizer_id(const thaw_tokenizer *tokenizer, const char *token)
{
    return thaw_vocabulary_find(&tokenizer->vocabulary, token, strlen(token));
}

const char *thaw_tokenizer_token(const thaw_tokenizer *tokenizer, int32_t id)
{
    return thaw_vocabulary_token(&tokenizer->vocabulary, id);
}
