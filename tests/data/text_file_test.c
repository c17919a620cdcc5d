/* Texts with labels from files: which samples they become. */
#include "data/text/text_file.h"

#include <stdio.h>
#include <string.h>

#include "support/allocator.h"
#include "support/files.h"
#include "support/support.h"

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], other[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "texts.tsv");
    support_path(other, directory, "test.csv");
}

static void end(void)
{
    support_remove_directory(directory);
}

static void write_text(const char *file, const char *text)
{
    support_write_file(file, text, strlen(text));
}

typedef struct fixture {
    thaw_context *context;
    thaw_tokenizer *tokenizer;
    thaw_words classes;
    thaw_text_samples training, test;
} fixture;

static thaw_status open_fixture(fixture *f, thaw_context *context, const thaw_text_options *options)
{
    char golden[SUPPORT_PATH_BYTES];
    *f = (fixture){ .context = context,
                    .classes = { .context = context },
                    .training = { .context = context },
                    .test = { .context = context } };
    const thaw_status status =
        thaw_tokenizer_open(context, support_golden(golden, "tokens/word_piece.json"), &f->tokenizer);
    return status == THAW_OK ? thaw_text_file_read(f->tokenizer, options, &f->classes, &f->training, &f->test) : status;
}

static void close_fixture(fixture *f)
{
    thaw_text_samples_release(&f->training);
    thaw_text_samples_release(&f->test);
    thaw_words_release(&f->classes);
    thaw_tokenizer_destroy(f->tokenizer);
}

/* Asserts that a sample is what the tokenizer makes of these texts, padded. */
static void assert_sample(const fixture *f, const thaw_text_samples *samples, size_t index, const char *text,
                          const char *second, size_t length)
{
    enum { MOST = 64, PADDING = -1 };
    thaw_encoder *encoder;
    thaw_encoded encoded;
    int32_t ids[MOST], types[MOST];
    const thaw_encode_options options = { .length = length };
    assert_ok(f->context, thaw_encoder_create(f->tokenizer, &encoder));
    assert_ok(f->context, thaw_encoder_encode(encoder, &options, text, strlen(text), second,
                                              second ? strlen(second) : 0, &encoded));
    cr_assert_eq(thaw_text_samples_length(samples, index), encoded.count);
    thaw_text_samples_read(samples, index, PADDING, MOST, ids, types);
    for (size_t i = 0; i < MOST; i++) {
        cr_assert_eq(ids[i], i < encoded.count ? encoded.ids[i] : PADDING, "sample %zu, id %zu: %d", index, i, ids[i]);
        cr_assert_eq(types[i], i < encoded.count ? encoded.types[i] : 0, "sample %zu, type %zu", index, i);
    }
    thaw_encoder_destroy(encoder);
}

Test(text_file, columns_by_number_have_no_names, .init = begin, .fini = end)
{
    thaw_context *context = support_context(2);
    fixture f;
    write_text(path, "games\tthe \"quick\" fox\nadmin\tthe lazy dog\ngames\t\xFF\n");
    assert_ok(context, open_fixture(&f, context, &(thaw_text_options){ .path = path, .text = "2", .label = "1" }));
    cr_assert_eq(f.training.count, 3);
    cr_assert_eq(f.test.count, 0);
    cr_assert_eq(f.classes.count, 2);
    cr_assert_str_eq(f.classes.items[0], "admin");
    cr_assert_eq(f.training.labels[0], 1);
    cr_assert_eq(f.training.labels[1], 0);
    cr_assert_eq(f.training.replaced, 1);
    assert_sample(&f, &f.training, 0, "the \"quick\" fox", NULL, 0);
    assert_sample(&f, &f.training, 1, "the lazy dog", NULL, 0);
    close_fixture(&f);
    thaw_context_destroy(context);
}

Test(text_file, columns_by_name_and_pairs, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    fixture f;
    write_text(path, "one\tsort\ttwo\nthe dog\tb\tthe fox\nthe lazy dog jumps\ta\tthe\n");
    write_text(other, "two,one,sort\r\n\"over, the \"\"dog\"\"\",fox,b\r\n");
    const thaw_text_options options = {
        .path = path, .test = other, .text = "one", .second = "two", .label = "sort", .length = 7
    };
    assert_ok(context, open_fixture(&f, context, &options));
    assert_sample(&f, &f.training, 0, "the dog", "the fox", 7);
    assert_sample(&f, &f.training, 1, "the lazy dog jumps", "the", 7);
    assert_sample(&f, &f.test, 0, "fox", "over, the \"dog\"", 7);
    cr_assert_eq(f.training.cut, 1);
    cr_assert_eq(f.training.longest, 7);
    cr_assert_eq(f.test.labels[0], 1);
    close_fixture(&f);
    thaw_context_destroy(context);
}

Test(text_file, lines_of_json_have_keys, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    fixture f;
    char lines[SUPPORT_PATH_BYTES];
    support_path(lines, directory, "texts.jsonl");
    write_text(
        lines,
        "{\"sort\": 12, \"text\": \"the \\u0064og\\n\"}\r\n\n{\"text\": \"fox \xFF\", \"x\": [], \"sort\": true}");
    const thaw_text_options options = { .path = lines, .text = "text", .second = "sort", .label = "sort" };
    assert_ok(context, open_fixture(&f, context, &options));
    cr_assert_eq(f.training.count, 2);
    cr_assert_str_eq(f.classes.items[0], "12");
    cr_assert_eq(f.training.labels[1], 1);
    assert_sample(&f, &f.training, 0, "the dog\n", "12", 0);
    assert_sample(&f, &f.training, 1, "fox \xEF\xBF\xBD", "true", 0);
    close_fixture(&f);
    static const struct {
        const char *text;
        thaw_status status;
        const char *message;
    } wrong[] = {
        { "\n", THAW_BAD_FORMAT, "texts.jsonl: has no rows" },
        { "[]\n", THAW_BAD_FORMAT, "line 1: must be an object" },
        { "\n{\"text\"}\n", THAW_BAD_FORMAT, "texts.jsonl: line 2: " },
        { "{\"tex\": \"a\", \"sort\": 1}\n", THAW_NOT_FOUND, "line 1 has no \"text\", did you mean \"tex\"?" },
        { "{\"text\": \"a\", \"sort\": null}\n", THAW_BAD_FORMAT, "line 1: \"sort\" must be a string, a number" },
    };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        write_text(lines, wrong[i].text);
        assert_fails(context, open_fixture(&f, context, &options), wrong[i].status, wrong[i].message);
        close_fixture(&f);
    }
    thaw_context_destroy(context);
}

/* More rows than a thread encodes at a time; the same for any number of threads. */
Test(text_file, a_split_has_each_row_once, .init = begin, .fini = end)
{
    enum { ROWS = 1500 };
    static char text[ROWS * 32];
    size_t length = 0, seen[ROWS] = { 0 };
    for (int i = 0; i < ROWS; i++)
        length += (size_t)sprintf(text + length, "%d\tdog %.*s\n", i % 7, 1 + i % 20, "the the the the the the");
    write_text(path, text);
    fixture f[2];
    for (int threads = 1; threads <= 2; threads++)
        assert_ok(f[threads - 1].context,
                  open_fixture(&f[threads - 1], support_context(threads),
                               &(thaw_text_options){
                                   .path = path, .text = "2", .label = "1", .split = 0.2, .seed = 3 }));
    cr_assert_eq(f[0].training.count, 1200);
    cr_assert_eq(f[0].test.count, 300);
    for (size_t i = 0; i < 1200; i++)
        seen[f[0].training.labels[i]]++;
    for (size_t i = 0; i < 300; i++)
        seen[f[0].test.labels[i]]++;
    for (size_t i = 0; i < 7; i++)
        cr_assert_eq(seen[i], (ROWS - i + 6) / 7);
    cr_assert_eq(memcmp(f[0].training.labels, f[1].training.labels, 1200 * sizeof(int32_t)), 0);
    cr_assert_eq(memcmp(f[0].training.begins, f[1].training.begins, 1201 * sizeof(size_t)), 0);
    cr_assert_eq(memcmp(f[0].training.narrow, f[1].training.narrow, f[0].training.begins[1200] * sizeof(uint16_t)), 0);
    for (int i = 0; i < 2; i++) {
        close_fixture(&f[i]);
        thaw_context_destroy(f[i].context);
    }
}

Test(text_file, says_what_is_wrong, .init = begin, .fini = end)
{
    static const struct {
        const char *training, *test;
        thaw_text_options options;
        thaw_status status;
        const char *message;
    } wrong[] = {
        { "", NULL, { .text = "1" }, THAW_BAD_FORMAT, "texts.tsv: has no rows" },
        { "text\tsort\n", NULL, { .text = "text" }, THAW_BAD_FORMAT, "has no rows below the names" },
        { "a\tb\n", NULL, { .text = "3" }, THAW_NOT_FOUND, "has no column 3, must be from 1 to 2" },
        { "text\tsort\na\tb\n",
          NULL,
          { .text = "tex" },
          THAW_NOT_FOUND,
          "unknown column \"tex\", did you mean \"text\"" },
        { "a\tb\nc\n", NULL, { .text = "1" }, THAW_BAD_FORMAT, "line 2 has 1 columns" },
        { "x\tdog\n",
          "y,fox\n",
          { .text = "2", .label = "1" },
          THAW_NOT_FOUND,
          "test.csv: line 1: the label \"y\" is not among the 1 labels" },
        { "dog\n", NULL, { .text = "1", .length = 1 }, THAW_INVALID_ARGUMENT, "length=1 leaves no room" },
        { "dog\n", NULL, { .text = "1", .split = 0.5 }, THAW_INVALID_ARGUMENT, "only one sample" },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        fixture f;
        thaw_text_options options = wrong[i].options;
        options.path = path;
        options.test = wrong[i].test ? other : NULL;
        write_text(path, wrong[i].training);
        write_text(other, wrong[i].test ? wrong[i].test : "");
        assert_fails(context, open_fixture(&f, context, &options), wrong[i].status, wrong[i].message);
        close_fixture(&f);
    }
    thaw_context_destroy(context);
}

Test(text_file, needs_memory_and_leaks_none, .init = begin, .fini = end)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    fixture f;
    write_text(path, "b\tthe dog\tthe fox\na\tthe lazy dog jumps\tthe\n");
    const thaw_text_options options = { .path = path, .text = "2", .second = "3", .label = "1", .split = 0.5 };
    const size_t before = allocator.calls;
    assert_ok(context, open_fixture(&f, context, &options));
    const size_t calls = allocator.calls - before;
    close_fixture(&f);
    for (size_t at = 1; at <= calls; at++) {
        allocator.fail_at = allocator.calls + at;
        cr_assert_eq(open_fixture(&f, context, &options), THAW_OUT_OF_MEMORY, "allocation %zu", at);
        close_fixture(&f);
        cr_assert_eq(allocator.live, 1, "allocation %zu leaks", at);
    }
    thaw_context_destroy(context);
}
