/* Ids and text of small tokenizers, against the `tokenizers` package (tests/golden/tokens.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

enum { LINE_BYTES = 1 << 16, MOST_IDS = 4096 };

/* Reads hexadecimal bytes; "." is none. NULL for "-". */
static char *read_bytes(const char *word, size_t *bytes)
{
    static char texts[2][LINE_BYTES];
    static int turn;
    char *text = texts[turn ^= 1];
    *bytes = *word == '.' || *word == '-' ? 0 : strlen(word) / 2;
    for (size_t i = 0; i < *bytes; i++)
        text[i] = (char)strtoul((const char[]){ word[2 * i], word[2 * i + 1], 0 }, NULL, 16);
    return *word == '-' ? NULL : text;
}

static size_t read_numbers(char *text, int32_t *numbers)
{
    size_t count = 0;
    for (char *end, *at = text; count < MOST_IDS; at = end, count++) {
        numbers[count] = (int32_t)strtol(at, &end, 10);
        if (end == at)
            break;
    }
    return count;
}

/* The tokenizer of a file in tests/golden/tokens; the last one stays open. */
static thaw_tokenizer *open_named(thaw_context *context, const char *name)
{
    static char opened[64], path[SUPPORT_PATH_BYTES], file[128];
    static thaw_tokenizer *tokenizer;
    if (name && strcmp(name, opened) == 0)
        return tokenizer;
    thaw_tokenizer_destroy(tokenizer);
    tokenizer = NULL;
    *opened = '\0';
    if (name) {
        snprintf(file, sizeof file, "tokens/%s", name);
        assert_ok(context, thaw_tokenizer_open(context, support_golden(path, file), &tokenizer));
        strcpy(opened, name);
    }
    return tokenizer;
}

static void assert_numbers(const int32_t *found, const int32_t *wanted, size_t count, const char *what, size_t line)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(found[i], wanted[i], "line %zu: %s %zu is %d, must be %d", line, what, i, found[i], wanted[i]);
}

Test(tokenizer, gives_the_ids_of_the_package)
{
    thaw_context *context = support_context(1);
    FILE *file = golden_open("tokens/golden.txt");
    static char line[LINE_BYTES], texts[2][LINE_BYTES / 2], name[64];
    static int32_t ids[MOST_IDS], types[MOST_IDS];
    size_t number = 0;
    for (; fgets(line, sizeof line, file); number++) {
        size_t length, bytes, second_bytes;
        char *arrow = strstr(line, " -> "), *bar = strstr(line, " | ");
        cr_assert(arrow && bar && sscanf(line, "%63s %zu %32767s %32767s", name, &length, texts[0], texts[1]) == 4);
        const size_t count = read_numbers(arrow + 4, ids);
        cr_assert_eq(read_numbers(bar + 3, types), count);
        const char *text = read_bytes(texts[0], &bytes), *second = read_bytes(texts[1], &second_bytes);
        thaw_encoder *encoder;
        thaw_encoded encoded;
        assert_ok(context, thaw_encoder_create(open_named(context, name), &encoder));
        const thaw_encode_options options = { .length = length };
        for (int again = 0; again < 2; again++) { /* an encoder remembers words */
            assert_ok(context, thaw_encoder_encode(encoder, &options, text, bytes, second, second_bytes, &encoded));
            cr_assert_eq(encoded.count, count, "line %zu: %zu ids, must be %zu", number + 1, encoded.count, count);
            assert_numbers(encoded.ids, ids, count, "id", number + 1);
            assert_numbers(encoded.types, types, count, "type", number + 1);
        }
        thaw_encoder_destroy(encoder);
    }
    cr_assert_eq(number, 416);
    fclose(file);
    open_named(context, NULL);
    thaw_context_destroy(context);
}

Test(tokenizer, gives_the_text_of_the_package)
{
    thaw_context *context = support_context(1);
    FILE *file = golden_open("tokens/decoded.txt");
    static char line[LINE_BYTES], texts[2][LINE_BYTES / 2], name[64];
    size_t number = 0;
    for (; fgets(line, sizeof line, file); number++) {
        size_t bytes, wanted_bytes;
        int skip;
        cr_assert_eq(sscanf(line, "%63s %d %32767s -> %32767s", name, &skip, texts[0], texts[1]), 4);
        const char *text = read_bytes(texts[0], &bytes), *wanted = read_bytes(texts[1], &wanted_bytes);
        const thaw_tokenizer *tokenizer = open_named(context, name);
        thaw_encoder *encoder;
        thaw_encoded encoded;
        char *found;
        assert_ok(context, thaw_encoder_create(tokenizer, &encoder));
        assert_ok(context, thaw_encoder_encode(encoder, NULL, text, bytes, NULL, 0, &encoded));
        assert_ok(context, thaw_tokenizer_decode(tokenizer, encoded.ids, encoded.count, skip, &found));
        cr_assert(memcmp(found, wanted, wanted_bytes) == 0, "line %zu: \"%s\"", number + 1, found);
        cr_assert_eq(found[wanted_bytes], '\0', "line %zu: \"%s\"", number + 1, found);
        thaw_text_destroy(context, found);
        thaw_encoder_destroy(encoder);
    }
    cr_assert_eq(number, 100);
    fclose(file);
    open_named(context, NULL);
    thaw_context_destroy(context);
}

Test(tokenizer, knows_its_tokens)
{
    thaw_context *context = support_context(1);
    const thaw_tokenizer *tokenizer = open_named(context, "word_piece.json");
    cr_assert_eq(thaw_tokenizer_kind_of(tokenizer), THAW_TOKENIZER_WORD_PIECE);
    cr_assert_eq(thaw_tokenizer_id(tokenizer, "[CLS]"), 2);
    cr_assert_str_eq(thaw_tokenizer_token(tokenizer, 2), "[CLS]");
    cr_assert_eq(thaw_tokenizer_id(tokenizer, "[CLS"), -1);
    cr_assert_null(thaw_tokenizer_token(tokenizer, -1));
    cr_assert_null(thaw_tokenizer_token(tokenizer, (int32_t)thaw_tokenizer_count(tokenizer)));
    for (int32_t id = 0; id < (int32_t)thaw_tokenizer_count(tokenizer); id++)
        cr_assert_eq(thaw_tokenizer_id(tokenizer, thaw_tokenizer_token(tokenizer, id)), id);
    char *text;
    assert_fails(context, thaw_tokenizer_decode(tokenizer, (const int32_t[]){ 2, -7 }, 2, false, &text), THAW_NOT_FOUND,
                 "token 1 has id -7");
    cr_assert_null(text);
    cr_assert_eq(thaw_tokenizer_kind_of(open_named(context, "vocab.json")), THAW_TOKENIZER_BYTE_PAIR);
    open_named(context, NULL);
    thaw_context_destroy(context);
}

Test(tokenizer, cuts_the_text_that_is_named)
{
    thaw_context *context = support_context(1);
    const thaw_tokenizer *tokenizer = open_named(context, "word_piece.json");
    thaw_encoder *encoder;
    thaw_encoded encoded;
    assert_ok(context, thaw_encoder_create(tokenizer, &encoder));
    const thaw_encode_options first = { .length = 8, .truncation = THAW_TRUNCATE_FIRST };
    const thaw_encode_options second = { .length = 8, .truncation = THAW_TRUNCATE_SECOND };
    const thaw_encode_options bare = { .length = 4, .bare = true }, short_one = { .length = 2 },
                              no_room = { .length = 1 };
    assert_ok(context, thaw_encoder_encode(encoder, &first, "the dog the dog", 15, "fox the", 7, &encoded));
    cr_assert_eq(encoded.count, 8);
    cr_assert_eq(encoded.whole, 9);
    cr_assert_eq(encoded.types[4], 0);
    cr_assert_eq(encoded.types[5], 1);
    assert_ok(context, thaw_encoder_encode(encoder, &second, "the dog the dog", 15, "fox the", 7, &encoded));
    cr_assert_eq(encoded.types[5], 0);
    cr_assert_eq(encoded.types[6], 1);
    assert_ok(context, thaw_encoder_encode(encoder, &bare, "the dog the dog the", 19, NULL, 0, &encoded));
    cr_assert_eq(encoded.count, 4);
    cr_assert_eq(encoded.ids[0], thaw_tokenizer_id(tokenizer, "the"));
    assert_ok(context, thaw_encoder_encode(encoder, &short_one, "the dog", 7, NULL, 0, &encoded));
    cr_assert_eq(encoded.count, 2);
    cr_assert_eq(thaw_encoder_encode(encoder, &no_room, "the", 3, NULL, 0, &encoded), THAW_INVALID_ARGUMENT);
    cr_assert_eq(thaw_encoder_encode(encoder, &second, "the dog the dog the dog the dog", 31, "the", 3, &encoded),
                 THAW_INVALID_ARGUMENT);
    thaw_encoder_destroy(encoder);
    open_named(context, NULL);
    thaw_context_destroy(context);
}

Test(tokenizer, counts_what_it_replaces)
{
    thaw_context *context = support_context(1);
    thaw_encoder *encoder;
    thaw_encoded encoded;
    assert_ok(context, thaw_encoder_create(open_named(context, "vocab.json"), &encoder));
    static const char broken[] = "a\xED\xA0\x80"
                                 "b\xE2\x82"
                                 "c\xF0\x9F\x98\xFF\xF4\x90";
    assert_ok(context, thaw_encoder_encode(encoder, NULL, broken, sizeof broken - 1, broken, 1, &encoded));
    cr_assert_eq(encoded.replaced, 3 + 1 + 1 + 1 + 2);
    assert_ok(context, thaw_encoder_encode(encoder, NULL, "\xEF\xBF\xBD", 3, NULL, 0, &encoded));
    cr_assert_eq(encoded.replaced, 0);
    thaw_encoder_destroy(encoder);
    open_named(context, NULL);
    thaw_context_destroy(context);
}
