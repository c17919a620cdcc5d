/* Data sets of texts: "text:FILE;label=COLUMN;text=COLUMN". */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/notes.h>

#include "data/dataset.h"
#include "data/openings.h"
#include "data/texts_fixture.h"
#include "support/command.h"
#include "support/support.h"

static thaw_context *context;
static thaw_dataset *training, *test;

static void begin(void)
{
    texts_begin();
    context = support_context(2);
    training = test = NULL;
}

static void close_data(void)
{
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    training = test = NULL;
}

static void end(void)
{
    close_data();
    thaw_context_destroy(context);
    texts_end();
}

TestSuite(texts, .init = begin, .fini = end);

static void open_data(const char *description)
{
    close_data();
    assert_ok(context, thaw_dataset_open(context, texts_describe(description), &training, &test));
}

static void assert_refused(const char *description, thaw_status status, const char *message)
{
    close_data();
    assert_fails(context, thaw_dataset_open(context, texts_describe(description), &training, &test), status, message);
    cr_assert(!training && !test);
}

/* Asserts the row of a sample: ids, length and types, with its targets. */
static void assert_sample(thaw_dataset *from, size_t index, const float *row, const int32_t *targets)
{
    float found[64];
    int32_t labels[64];
    const size_t values = thaw_shape_count(thaw_dataset_sample_shape(from));
    const size_t count = thaw_shape_count(thaw_dataset_target_shape(from));
    assert_ok(context, thaw_dataset_read(from, &index, 1, found, labels));
    for (size_t i = 0; i < values; i++)
        cr_assert_eq(found[i], row[i], "sample %zu, value %zu: %g, wanted %g", index, i, (double)found[i],
                     (double)row[i]);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(labels[i], targets[i], "sample %zu, target %zu: %d, wanted %d", index, i, labels[i], targets[i]);
}

Test(texts, become_ids_lengths_and_types)
{
    static const struct {
        const char *name;
        int64_t size;
    } fields[] = { { "token_ids", 5 }, { "lengths", 1 }, { "token_types", 5 } };
    thaw_field field;
    texts_write("a.tsv", "sort\ttext\ny\tgood food\nx\tBad\ny\t\nx\tvery very bad food\n");
    open_data("text:$/a.tsv;label=sort;text=text;length=5;tokenizer=$");
    cr_assert_null(test);
    cr_assert_eq(thaw_dataset_count(training), 4);
    cr_assert_eq(thaw_dataset_field_count(training), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(context, thaw_dataset_field_at(training, i, &field));
        cr_assert_str_eq(field.name, fields[i].name);
        cr_assert_eq(field.dtype, THAW_I32);
        cr_assert(thaw_shape_equal(&field.shape, &(thaw_shape){ 1, { fields[i].size } }));
    }
    cr_assert_eq(thaw_dataset_task(training), THAW_TASK_CLASSES);
    cr_assert_str_eq(thaw_dataset_class_name(training, 0), "x");
    cr_assert_str_eq(thaw_dataset_class_name(training, 1), "y");
    assert_sample(training, 0, (float[]){ CLS, GOOD, FOOD, SEP, PAD, 4, 0, 0, 0, 0, 0 }, (int32_t[]){ 1 });
    assert_sample(training, 1, (float[]){ CLS, BAD, SEP, PAD, PAD, 3, 0, 0, 0, 0, 0 }, (int32_t[]){ 0 });
    assert_sample(training, 2, (float[]){ CLS, SEP, PAD, PAD, PAD, 2, 0, 0, 0, 0, 0 }, (int32_t[]){ 1 });
    assert_sample(training, 3, (float[]){ CLS, VERY, VERY, BAD, SEP, 5, 0, 0, 0, 0, 0 }, (int32_t[]){ 0 });
    size_t lengths[4];
    thaw_dataset_lengths(training, 0, (size_t[]){ 0, 1, 2, 3 }, 4, lengths);
    cr_assert_eq(memcmp(lengths, (size_t[]){ 4, 3, 2, 5 }, sizeof lengths), 0);
}

Test(texts, of_a_pair_have_types)
{
    texts_write("a.csv", "good,bad,1\n\"food\",very,2\n");
    texts_write("b.jsonl", "{\"3\": 2, \"1\": \"very\", \"2\": \"good\"}\n");
    open_data("text:$/a.csv;text=1;second=2;label=3;length=6;tokenizer=$/vocab.txt;test=$/b.jsonl");
    assert_sample(training, 0, (float[]){ CLS, GOOD, SEP, BAD, SEP, PAD, 5, 0, 0, 0, 1, 1, 0 }, (int32_t[]){ 0 });
    assert_sample(test, 0, (float[]){ CLS, VERY, SEP, GOOD, SEP, PAD, 5, 0, 0, 0, 1, 1, 0 }, (int32_t[]){ 1 });
}

Test(texts, are_split_and_selected)
{
    texts_write("a.tsv", "a\tgood\nb\tbad\na\tfood\nb\tvery\nc\tgood bad\n");
    open_data("text:$/a.tsv;label=1;text=2;tokenizer=$;split=0.4;seed=3;classes=1-2;repeat=2");
    cr_assert_eq(thaw_dataset_classes(training), 2);
    cr_assert_str_eq(thaw_dataset_class_name(training, 0), "b");
    cr_assert_eq(thaw_dataset_count(training) / 2 + thaw_dataset_count(test), 3);
    cr_assert_eq(thaw_dataset_sample_shape(training)->dims[0], 128 + 1 + 128);
}

Test(texts, whose_next_tokens_are_targets)
{
    texts_write("a.txt", "good food very\nbad very");
    open_data("text:$/a.txt;task=lm;length=3;tokenizer=$");
    cr_assert_eq(thaw_dataset_task(training), THAW_TASK_TOKENS);
    cr_assert_eq(thaw_dataset_classes(training), TOKENS);
    cr_assert(thaw_shape_equal(thaw_dataset_target_shape(training), &(thaw_shape){ 1, { 3 } }));
    cr_assert_eq(thaw_dataset_count(training), 2);
    assert_sample(training, 0, (float[]){ GOOD, FOOD, VERY, 3, 0, 0, 0 }, (int32_t[]){ FOOD, VERY, BAD });
    assert_sample(training, 1, (float[]){ BAD, PAD, PAD, 1, 0, 0, 0 }, (int32_t[]){ VERY, -100, -100 });
    cr_assert_eq(training->outside, 1);
    cr_assert_eq(training->outside_label, -100);
    size_t counts[TOKENS];
    cr_assert_eq(thaw_dataset_count_classes(training, counts), THAW_INVALID_ARGUMENT);
    open_data("text:$/a.txt;task=lm;length=1;tokenizer=$;split=0.25;seed=1");
    cr_assert_eq(thaw_dataset_count(training), 3);
    cr_assert_eq(thaw_dataset_count(test), 1);
    bool seen[TOKENS] = { false };
    for (size_t i = 0; i < 4; i++) {
        float row[3];
        int32_t next;
        const size_t index = i < 3 ? i : 0;
        assert_ok(context, thaw_dataset_read(i < 3 ? training : test, &index, 1, row, &next));
        seen[(int)row[0]] = true;
        cr_assert_eq(next, row[0] == GOOD ? FOOD : row[0] == FOOD ? VERY : row[0] == VERY ? BAD : VERY);
    }
    cr_assert(seen[GOOD] && seen[FOOD] && seen[VERY] && seen[BAD]);
}

Test(texts, have_an_identity_of_all_that_they_depend_on)
{
    static const char *const different[] = {
        "text:$/a.tsv;label=1;text=2;tokenizer=$;length=9",          "text:$/a.tsv;label=1;text=2;tokenizer=$;length=8",
        "text:$/a.tsv;label=2;text=1;tokenizer=$;length=9",          "text:$/b.tsv;label=1;text=2;tokenizer=$;length=9",
        "text:$/a.tsv;label=1;text=2;second=1;tokenizer=$;length=9", "text:$/a.tsv;task=lm;tokenizer=$;length=9",
    };
    uint64_t found[THAW_COUNT(different)][2];
    texts_write("a.tsv", "good\tbad\nbad\tgood food\n");
    texts_write("b.tsv", "good\tbad\nbad\tgood very\n");
    for (size_t i = 0; i < THAW_COUNT(different); i++) {
        open_data(different[i]);
        memcpy(found[i], training->source.identity, sizeof found[i]);
        cr_assert(found[i][0] || found[i][1]);
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(memcmp(found[i], found[k], sizeof found[i]), 0, "%s and %s", different[i], different[k]);
        open_data(different[i]);
        cr_assert_eq(memcmp(found[i], training->source.identity, sizeof found[i]), 0);
    }
}

Test(texts, say_what_is_wrong)
{
    texts_write("a.tsv", "sort\ttext\ny\tgood food\n");
    texts_write("b.tsv", "sort\ttext\ny\tgood\nz\tfood\n");
    char empty[SUPPORT_PATH_BYTES];
    cr_assert_eq(mkdir(support_path(empty, texts_directory, "empty"), 0700), 0);
    assert_refused("text:", THAW_INVALID_ARGUMENT, "text: FILE is missing");
    assert_refused("text:$/a.tsv;label=sort;text=text", THAW_INVALID_ARGUMENT, "text: tokenizer=PATH is missing");
    assert_refused("text:$/a.tsv;text=text;tokenizer=$", THAW_INVALID_ARGUMENT, "a.tsv: label=COLUMN is missing");
    assert_refused("text:$/a.tsv;label=sort;tokenizer=$", THAW_INVALID_ARGUMENT, "a.tsv: text=COLUMN is missing");
    assert_refused("text:$/a.tsv;label=sort;text=txt;tokenizer=$", THAW_NOT_FOUND,
                   "unknown column \"txt\", did you mean \"text\"?");
    assert_refused("text:$/a.tsv;label=sort;text=text;tokenizer=$/none", THAW_IO_ERROR, "none");
    assert_refused("text:$/a.tsv;label=sort;text=text;tokenizer=$/empty", THAW_NOT_FOUND,
                   "empty: has no tokenizer.json, no vocab.txt");
    assert_refused("text:$/a.tsv;label=sort;text=text;tokenizer=$;test=$/b.tsv", THAW_NOT_FOUND,
                   "b.tsv: line 3: the label \"z\" is not among the 1 labels");
    assert_refused("text:$/a.tsv;label=sort;text=text;tokenizer=$;length=1", THAW_INVALID_ARGUMENT, "length=1");
    assert_refused("text:$/a.tsv;label=sort;text=text;tokenizer=$;length=0", THAW_INVALID_ARGUMENT, "length=0, must");
    assert_refused("text:$/a.tsv;label=sort;text=text;tokenizer=$;length=1048577", THAW_INVALID_ARGUMENT,
                   "length=1048577, must be at most 1048576");
    assert_refused("text:$/a.tsv;task=mt;tokenizer=$", THAW_INVALID_ARGUMENT, "task=mt, must be classes or lm");
    assert_refused("text:$/a.tsv;task=lm;text=2;tokenizer=$", THAW_INVALID_ARGUMENT, "so text=COLUMN cannot be given");
    assert_refused("text:$/a.tsv;task=lm;repeat=2;tokenizer=$", THAW_INVALID_ARGUMENT, "are for classes");
    assert_refused("text:$/none.tsv;label=1;text=2;tokenizer=$", THAW_IO_ERROR, "none.tsv");
}

/* Byte-level BPE has no special tokens. */
Test(texts, without_tokens_are_an_error_with_its_line)
{
    char whole[4 * SUPPORT_PATH_BYTES], golden[SUPPORT_PATH_BYTES];
    texts_write("a.tsv", "x\tthe dog\ny\t\n");
    snprintf(whole, sizeof whole, "text:$/a.tsv;label=1;text=2;tokenizer=%s",
             support_golden(golden, "tokens/vocab.json"));
    assert_refused(whole, THAW_BAD_FORMAT, "a.tsv: line 2: the text has no tokens");
}

Test(texts, need_memory_and_leak_none)
{
    support_allocator allocator = { 0 };
    thaw_context *limited = support_context_on(&allocator);
    texts_write("a.tsv", "b\tgood food\na\tbad\nb\tvery\n");
    cr_assert_gt(openings_fail_each(&allocator, limited,
                                    texts_describe("text:$/a.tsv;label=1;text=2;second=1;tokenizer=$;split=0.3")),
                 20);
    cr_assert_gt(openings_fail_each(&allocator, limited,
                                    texts_describe("text:$/a.tsv;task=lm;length=2;tokenizer=$;split=0.3")),
                 20);
    thaw_context_destroy(limited);
}
