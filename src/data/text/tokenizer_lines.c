/* vocab.txt with tokenizer_config.json, and vocab.json with merges.txt. */
#include "data/text/character.h"
#include "data/text/json_model.h"
#include "data/text/repair.h"
#include "data/text/tokenizer_files.h"
#include "data/text/whole_file.h"

/* Calls `take` with each line, without its end. Lines end with LF, or CR LF. */
static thaw_status each_line(thaw_tokenizer *tokenizer, const char *path,
                             thaw_status (*take)(thaw_tokenizer *tokenizer, const char *path, char *line, size_t bytes,
                                                 size_t number))
{
    char *text;
    size_t bytes, number = 0;
    thaw_status status = thaw_whole_file_read(tokenizer->context, path, &text, &bytes);
    if (status == THAW_OK && thaw_utf8_valid((const unsigned char *)text, bytes) < bytes)
        status = thaw_fail(tokenizer->context, THAW_BAD_FORMAT, "%s: is not UTF-8", path);
    if (status == THAW_OK && memchr(text, '\0', bytes))
        status = thaw_fail(tokenizer->context, THAW_BAD_FORMAT, "%s: has a zero byte", path);
    for (size_t at = 0; status == THAW_OK && at < bytes; number++) {
        char *line = text + at;
        size_t length = strcspn(line, "\n");
        at += length + 1;
        length -= length > 0 && line[length - 1] == '\r';
        line[length] = '\0';
        status = take(tokenizer, path, line, length, number);
    }
    thaw_release(tokenizer->context, text);
    return status;
}

/* ---- WordPiece ---- */

/* Spaces at the end are no part of a token. */
static thaw_status take_token(thaw_tokenizer *tokenizer, const char *path, char *line, size_t bytes, size_t number)
{
    while (bytes > 0) {
        size_t before = bytes - 1;
        while (before > 0 && ((unsigned char)line[before] & 0xC0) == 0x80)
            before--;
        const unsigned char *last = (const unsigned char *)line + before;
        if (!thaw_character_is_space(thaw_character_next(&last)))
            break;
        bytes = before;
    }
    return thaw_vocabulary_add(&tokenizer->vocabulary, path, line, bytes, (int64_t)number);
}

static thaw_status read_config(thaw_tokenizer *tokenizer, const char *path)
{
    thaw_bert_form *form = &tokenizer->form;
    json_t *file;
    thaw_status status = thaw_json_read(tokenizer->context, path, &file);
    const thaw_json_part root = { tokenizer->context, path, "the file", file };
    if (status == THAW_OK)
        status = thaw_json_get_flag(&root, "do_lower_case", &form->lower);
    form->accents = form->lower;
    if (status == THAW_OK)
        status = thaw_json_get_flag(&root, "strip_accents", &form->accents);
    if (status == THAW_OK)
        status = thaw_json_get_flag(&root, "tokenize_chinese_chars", &form->ideographs);
    json_decref(file);
    return status;
}

static thaw_status add_specials(thaw_tokenizer *tokenizer, const char *path)
{
    static const char *const names[] = { "[UNK]", "[SEP]", "[CLS]", "[PAD]", "[MASK]" };
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < THAW_COUNT(names) && status == THAW_OK; i++) {
        const thaw_added_token token = { .id = thaw_tokenizer_id(tokenizer, names[i]), .special = true };
        if (token.id != THAW_NO_TOKEN)
            status = thaw_tokenizer_add(tokenizer, path, names[i], strlen(names[i]), &token);
    }
    return status;
}

thaw_status thaw_tokenizer_read_lines(thaw_context *context, const char *path, const char *config,
                                      thaw_tokenizer **tokenizer)
{
    thaw_status status = thaw_tokenizer_make(context, THAW_TOKENIZER_WORD_PIECE, tokenizer);
    if (status != THAW_OK)
        return status;
    thaw_tokenizer *made = *tokenizer;
    made->form = (thaw_bert_form){ true, true, true, true };
    made->pieces.most = 100;
    made->cleans = true;
    made->prefix = thaw_copy_text(context, "##");
    status = made->prefix ? each_line(made, path, take_token) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK && config)
        status = read_config(made, config);
    if (status == THAW_OK)
        status = add_specials(made, path);
    if (status == THAW_OK)
        status = thaw_tokenizer_list_pieces(made);
    const int32_t begin = thaw_tokenizer_id(made, "[CLS]"), separator = thaw_tokenizer_id(made, "[SEP]");
    made->pieces.unknown = thaw_tokenizer_id(made, "[UNK]");
    if (status == THAW_OK && (begin < 0 || separator < 0 || made->pieces.unknown < 0))
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: must have the tokens [UNK], [CLS] and [SEP]", path);
    return status == THAW_OK ? thaw_tokenizer_lay_out(made, begin, separator, false) : status;
}

/* ---- byte-level BPE ---- */

/* The first line may be "#version: 0.2". */
static thaw_status take_merge(thaw_tokenizer *tokenizer, const char *path, char *line, size_t bytes, size_t number)
{
    thaw_byte_pairs *pairs = &tokenizer->pairs;
    char *space = strchr(line, ' ');
    if (strncmp(line, "#version", 8) == 0)
        return THAW_OK;
    if (!space || strchr(space + 1, ' ') || space == line || space + 1 == line + bytes)
        return thaw_fail(tokenizer->context, THAW_BAD_FORMAT, "%s: line %zu must be two tokens", path, number + 1);
    *space = '\0';
    if (number >= THAW_MOST_TOKENS)
        return thaw_fail(tokenizer->context, THAW_BAD_FORMAT, "%s: has more than %d lines", path, THAW_MOST_TOKENS);
    return thaw_byte_pairs_add(pairs, &tokenizer->vocabulary, path, line, space + 1, (uint32_t)number);
}

thaw_status thaw_tokenizer_read_merges(thaw_context *context, const char *vocabulary, const char *merges,
                                       thaw_tokenizer **tokenizer)
{
    json_t *file = NULL;
    thaw_status status = thaw_tokenizer_make(context, THAW_TOKENIZER_BYTE_PAIR, tokenizer);
    if (status == THAW_OK)
        status = thaw_json_read(context, vocabulary, &file);
    const thaw_json_part part = { context, vocabulary, "the file", file };
    if (status == THAW_OK)
        status = thaw_read_vocabulary(&part, *tokenizer);
    json_decref(file);
    if (status != THAW_OK)
        return status;
    thaw_tokenizer_list_symbols(*tokenizer);
    status = thaw_byte_pairs_reserve(&(*tokenizer)->pairs, (*tokenizer)->vocabulary.count);
    if (status == THAW_OK)
        status = each_line(*tokenizer, merges, take_merge);
    if (status == THAW_OK)
        status = thaw_tokenizer_lay_out_plainly(*tokenizer);
    static const char end[] = "<|endoftext|>";
    const thaw_added_token token = { .id = thaw_tokenizer_id(*tokenizer, end), .special = true };
    if (status == THAW_OK && token.id != THAW_NO_TOKEN)
        status = thaw_tokenizer_add(*tokenizer, vocabulary, end, sizeof end - 1, &token);
    return status;
}
