/* What files of weights note of texts, and how texts are read again by it. */
#include <thaw/notes.h>

#include "data/dataset.h"
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

TestSuite(texts_noted, .init = begin, .fini = end);

static void open_data(const char *description)
{
    close_data();
    assert_ok(context, thaw_dataset_open(context, texts_describe(description), &training, &test));
}

static const thaw_notes *note(thaw_model **model)
{
    assert_ok(context, thaw_model_create(context, model));
    assert_ok(context, thaw_model_note_data(*model, training));
    return thaw_model_notes(*model);
}

Test(texts_noted, are_read_again_by_their_notes)
{
    thaw_model *model;
    texts_write("a.tsv", "b\tgood food\na\tbad\n");
    texts_write("b.tsv", "b\tvery very good\n");
    open_data("text:$/a.tsv;label=1;text=2;length=5;tokenizer=$");
    const thaw_notes *notes = note(&model);
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.text"), "text=2;label=1;length=5");
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.task"), "classes");
    support_assert_says(thaw_notes_find(notes, "thaw.tokenizer"), texts_directory);
    close_data();
    assert_ok(context, thaw_dataset_open_noted(context, notes, texts_describe("text:$/b.tsv"), &training, &test));
    cr_assert_eq(thaw_dataset_classes(training), 2);
    float row[5 + 1 + 5];
    int32_t label;
    assert_ok(context, thaw_dataset_read(training, &(size_t){ 0 }, 1, row, &label));
    cr_assert_eq(row[1], VERY);
    cr_assert_eq(row[3], GOOD);
    cr_assert_eq(row[5], 5);
    cr_assert_eq(label, 1);
    close_data();
    assert_ok(context, thaw_dataset_open_noted(context, notes, texts_describe("text:$/b.tsv"), NULL, &test));
    cr_assert_null(test);
    assert_ok(context,
              thaw_dataset_open_noted(context, notes, texts_describe("text:$/none;test=$/b.tsv"), NULL, &test));
    cr_assert_eq(thaw_dataset_count(test), 1);
    texts_write("c.tsv", "b\tgood\nc\tgood\n");
    assert_fails(context, thaw_dataset_open_noted(context, notes, texts_describe("text:$/c.tsv"), &training, NULL),
                 THAW_NOT_FOUND, "c.tsv: line 2: the label \"c\" is not among the 2 labels that are trained");
    thaw_model_destroy(model);
}

Test(texts_noted, need_the_tokenizer_that_is_noted)
{
    thaw_model *model;
    texts_write("a.tsv", "b\tgood food\na\tbad\n");
    open_data("text:$/a.tsv;label=1;text=2;length=5;tokenizer=$");
    const thaw_notes *notes = note(&model);
    close_data();
    texts_write("other.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nbad\ngood\nfood\nvery\n");
    assert_fails(context,
                 thaw_dataset_open_noted(context, notes, texts_describe("text:$/a.tsv;tokenizer=$/other.txt"),
                                         &training, NULL),
                 THAW_INVALID_ARGUMENT, "other.txt is not the one that the weights were trained with, /");
    texts_write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nbad\ngood\nfood\nvery\n");
    assert_fails(context, thaw_dataset_open_noted(context, notes, texts_describe("text:$/a.tsv"), &training, NULL),
                 THAW_INVALID_ARGUMENT, "has changed since the weights were trained with it");
    thaw_model_destroy(model);
}

Test(texts_noted, refuse_notes_that_are_not_theirs)
{
    static const struct {
        const char *text, *tokenizer, *message;
    } wrong[] = {
        { "text=2;label=1;length=5", NULL, "thaw.text, but not thaw.tokenizer" },
        { "text=2;label=1", "[\"a\",\"0\"]", "length is missing" },
        { "text=2;size=4", "[\"a\",\"0\"]", "thaw.text: \"text=2;size=4\": unknown option" },
        { "text=2;length=5", "[\"a\",\"0\"]", "must be a path and a fingerprint" },
        { "text=2;length=5", "[\"a\"]", "must be a path and a fingerprint" },
        { "text=2;length=5", "a", "thaw.tokenizer" },
    };
    texts_write("a.tsv", "b\tgood food\n");
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        thaw_model *model;
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_model_set_note(model, "thaw.text", wrong[i].text));
        assert_ok(context, thaw_model_set_note(model, "thaw.tokenizer", wrong[i].tokenizer));
        const thaw_status status =
            thaw_dataset_open_noted(context, thaw_model_notes(model), texts_describe("text:$/a.tsv"), &training, NULL);
        cr_assert_neq(status, THAW_OK);
        support_assert_says(thaw_context_message(context), wrong[i].message);
        thaw_model_destroy(model);
    }
}

/* ---- the tokenizer of a network's folder ---- */

Test(texts_noted, get_a_tokenizer_if_they_name_none)
{
    static const struct {
        const char *given, *wanted;
    } cases[] = {
        { "text:a.tsv;label=1;text=2", "text:a.tsv;label=1;text=2;tokenizer=mini lm" },
        { "text:a.tsv", "text:a.tsv;tokenizer=mini lm" },
        { "text:a.tsv;tokenizer=other", "text:a.tsv;tokenizer=other" },
        { "csv:a.csv;label=1", "csv:a.csv;label=1" },
    };
    char *completed;
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        assert_ok(context, thaw_text_form_complete(context, "mini lm", cases[i].given, &completed));
        cr_assert_str_eq(completed, cases[i].wanted);
        thaw_text_destroy(context, completed);
    }
    assert_fails(context, thaw_text_form_complete(context, "a;b", "text:a.tsv", &completed), THAW_INVALID_ARGUMENT,
                 "has a semicolon");
    assert_fails(context, thaw_text_form_complete(context, "a", "text:a.tsv;txt=1", &completed), THAW_NOT_FOUND, "txt");
}
