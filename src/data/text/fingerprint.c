/* Whether two tokenizers are the same. */
#include "core/digest.h"
#include "data/text/tokenizer.h"

static void add_vocabulary(thaw_digest *digest, const thaw_vocabulary *vocabulary)
{
    thaw_digest_add_number(digest, vocabulary->count);
    for (size_t id = 0; id < vocabulary->count; id++) {
        const char *token = thaw_vocabulary_token(vocabulary, (int64_t)id);
        thaw_digest_add_number(digest, token != NULL);
        thaw_digest_add_text(digest, token ? token : "");
    }
}

static void add_added(thaw_digest *digest, const thaw_added_tokens *added)
{
    thaw_digest_add_number(digest, added->count);
    for (size_t i = 0; i < added->count; i++) {
        const thaw_added_token *token = &added->items[i];
        const bool flags[] = { token->special, token->normalised, token->strips_left, token->strips_right };
        thaw_digest_add_number(digest, (uint64_t)token->id);
        thaw_digest_add(digest, flags, sizeof flags);
    }
}

static void add_layout(thaw_digest *digest, const thaw_layout *layout)
{
    for (size_t i = 0; i < layout->count; i++) {
        const thaw_piece *piece = &layout->pieces[i];
        const int32_t values[] = { (int32_t)piece->kind, piece->id, piece->type };
        thaw_digest_add(digest, values, sizeof values);
    }
    thaw_digest_add_number(digest, layout->count);
}

void thaw_tokenizer_fingerprint(const thaw_tokenizer *tokenizer, uint64_t fingerprint[2])
{
    const thaw_bert_form *form = &tokenizer->form;
    const bool flags[] = { form->clean, form->ideographs, form->accents, form->lower, tokenizer->adds_space };
    const thaw_byte_pairs *pairs = &tokenizer->pairs;
    thaw_digest digest = { 0 };
    thaw_digest_add_number(&digest, (uint64_t)tokenizer->kind);
    thaw_digest_add(&digest, flags, sizeof flags);
    add_vocabulary(&digest, &tokenizer->vocabulary);
    add_added(&digest, &tokenizer->added);
    add_layout(&digest, &tokenizer->single);
    add_layout(&digest, &tokenizer->pair);
    thaw_digest_add_text(&digest, tokenizer->prefix ? tokenizer->prefix : "");
    thaw_digest_add_number(&digest, (uint64_t)tokenizer->pieces.unknown);
    thaw_digest_add_number(&digest, tokenizer->pieces.most);
    thaw_digest_add_number(&digest, (uint64_t)pairs->unknown);
    thaw_digest_add(&digest, pairs->symbols, sizeof pairs->symbols);
    if (pairs->merges)
        thaw_digest_add(&digest, pairs->merges, pairs->slot_count * sizeof *pairs->merges);
    fingerprint[0] = digest.lane[0];
    fingerprint[1] = digest.lane[1];
}
