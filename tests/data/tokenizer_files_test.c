/* Files of tokenizers that are refused, damaged, or for which there is no memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/allocator.h"
#include "support/files.h"
#include "support/hostile.h"
#include "support/support.h"

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "tokenizer.json");
}

static void end(void)
{
    support_remove_directory(directory);
}

#define WORDS "\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"a\":1,\"##b\":2}}"
#define PAIRS "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]"
#define WORD_STEPS "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}"
#define PAIR_STEPS "\"pre_tokenizer\":{\"type\":\"ByteLevel\"}"

Test(tokenizer_files, says_what_is_not_supported, .init = begin, .fini = end)
{
    static const struct {
        const char *text;
        thaw_status status;
        const char *message;
    } wrong[] = {
        { "{", THAW_BAD_FORMAT, "tokenizer.json: line 1" },
        { "[]", THAW_BAD_FORMAT, "the file: must be an object" },
        { "{}", THAW_BAD_FORMAT, "model: must be an object" },
        { "{\"models\":{}}", THAW_UNSUPPORTED, "\"models\" is not supported" },
        { "{\"model\":{\"type\":\"Unigram\"}}", THAW_UNSUPPORTED,
          "\"Unigram\" is not supported, must be WordPiece or BPE" },
        { "{\"model\":{\"type\":\"WordPiece\"}}", THAW_BAD_FORMAT, "vocab: must be an object of tokens" },
        { "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", THAW_BAD_FORMAT,
          "\"[UNK]\" is not in the vocabulary" },
        { "{\"model\":{\"vocab\":{\"a\":\"b\"}}}", THAW_BAD_FORMAT, "the id of \"a\" must be a whole number" },
        { "{\"model\":{\"vocab\":{\"a\":0,\"b\":0}}}", THAW_BAD_FORMAT, "\"a\" and \"b\" both have id 0" },
        { "{\"model\":{\"vocab\":{\"a\":16777216}}}", THAW_BAD_FORMAT, "has id 16777216, must be from 0 to 16777215" },
        { "{" WORDS "}", THAW_UNSUPPORTED, "pre_tokenizer: \"null\" is not supported with WordPiece" },
        { "{" WORDS ",\"pre_tokenizer\":{\"type\":\"Whitespace\"}}", THAW_UNSUPPORTED,
          "\"Whitespace\" is not supported" },
        { "{" WORDS "," WORD_STEPS ",\"normalizer\":{\"type\":\"NFKC\"}}", THAW_UNSUPPORTED, "must be BertNormalizer" },
        { "{" WORDS "," WORD_STEPS ",\"decoder\":{\"type\":\"ByteLevel\"}}", THAW_UNSUPPORTED, "must be WordPiece" },
        { "{" WORDS "," WORD_STEPS ",\"post_processor\":{\"type\":\"Other\"}}", THAW_UNSUPPORTED,
          "\"Other\" is not supported" },
        { "{" WORDS "," WORD_STEPS
          ",\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"a\",7],\"cls\":[\"a\",1]}}",
          THAW_BAD_FORMAT, "sep has an id that no token has" },
        { "{" WORDS "," WORD_STEPS ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[],\"pair\":[]}}",
          THAW_BAD_FORMAT, "single must have each text once" },
        { "{" WORDS "," WORD_STEPS ",\"added_tokens\":[{\"id\":1,\"content\":\"z\"}]}", THAW_BAD_FORMAT,
          "\"a\" and \"z\" both have id 1" },
        { "{" WORDS "," WORD_STEPS ",\"added_tokens\":[{\"id\":3,\"content\":\"z\",\"single_word\":true}]}",
          THAW_UNSUPPORTED, "added_tokens: single_word=true is not supported" },
        { "{" PAIRS ",\"byte_fallback\":true}," PAIR_STEPS "}", THAW_UNSUPPORTED,
          "byte_fallback=true is not supported" },
        { "{" PAIRS ",\"dropout\":0.1}," PAIR_STEPS "}", THAW_UNSUPPORTED, "\"dropout\" is not supported" },
        { "{" PAIRS ",\"end_of_word_suffix\":\"</w>\"}," PAIR_STEPS "}", THAW_UNSUPPORTED,
          "end_of_word_suffix=\"</w>\"" },
        { "{" PAIRS "}," PAIR_STEPS ",\"normalizer\":{\"type\":\"NFC\"}}", THAW_UNSUPPORTED,
          "\"NFC\" is not supported with BPE" },
        { "{\"model\":{\"vocab\":{\"a\":0},\"merges\":[[\"a\",\"c\"]]}}", THAW_BAD_FORMAT,
          "merge 1 needs the token \"c\"" },
        { "{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"a\"]}}", THAW_BAD_FORMAT, "merge 1 must be two tokens" },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        thaw_tokenizer *tokenizer;
        support_write_file(path, wrong[i].text, strlen(wrong[i].text));
        assert_fails(context, thaw_tokenizer_open(context, path, &tokenizer), wrong[i].status, wrong[i].message);
        cr_assert_null(tokenizer);
    }
    thaw_context_destroy(context);
}

static void write_named(const char *name, const char *text)
{
    char file[SUPPORT_PATH_BYTES];
    support_write_file(support_path(file, directory, name), text, strlen(text));
}

Test(tokenizer_files, are_found_in_a_folder, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    thaw_tokenizer *tokenizer;
    thaw_encoder *encoder;
    thaw_encoded encoded;
    assert_fails(context, thaw_tokenizer_open(context, directory, &tokenizer), THAW_NOT_FOUND, "has no tokenizer.json");
    write_named("merges.txt", "#version: 0.2\na b\n");
    assert_fails(context, thaw_tokenizer_open(context, directory, &tokenizer), THAW_NOT_FOUND, "not both vocab.json");
    write_named("vocab.json", "{\"a\":0,\"b\":1,\"ab\":2}");
    assert_ok(context, thaw_tokenizer_open(context, directory, &tokenizer));
    cr_assert_eq(thaw_tokenizer_kind_of(tokenizer), THAW_TOKENIZER_BYTE_PAIR);
    assert_ok(context, thaw_encoder_create(tokenizer, &encoder));
    assert_ok(context, thaw_encoder_encode(encoder, NULL, "aabz", 4, NULL, 0, &encoded));
    cr_assert_eq(encoded.count, 2, "a and ab; z has no token");
    thaw_encoder_destroy(encoder);
    thaw_tokenizer_destroy(tokenizer);
    write_named("vocab.txt", "[UNK]\n[CLS]\r\n[SEP]  \nEcole\n\xC3\x89"
                             "cole\necole");
    for (int kept = 0; kept < 2; kept++) {
        if (kept)
            write_named("tokenizer_config.json", "{\"do_lower_case\": false, \"other\": 1}");
        assert_ok(context, thaw_tokenizer_open(context, directory, &tokenizer));
        assert_ok(context, thaw_encoder_create(tokenizer, &encoder));
        assert_ok(context, thaw_encoder_encode(encoder, NULL,
                                               "\xC3\x89"
                                               "cole",
                                               6, NULL, 0, &encoded));
        cr_assert_eq(encoded.ids[1], kept ? 4 : 5);
        thaw_encoder_destroy(encoder);
        thaw_tokenizer_destroy(tokenizer);
    }
    write_named("vocab.txt", "[UNK]\n[CLS]\n");
    assert_fails(context, thaw_tokenizer_open(context, directory, &tokenizer), THAW_BAD_FORMAT,
                 "[UNK], [CLS] and [SEP]");
    write_named("vocab.txt", "[UNK]\n\xFF\n");
    assert_fails(context, thaw_tokenizer_open(context, directory, &tokenizer), THAW_BAD_FORMAT, "is not UTF-8");
    write_named("merges.txt", "a b c\n");
    char file[SUPPORT_PATH_BYTES];
    assert_fails(context, thaw_tokenizer_open(context, support_path(file, directory, "vocab.json"), &tokenizer),
                 THAW_BAD_FORMAT, "merges.txt: line 1 must be two tokens");
    thaw_context_destroy(context);
}

/* What opens encodes. */
static thaw_status open_and_encode(thaw_context *context, const char *file)
{
    static const char text[] = "The [MASK] dog's na\xC3\xAFve GNU  \xE6\x97\xA5 <mask>";
    thaw_tokenizer *tokenizer;
    thaw_encoder *encoder = NULL;
    thaw_encoded encoded;
    char *decoded = NULL;
    thaw_status status = thaw_tokenizer_open(context, file, &tokenizer);
    if (status == THAW_OK)
        status = thaw_encoder_create(tokenizer, &encoder);
    if (status == THAW_OK)
        status = thaw_encoder_encode(encoder, NULL, text, sizeof text - 1, text, 4, &encoded);
    if (status == THAW_OK)
        status = thaw_tokenizer_decode(tokenizer, encoded.ids, encoded.count, true, &decoded);
    thaw_text_destroy(context, decoded);
    thaw_encoder_destroy(encoder);
    thaw_tokenizer_destroy(tokenizer);
    return status;
}

static const char *const files[] = { "tokens/word_piece.json", "tokens/byte_pairs.json", "tokens/vocab.txt",
                                     "tokens/vocab.json" };

Test(tokenizer_files, need_memory_and_leak_none)
{
    for (size_t i = 0; i < THAW_COUNT(files); i++) {
        char golden[SUPPORT_PATH_BYTES];
        support_allocator allocator = { 0 };
        thaw_context *context = support_context_on(&allocator);
        const size_t before = allocator.calls;
        assert_ok(context, open_and_encode(context, support_golden(golden, files[i])));
        const size_t calls = allocator.calls - before;
        cr_assert_gt(calls, 20);
        for (size_t at = 1; at <= calls; at++) {
            allocator.fail_at = allocator.calls + at;
            cr_assert_eq(open_and_encode(context, golden), THAW_OUT_OF_MEMORY, "%s, allocation %zu", files[i], at);
            cr_assert_eq(allocator.live, 1, "%s, allocation %zu leaks", files[i], at);
        }
        allocator.fail_at = 0;
        thaw_context_destroy(context);
    }
}

/* A file that is cut short, or of which a bit is another, opens or has a reason not to. */
Test(tokenizer_files, may_be_damaged)
{
    static char content[1 << 14];
    thaw_context *context = support_context(1);
    size_t refused = 0;
    for (size_t i = 0; i < 2; i++) {
        char file[SUPPORT_PATH_BYTES];
        const long bytes = support_read_file(support_golden(file, files[i]), content, sizeof content);
        cr_assert(bytes > 0 && bytes < (long)sizeof content);
        for (long at = 0; at < bytes; at++) {
            const int cut = support_memory_file(file, content, (size_t)at);
            const thaw_status status = open_and_encode(context, file);
            cr_assert(status != THAW_OK || at + 1 == bytes, "%s cut at byte %ld", files[i], at);
            close(cut);
            content[at] ^= (char)(1 << at % 8);
            const int flipped = support_memory_file(file, content, (size_t)bytes);
            refused += open_and_encode(context, file) != THAW_OK;
            close(flipped);
            content[at] ^= (char)(1 << at % 8);
        }
    }
    cr_assert_gt(refused, 2000);
    thaw_context_destroy(context);
}

static thaw_context *hostile_context;
static size_t hostile_refused;

static void use(const json_t *document, const char *change)
{
    char file[SUPPORT_PATH_BYTES];
    char *text = json_dumps(document, 0);
    const int descriptor = support_memory_file(file, text, strlen(text));
    const thaw_status status = open_and_encode(hostile_context, file);
    cr_assert(status != THAW_INTERNAL && status != THAW_OUT_OF_MEMORY, "%s: %s", change,
              thaw_context_message(hostile_context));
    hostile_refused += status != THAW_OK;
    close(descriptor);
    free(text);
}

Test(tokenizer_files, may_hold_other_values)
{
    hostile_context = support_context(1);
    for (size_t i = 0; i < 2; i++) {
        char file[SUPPORT_PATH_BYTES];
        json_t *document = json_load_file(support_golden(file, files[i]), 0, NULL);
        cr_assert_not_null(document);
        cr_assert_gt(support_each_hostile(document, use), 100);
        json_decref(document);
    }
    cr_assert_gt(hostile_refused, 1000);
    thaw_context_destroy(hostile_context);
}
