/* Texts to ids. */
#include "data/text/byte_words.h"
#include "data/text/repair.h"
#include "data/text/tokenizer.h"

struct thaw_encoder {
    const thaw_tokenizer *tokenizer;
    thaw_byte_list repaired, normalised;
    thaw_id_list marks; /* working memory of the normalisation */
    thaw_merging merging;
    thaw_id_list texts[2], ids, types;
};

thaw_status thaw_encoder_create(const thaw_tokenizer *tokenizer, thaw_encoder **encoder)
{
    *encoder = thaw_allocate(tokenizer->context, sizeof **encoder);
    if (!*encoder)
        return THAW_OUT_OF_MEMORY;
    (*encoder)->tokenizer = tokenizer;
    return THAW_OK;
}

void thaw_encoder_destroy(thaw_encoder *encoder)
{
    if (!encoder)
        return;
    thaw_context *context = encoder->tokenizer->context;
    thaw_merging_release(context, &encoder->merging);
    thaw_release(context, encoder->repaired.items);
    thaw_release(context, encoder->normalised.items);
    thaw_release(context, encoder->marks.items);
    thaw_release(context, encoder->texts[0].items);
    thaw_release(context, encoder->texts[1].items);
    thaw_release(context, encoder->ids.items);
    thaw_release(context, encoder->types.items);
    thaw_release(context, encoder);
}

/* ---- one text ---- */

/* A part of a text, whose ids are appended. The functions below return false if there is no memory. */
typedef bool encoding(thaw_encoder *encoder, const unsigned char *text, size_t bytes, thaw_id_list *ids);

static bool encode_words(thaw_encoder *encoder, const unsigned char *text, size_t bytes, thaw_id_list *ids)
{
    const thaw_tokenizer *tokenizer = encoder->tokenizer;
    if (tokenizer->kind == THAW_TOKENIZER_WORD_PIECE)
        return thaw_word_pieces_cut(tokenizer->context, &tokenizer->pieces, text, bytes, ids);
    if (tokenizer->adds_space && bytes && *text != ' ') {
        encoder->normalised.count = 0;
        if (!thaw_byte_list_append(tokenizer->context, &encoder->normalised, " ", 1) ||
            !thaw_byte_list_append(tokenizer->context, &encoder->normalised, text, bytes))
            return false;
        text = encoder->normalised.items;
        bytes++;
    }
    while (bytes > 0) {
        const size_t length = thaw_byte_word(text, bytes);
        if (!thaw_byte_pairs_merge(&tokenizer->pairs, &encoder->merging, text, length, ids))
            return false;
        text += length;
        bytes -= length;
    }
    return true;
}

/* Appends the ids of added tokens, and what `encode` makes of the texts between them. */
static bool encode_between(thaw_encoder *encoder, bool normalised, encoding *encode, const unsigned char *text,
                           size_t bytes, thaw_id_list *ids)
{
    const thaw_tokenizer *tokenizer = encoder->tokenizer;
    size_t at = 0, begin, end;
    for (const thaw_added_token *found;
         (found = thaw_added_tokens_find(&tokenizer->added, normalised, text, bytes, at, &begin, &end)); at = end)
        if ((begin > at && !encode(encoder, text + at, begin - at, ids)) ||
            !thaw_id_list_add(tokenizer->context, ids, found->id))
            return false;
    return at == bytes || encode(encoder, text + at, bytes - at, ids);
}

static bool encode_part(thaw_encoder *encoder, const unsigned char *text, size_t bytes, thaw_id_list *ids)
{
    const thaw_tokenizer *tokenizer = encoder->tokenizer;
    if (tokenizer->kind == THAW_TOKENIZER_WORD_PIECE) {
        encoder->normalised.count = 0;
        if (!thaw_bert_normalise(tokenizer->context, &tokenizer->form, text, bytes, &encoder->marks,
                                 &encoder->normalised))
            return false;
        text = encoder->normalised.items;
        bytes = encoder->normalised.count;
    }
    return encode_between(encoder, true, encode_words, text, bytes, ids);
}

static bool encode_text(thaw_encoder *encoder, const char *text, size_t bytes, thaw_id_list *ids, size_t *replaced)
{
    const unsigned char *from = (const unsigned char *)text;
    ids->count = *replaced = 0;
    if (thaw_utf8_valid(from, bytes) < bytes) {
        encoder->repaired.count = 0;
        if (bytes > SIZE_MAX / 3 || !thaw_byte_list_reserve(encoder->tokenizer->context, &encoder->repaired, 3 * bytes))
            return false;
        bytes = thaw_utf8_repair(from, bytes, encoder->repaired.items, replaced);
        from = encoder->repaired.items;
    }
    return encode_between(encoder, false, encode_part, from, bytes, ids);
}

/* ---- the whole ---- */

static thaw_status truncate(const thaw_encode_options *options, size_t specials, size_t *first, size_t *second)
{
    if (options->length == 0)
        return THAW_OK;
    if (options->length < specials ||
        !thaw_layout_truncate(options->truncation, options->length - specials, first, second))
        return THAW_INVALID_ARGUMENT;
    return THAW_OK;
}

thaw_status thaw_encoder_encode(thaw_encoder *encoder, const thaw_encode_options *options, const char *text,
                                size_t bytes, const char *second, size_t second_bytes, thaw_encoded *encoded)
{
    const thaw_tokenizer *tokenizer = encoder->tokenizer;
    const thaw_encode_options defaults = { 0 };
    thaw_id_list *texts = encoder->texts;
    size_t replaced = 0, more = 0;
    options = options ? options : &defaults;
    *encoded = (thaw_encoded){ 0 };
    texts[1].count = 0;
    if (!encode_text(encoder, text, bytes, &texts[0], &replaced) ||
        (second && !encode_text(encoder, second, second_bytes, &texts[1], &more)))
        return THAW_OUT_OF_MEMORY;
    const thaw_layout *layout = second ? &tokenizer->pair : &tokenizer->single;
    const size_t specials = options->bare ? 0 : layout->specials;
    const size_t whole = texts[0].count + texts[1].count + specials;
    const thaw_status status = truncate(options, specials, &texts[0].count, &texts[1].count);
    if (status != THAW_OK)
        return status;
    encoder->ids.count = encoder->types.count = 0;
    if (!thaw_layout_write(tokenizer->context, layout, !options->bare, &texts[0], &texts[1], &encoder->ids,
                           &encoder->types))
        return THAW_OUT_OF_MEMORY;
    *encoded = (thaw_encoded){ .ids = encoder->ids.items,
                               .types = encoder->types.items,
                               .count = encoder->ids.count,
                               .whole = whole,
                               .replaced = replaced + more };
    return THAW_OK;
}
