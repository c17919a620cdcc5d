#include "data/text/tokenizer_steps.h"

static bool is_word_piece(const thaw_tokenizer *tokenizer)
{
    return tokenizer->kind == THAW_TOKENIZER_WORD_PIECE;
}

static thaw_status fail_type(const thaw_json_part *part, const thaw_tokenizer *tokenizer, const char *type,
                             const char *known)
{
    return thaw_json_fail(part, THAW_UNSUPPORTED, "\"%.60s\" is not supported with %s, must be %s", type,
                          is_word_piece(tokenizer) ? "WordPiece" : "BPE", known);
}

/* Checks that a part is of the only type that there is. */
static thaw_status demand_type(const thaw_json_part *part, const thaw_tokenizer *tokenizer, const char *wanted)
{
    const char *type;
    const thaw_status status = part->value ? thaw_json_get_type(part, &type) : THAW_OK;
    if (status != THAW_OK)
        return status;
    if (!part->value || strcmp(type, wanted) != 0)
        return fail_type(part, tokenizer, part->value ? type : "null", wanted);
    return THAW_OK;
}

thaw_status thaw_read_normalizer(const thaw_json_part *root, thaw_tokenizer *tokenizer)
{
    static const char *const keys[] = { "type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase" };
    const thaw_json_part part = thaw_json_member(root, "normalizer");
    thaw_bert_form *form = &tokenizer->form;
    const char *type;
    if (!part.value)
        return THAW_OK;
    thaw_status status = thaw_json_get_type(&part, &type);
    if (status == THAW_OK && !is_word_piece(tokenizer))
        return fail_type(&part, tokenizer, type, "null");
    if (status == THAW_OK)
        status = demand_type(&part, tokenizer, "BertNormalizer");
    if (status == THAW_OK)
        status = thaw_json_check(&part, keys, THAW_COUNT(keys));
    form->clean = form->ideographs = form->lower = true;
    if (status == THAW_OK)
        status = thaw_json_get_flag(&part, "clean_text", &form->clean);
    if (status == THAW_OK)
        status = thaw_json_get_flag(&part, "handle_chinese_chars", &form->ideographs);
    if (status == THAW_OK)
        status = thaw_json_get_flag(&part, "lowercase", &form->lower);
    form->accents = form->lower;
    return status == THAW_OK ? thaw_json_get_flag(&part, "strip_accents", &form->accents) : status;
}

thaw_status thaw_read_pre_tokenizer(const thaw_json_part *root, thaw_tokenizer *tokenizer)
{
    static const char *const keys[] = { "type", "add_prefix_space", "trim_offsets", "use_regex" };
    const thaw_json_part part = thaw_json_member(root, "pre_tokenizer");
    thaw_status status = demand_type(&part, tokenizer, is_word_piece(tokenizer) ? "BertPreTokenizer" : "ByteLevel");
    if (status == THAW_OK)
        status = thaw_json_check(&part, keys, is_word_piece(tokenizer) ? 1 : THAW_COUNT(keys));
    if (status != THAW_OK || is_word_piece(tokenizer))
        return status;
    tokenizer->adds_space = true;
    status = thaw_json_get_flag(&part, "add_prefix_space", &tokenizer->adds_space);
    return status == THAW_OK ? thaw_json_demand_flag(&part, "use_regex", true) : status;
}

thaw_status thaw_read_decoder(const thaw_json_part *root, thaw_tokenizer *tokenizer)
{
    static const char *const keys[] = { "type", "prefix", "cleanup", "add_prefix_space", "trim_offsets", "use_regex" };
    const thaw_json_part part = thaw_json_member(root, "decoder");
    const char *prefix = tokenizer->prefix;
    tokenizer->joins = part.value != NULL;
    if (!part.value)
        return THAW_OK;
    thaw_status status = demand_type(&part, tokenizer, is_word_piece(tokenizer) ? "WordPiece" : "ByteLevel");
    if (status == THAW_OK)
        status = thaw_json_check(&part, keys, THAW_COUNT(keys));
    if (status != THAW_OK || !is_word_piece(tokenizer))
        return status;
    tokenizer->cleans = true;
    status = thaw_json_get_flag(&part, "cleanup", &tokenizer->cleans);
    if (status == THAW_OK)
        status = thaw_json_get_text(&part, "prefix", &prefix);
    if (status == THAW_OK && strcmp(prefix, tokenizer->prefix) != 0)
        return thaw_json_fail(&part, THAW_UNSUPPORTED, "prefix=\"%.60s\" differs from the model's \"%.60s\"", prefix,
                              tokenizer->prefix);
    return status;
}
