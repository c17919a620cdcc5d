/* The post-processor of a tokenizer.json, which puts special tokens around texts. */
#include "data/text/tokenizer_steps.h"

/* ---- BertProcessing and RobertaProcessing ---- */

/* A token as an array of text and id; the id counts. */
static thaw_status read_token(const thaw_json_part *part, const thaw_tokenizer *tokenizer, const char *key, int32_t *id)
{
    const json_t *array = json_object_get(part->value, key), *number = json_array_get(array, 1);
    if (json_array_size(array) != 2 || !json_is_string(json_array_get(array, 0)) || !json_is_integer(number))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "%s must be an array of a token and its id", key);
    if (!thaw_vocabulary_token(&tokenizer->vocabulary, json_integer_value(number)))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "%s has an id that no token has", key);
    *id = (int32_t)json_integer_value(number);
    return THAW_OK;
}

static thaw_status read_pair(const thaw_json_part *part, thaw_tokenizer *tokenizer, bool doubled)
{
    static const char *const keys[] = { "type", "sep", "cls", "trim_offsets", "add_prefix_space" };
    int32_t begin, separator;
    thaw_status status = thaw_json_check(part, keys, THAW_COUNT(keys));
    if (status == THAW_OK)
        status = read_token(part, tokenizer, "cls", &begin);
    if (status == THAW_OK)
        status = read_token(part, tokenizer, "sep", &separator);
    return status == THAW_OK ? thaw_tokenizer_lay_out(tokenizer, begin, separator, doubled) : status;
}

/* ---- TemplateProcessing ---- */

/* Adds the tokens that a name of the template stands for. */
static thaw_status add_special(const thaw_json_part *part, const thaw_tokenizer *tokenizer, const char *name,
                               thaw_piece piece, thaw_layout *layout)
{
    const thaw_json_part tokens = thaw_json_member(part, "special_tokens");
    const json_t *ids = json_object_get(json_object_get(tokens.value, name), "ids");
    thaw_status status = THAW_OK;
    if (!json_is_array(ids) || json_array_size(ids) == 0)
        return thaw_json_fail(part, THAW_BAD_FORMAT, "special_tokens must have the ids of \"%.60s\"", name);
    for (size_t i = 0; i < json_array_size(ids) && status == THAW_OK; i++) {
        const json_t *id = json_array_get(ids, i);
        if (!json_is_integer(id) || !thaw_vocabulary_token(&tokenizer->vocabulary, json_integer_value(id)))
            return thaw_json_fail(part, THAW_BAD_FORMAT, "\"%.60s\" has an id that no token has", name);
        piece.id = (int32_t)json_integer_value(id);
        status = thaw_layout_add(part->context, layout, piece);
    }
    return status;
}

static thaw_status add_entry(const thaw_json_part *part, const thaw_tokenizer *tokenizer, const json_t *entry,
                             bool pair, thaw_layout *layout)
{
    const json_t *special = json_object_get(entry, "SpecialToken"), *sequence = json_object_get(entry, "Sequence");
    const json_t *body = special ? special : sequence, *type = json_object_get(body, "type_id");
    const char *name = json_string_value(json_object_get(body, "id"));
    if (!name || !json_is_integer(type) || json_integer_value(type) < 0 || json_integer_value(type) > 127)
        return thaw_json_fail(part, THAW_BAD_FORMAT,
                              "an entry must be a SpecialToken or a Sequence, with its id and type_id from 0 to 127");
    thaw_piece piece = { .type = (int32_t)json_integer_value(type) };
    if (special)
        return add_special(part, tokenizer, name, piece, layout);
    if (strcmp(name, "A") != 0 && !(pair && strcmp(name, "B") == 0))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "a Sequence is \"%.60s\", must be A%s", name, pair ? " or B" : "");
    piece.kind = *name == 'A' ? THAW_PIECE_FIRST : THAW_PIECE_SECOND;
    return thaw_layout_add(part->context, layout, piece);
}

/* A template has each text once. */
static thaw_status read_list(const thaw_json_part *part, const thaw_tokenizer *tokenizer, bool pair,
                             thaw_layout *layout)
{
    const json_t *list = json_object_get(part->value, pair ? "pair" : "single");
    size_t texts[3] = { 0 };
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < json_array_size(list) && status == THAW_OK; i++)
        status = add_entry(part, tokenizer, json_array_get(list, i), pair, layout);
    for (size_t i = 0; i < layout->count; i++)
        texts[layout->pieces[i].kind]++;
    if (status == THAW_OK && (texts[THAW_PIECE_FIRST] != 1 || texts[THAW_PIECE_SECOND] != pair))
        return thaw_json_fail(part, THAW_BAD_FORMAT, "%s must have each text once", pair ? "pair" : "single");
    return status;
}

static thaw_status read_template(const thaw_json_part *part, thaw_tokenizer *tokenizer)
{
    static const char *const keys[] = { "type", "single", "pair", "special_tokens" };
    thaw_status status = thaw_json_check(part, keys, THAW_COUNT(keys));
    tokenizer->single.count = tokenizer->single.specials = 0;
    tokenizer->pair.count = tokenizer->pair.specials = 0;
    if (status == THAW_OK)
        status = read_list(part, tokenizer, false, &tokenizer->single);
    return status == THAW_OK ? read_list(part, tokenizer, true, &tokenizer->pair) : status;
}

/* ---- all ---- */

static thaw_status read_one(const thaw_json_part *part, thaw_tokenizer *tokenizer, size_t *layouts)
{
    const char *type;
    const thaw_status status = thaw_json_get_type(part, &type);
    if (status != THAW_OK || strcmp(type, "ByteLevel") == 0) /* changes offsets alone */
        return status;
    if (++*layouts > 1)
        return thaw_json_fail(part, THAW_UNSUPPORTED, "more than one step that adds tokens is not supported");
    if (strcmp(type, "TemplateProcessing") == 0)
        return read_template(part, tokenizer);
    if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0)
        return read_pair(part, tokenizer, *type == 'R');
    return thaw_json_fail(part, THAW_UNSUPPORTED,
                          "\"%.60s\" is not supported, must be TemplateProcessing, BertProcessing, RobertaProcessing, "
                          "ByteLevel or a Sequence of these",
                          type);
}

thaw_status thaw_read_post_processor(const thaw_json_part *root, thaw_tokenizer *tokenizer)
{
    const thaw_json_part part = thaw_json_member(root, "post_processor");
    const char *type;
    size_t layouts = 0;
    thaw_status status = thaw_tokenizer_lay_out_plainly(tokenizer);
    if (status == THAW_OK && part.value)
        status = thaw_json_get_type(&part, &type);
    if (status != THAW_OK || !part.value)
        return status;
    if (strcmp(type, "Sequence") != 0)
        return read_one(&part, tokenizer, &layouts);
    const json_t *list = json_object_get(part.value, "processors");
    if (!json_is_array(list))
        return thaw_json_fail(&part, THAW_BAD_FORMAT, "a Sequence must have a list of processors");
    for (size_t i = 0; i < json_array_size(list) && status == THAW_OK; i++) {
        const thaw_json_part one = { part.context, part.path, part.name, json_array_get(list, i) };
        status = read_one(&one, tokenizer, &layouts);
    }
    return status;
}
