#include "data/text/json_model.h"

thaw_status thaw_read_vocabulary(const thaw_json_part *part, thaw_tokenizer *tokenizer)
{
    const char *token;
    json_t *id;
    thaw_status status = THAW_OK;
    if (!json_is_object(part->value))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "must be an object of tokens and their ids");
    json_object_foreach((json_t *)part->value, token, id)
    {
        if (!json_is_integer(id))
            return thaw_json_fail(part, THAW_BAD_FORMAT, "the id of \"%.60s\" must be a whole number", token);
        status = thaw_vocabulary_add(&tokenizer->vocabulary, part->path, token, strlen(token), json_integer_value(id));
        if (status != THAW_OK)
            return status;
    }
    return THAW_OK;
}

/* The id of the model's "unk_token", if it has one. */
static thaw_status read_unknown(const thaw_json_part *part, const thaw_tokenizer *tokenizer, const char *name,
                                int32_t *id)
{
    const thaw_status status = thaw_json_get_text(part, "unk_token", &name);
    if (status != THAW_OK || !name)
        return status;
    *id = thaw_vocabulary_find(&tokenizer->vocabulary, name, strlen(name));
    if (*id == THAW_NO_TOKEN)
        return thaw_json_fail(part, THAW_BAD_FORMAT, "the unk_token \"%.60s\" is not in the vocabulary", name);
    return THAW_OK;
}

/* ---- WordPiece ---- */

static thaw_status read_word_piece(const thaw_json_part *part, thaw_tokenizer *tokenizer)
{
    static const char *const keys[] = { "type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word",
                                        "vocab" };
    const char *prefix = "##";
    int64_t most = 100;
    thaw_status status = thaw_json_check(part, keys, THAW_COUNT(keys));
    if (status == THAW_OK)
        status = thaw_json_get_text(part, "continuing_subword_prefix", &prefix);
    if (status == THAW_OK)
        status = thaw_json_get_number(part, "max_input_chars_per_word", &most);
    if (status == THAW_OK)
        status = read_unknown(part, tokenizer, "[UNK]", &tokenizer->pieces.unknown);
    if (status != THAW_OK)
        return status;
    tokenizer->pieces.most = (size_t)most;
    tokenizer->prefix = thaw_copy_text(part->context, prefix);
    return tokenizer->prefix ? thaw_tokenizer_list_pieces(tokenizer) : THAW_OUT_OF_MEMORY;
}

/* ---- BPE ---- */

/* A merge is "LEFT RIGHT", or an array of both. */
static thaw_status add_merge(const thaw_json_part *part, thaw_tokenizer *tokenizer, const json_t *merge, uint32_t rank)
{
    const char *text = json_string_value(merge), *space = text ? strchr(text, ' ') : NULL;
    const char *left = json_string_value(json_array_get(merge, 0)),
               *right = json_string_value(json_array_get(merge, 1));
    if (json_array_size(merge) == 2 && left && right)
        return thaw_byte_pairs_add(&tokenizer->pairs, &tokenizer->vocabulary, part->path, left, right, rank);
    if (!space || strchr(space + 1, ' '))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "merge %u must be two tokens", rank + 1);
    char *copy = thaw_copy_text(part->context, text);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    copy[space - text] = '\0';
    const thaw_status status = thaw_byte_pairs_add(&tokenizer->pairs, &tokenizer->vocabulary, part->path, copy,
                                                   copy + (space - text) + 1, rank);
    thaw_release(part->context, copy);
    return status;
}

static thaw_status read_merges(const thaw_json_part *part, thaw_tokenizer *tokenizer)
{
    const size_t count = json_array_size(part->value);
    if (!json_is_array(part->value) || count > THAW_MOST_TOKENS)
        return thaw_json_fail(part, THAW_BAD_FORMAT, "must be an array of at most %d merges", THAW_MOST_TOKENS);
    thaw_status status = thaw_byte_pairs_reserve(&tokenizer->pairs, count);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = add_merge(part, tokenizer, json_array_get(part->value, i), (uint32_t)i);
    return status;
}

static thaw_status read_byte_pairs(const thaw_json_part *part, thaw_tokenizer *tokenizer)
{
    static const char *const keys[] = { "type",
                                        "unk_token",
                                        "continuing_subword_prefix",
                                        "end_of_word_suffix",
                                        "fuse_unk",
                                        "byte_fallback",
                                        "ignore_merges",
                                        "vocab",
                                        "merges" };
    thaw_status status = thaw_json_check(part, keys, THAW_COUNT(keys));
    if (status == THAW_OK)
        status = thaw_json_demand_empty(part, "continuing_subword_prefix");
    if (status == THAW_OK)
        status = thaw_json_demand_empty(part, "end_of_word_suffix");
    if (status == THAW_OK)
        status = thaw_json_demand_flag(part, "fuse_unk", false);
    if (status == THAW_OK)
        status = thaw_json_demand_flag(part, "byte_fallback", false);
    if (status == THAW_OK)
        status = thaw_json_demand_flag(part, "ignore_merges", false);
    if (status == THAW_OK)
        status = read_unknown(part, tokenizer, NULL, &tokenizer->pairs.unknown);
    const thaw_json_part merges = thaw_json_member(part, "merges");
    if (status == THAW_OK)
        status = read_merges(&merges, tokenizer);
    if (status == THAW_OK)
        thaw_tokenizer_list_symbols(tokenizer);
    return status;
}

/* ---- either ---- */

thaw_status thaw_read_model(const thaw_json_part *root, thaw_tokenizer **tokenizer)
{
    const thaw_json_part part = thaw_json_member(root, "model");
    const char *type = thaw_json_member(&part, "merges").value ? "BPE" : "WordPiece"; /* older files do not say */
    *tokenizer = NULL;
    if (!json_is_object(part.value))
        return thaw_json_fail(&part, THAW_BAD_FORMAT, "must be an object");
    thaw_status status = thaw_json_get_text(&part, "type", &type);
    const bool pairs = status == THAW_OK && strcmp(type, "BPE") == 0;
    if (status == THAW_OK && !pairs && strcmp(type, "WordPiece") != 0)
        status = thaw_json_fail(&part, THAW_UNSUPPORTED, "\"%.60s\" is not supported, must be WordPiece or BPE", type);
    if (status == THAW_OK)
        status =
            thaw_tokenizer_make(part.context, pairs ? THAW_TOKENIZER_BYTE_PAIR : THAW_TOKENIZER_WORD_PIECE, tokenizer);
    const thaw_json_part vocabulary = thaw_json_member(&part, "vocab");
    if (status == THAW_OK)
        status = thaw_read_vocabulary(&vocabulary, *tokenizer);
    if (status == THAW_OK)
        status = pairs ? read_byte_pairs(&part, *tokenizer) : read_word_piece(&part, *tokenizer);
    return status;
}
