/* tokenizer.json, the file of the `tokenizers` package. */
#include "data/text/json_model.h"
#include "data/text/tokenizer_files.h"
#include "data/text/tokenizer_steps.h"

static thaw_status read_added(const thaw_json_part *part, thaw_tokenizer *tokenizer)
{
    static const char *const keys[] = { "id", "content", "single_word", "lstrip", "rstrip", "normalized", "special" };
    thaw_added_token token = { .id = THAW_NO_TOKEN, .normalised = true };
    const char *content = "";
    int64_t id = THAW_NO_TOKEN;
    thaw_status status = thaw_json_check(part, keys, THAW_COUNT(keys));
    if (status == THAW_OK)
        status = thaw_json_get_text(part, "content", &content);
    if (status == THAW_OK)
        status = thaw_json_get_number(part, "id", &id);
    if (status == THAW_OK)
        status = thaw_json_demand_flag(part, "single_word", false);
    if (status == THAW_OK)
        status = thaw_json_get_flag(part, "lstrip", &token.strips_left);
    if (status == THAW_OK)
        status = thaw_json_get_flag(part, "rstrip", &token.strips_right);
    if (status == THAW_OK)
        status = thaw_json_get_flag(part, "special", &token.special);
    token.normalised = !token.special;
    if (status == THAW_OK)
        status = thaw_json_get_flag(part, "normalized", &token.normalised);
    if (status == THAW_OK && (id < 0 || id >= THAW_MOST_TOKENS))
        status = thaw_json_fail(part, THAW_BAD_FORMAT, "the id of \"%.60s\" must be from 0 to %d", content,
                                THAW_MOST_TOKENS - 1);
    token.id = (int32_t)id;
    return status == THAW_OK ? thaw_tokenizer_add(tokenizer, part->path, content, strlen(content), &token) : status;
}

static thaw_status read_all_added(const thaw_json_part *root, thaw_tokenizer *tokenizer)
{
    thaw_json_part part = thaw_json_member(root, "added_tokens");
    const json_t *list = part.value;
    thaw_status status = THAW_OK;
    if (list && !json_is_array(list))
        return thaw_json_fail(&part, THAW_BAD_FORMAT, "must be an array");
    for (size_t i = 0; i < json_array_size(list) && status == THAW_OK; i++) {
        part.value = json_array_get(list, i);
        status = read_added(&part, tokenizer);
    }
    return status;
}

static thaw_status read_parts(const thaw_json_part *root, thaw_tokenizer **tokenizer)
{
    static const char *const keys[] = { "version",       "truncation",     "padding", "added_tokens", "normalizer",
                                        "pre_tokenizer", "post_processor", "decoder", "model" };
    thaw_status status = thaw_json_check(root, keys, THAW_COUNT(keys));
    if (status == THAW_OK)
        status = thaw_read_model(root, tokenizer);
    if (status == THAW_OK)
        status = thaw_read_normalizer(root, *tokenizer);
    if (status == THAW_OK)
        status = thaw_read_pre_tokenizer(root, *tokenizer);
    if (status == THAW_OK)
        status = read_all_added(root, *tokenizer);
    if (status == THAW_OK)
        status = thaw_read_post_processor(root, *tokenizer);
    return status == THAW_OK ? thaw_read_decoder(root, *tokenizer) : status;
}

thaw_status thaw_tokenizer_read_json(thaw_context *context, const char *path, thaw_tokenizer **tokenizer)
{
    json_t *file;
    *tokenizer = NULL;
    thaw_status status = thaw_json_read(context, path, &file);
    const thaw_json_part root = { context, path, "the file", file };
    if (status == THAW_OK)
        status = read_parts(&root, tokenizer);
    json_decref(file);
    return status;
}
