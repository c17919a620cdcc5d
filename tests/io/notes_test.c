/* Notes of models and files: what a file of weights says of itself. */
#include <stdlib.h>
#include <string.h>

#include "data/folder_fixture.h"
#include "io/safetensors.h"
#include "support/files.h"
#include "support/support.h"

static thaw_context *context;
static thaw_model *model;
static char path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    folder_set_up();
    context = folder_context(1);
    assert_ok(context, thaw_model_create(context, &model));
    folder_join(path, "weights");
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    folder_tear_down();
}

TestSuite(notes, .init = begin, .fini = end);

static thaw_notes *read_back(void)
{
    thaw_notes *notes;
    assert_ok(context, thaw_weights_save(model, path));
    assert_ok(context, thaw_notes_read(context, path, &notes));
    return notes;
}

/* Notes of a file with one text. */
static thaw_notes *read_text(const char *name, const char *text)
{
    thaw_notes *notes;
    const thaw_named_text metadata = { name, text };
    assert_ok(context, thaw_safetensors_write(context, path, NULL, 0, &metadata, 1, NULL));
    assert_ok(context, thaw_notes_read(context, path, &notes));
    return notes;
}

static void assert_note(const thaw_notes *notes, const char *name, const char *text)
{
    const char *found = thaw_notes_find(notes, name);
    cr_assert(found && strcmp(found, text) == 0, "%s is \"%s\", wanted \"%s\"", name, found ? found : "(none)", text);
}

Test(notes, are_written_and_read_back)
{
    assert_ok(context, thaw_zoo_build(model, "mlp-512", 7));
    assert_ok(context, thaw_model_set_note(model, "author", "an \"author\"\n\\"));
    assert_ok(context, thaw_model_set_note(model, "gone", "1"));
    assert_ok(context, thaw_model_set_note(model, "changed", "1"));
    assert_ok(context, thaw_model_set_note(model, "changed", "2"));
    assert_ok(context, thaw_model_set_note(model, "gone", NULL));
    assert_ok(context, thaw_model_set_note(model, "never", NULL));
    thaw_notes *notes = read_back();
    cr_assert_eq(thaw_notes_count(notes), 6);
    assert_note(notes, "format", "pt");
    assert_note(notes, "thaw.version", thaw_version());
    assert_note(notes, "thaw.model", "mlp-512");
    assert_note(notes, "thaw.outputs", "7");
    assert_note(notes, "author", "an \"author\"\n\\");
    assert_note(notes, "changed", "2");
    cr_assert_null(thaw_notes_find(notes, "gone"));
    cr_assert_str_eq(thaw_notes_name(notes, 0), "format");
    cr_assert_null(thaw_notes_name(notes, 6));
    cr_assert_null(thaw_notes_text(notes, 6));
    thaw_notes_destroy(notes);
    thaw_notes_destroy(NULL);
}

Test(notes, must_be_utf8_and_their_own)
{
    assert_fails(context, thaw_model_set_note(model, "a", "\xFF"), THAW_INVALID_ARGUMENT, "must be UTF-8");
    assert_fails(context, thaw_model_set_note(model, "\xC3", "a"), THAW_INVALID_ARGUMENT, "must be UTF-8");
    assert_fails(context, thaw_model_set_note(model, "", "a"), THAW_INVALID_ARGUMENT, "not empty");
    assert_fails(context, thaw_model_set_note(model, "format", "tf"), THAW_INVALID_ARGUMENT, "always written");
    assert_fails(context, thaw_model_set_note(model, "thaw.version", "9"), THAW_INVALID_ARGUMENT, "always written");
}

Test(notes, describe_a_folder_of_images)
{
    thaw_dataset *dataset;
    thaw_folder_options form;
    bool known;
    char **names;
    size_t count;
    folder_put_image("images/cat, \"the\"/0", 10);
    folder_put_image("images/d\xC3\xB6g/0", 20);
    const thaw_folder_options options = { .size = 30, .mean = { 0.1F, 0.2F, 0.3F }, .std = { 1, 2, 1.0F / 3 } };
    char folder[SUPPORT_PATH_BYTES];
    assert_ok(context, thaw_dataset_open_folder(context, folder_join(folder, "images"), &options, &dataset, NULL));
    assert_ok(context, thaw_model_note_data(model, dataset));
    thaw_notes *notes = read_back();
    assert_note(notes, "thaw.task", "classes");
    assert_note(notes, "thaw.classes", "[\"cat, \\\"the\\\"\",\"d\xC3\xB6g\"]");
    assert_note(notes, "thaw.images", "size=30;resize=34;channels=3;mean=0.1,0.2,0.3;std=1,2,0.33333334;decode=scaled");
    assert_ok(context, thaw_notes_classes(notes, &names, &count));
    cr_assert(count == 2 && strcmp(names[0], "cat, \"the\"") == 0 && strcmp(names[1], "d\xC3\xB6g") == 0);
    assert_ok(context, thaw_notes_images(notes, &form, &known));
    cr_assert(known && form.size == 30 && form.resize == 34 && form.channels == 3 && !form.decode_fully);
    for (int c = 0; c < 3; c++)
        cr_assert(form.mean[c] == options.mean[c] && form.std[c] == options.std[c], "channel %d", c);
    assert_ok(context, thaw_notes_check(notes, dataset));
    thaw_release(context, names);
    thaw_notes_destroy(notes);
    thaw_dataset_destroy(dataset);
}

Test(notes, forget_classes_that_no_file_can_name)
{
    thaw_dataset *dataset;
    folder_put_image("images/\xFF/0", 10);
    char folder[SUPPORT_PATH_BYTES];
    assert_ok(context, thaw_dataset_open_folder(context, folder_join(folder, "images"), NULL, &dataset, NULL));
    assert_ok(context, thaw_model_set_note(model, "thaw.classes", "[\"of other data\"]"));
    assert_ok(context, thaw_model_note_data(model, dataset));
    cr_assert_null(thaw_notes_find(thaw_model_notes(model), "thaw.classes"));
    cr_assert_not_null(strstr(folder_log, "is not UTF-8"), "%s", folder_log);
    thaw_dataset_destroy(dataset);
}

#define NOTED "size=28;resize=32;channels=1;mean=0.5;std=0.25;decode=full"

/* What each description becomes under NOTED. */
static const struct {
    const char *given, *completed;
} completions[] = {
    { "folder:x", "folder:x;" NOTED },
    { "folder:x;val=0;", "folder:x;val=0;" NOTED },
    { "folder:x;mean=0", "folder:x;mean=0;size=28;resize=32;channels=1;std=0.25;decode=full" },
    { "folder:x;size=28", "folder:x;size=28;resize=32;channels=1;mean=0.5;std=0.25;decode=full" },
    { "folder:x;size=64", "folder:x;size=64;channels=1;mean=0.5;std=0.25;decode=full" },
    { "folder:x;channels=3", "folder:x;channels=3;size=28;resize=32;decode=full" },
    { "folder:x;decode=scaled;"
      "resize=40",
      "folder:x;decode=scaled;resize=40;size=28;channels=1;mean=0.5;std=0.25" },
    { "idx:a,b;classes=1", "idx:a,b;classes=1" },
};

Test(notes, complete_descriptions_of_folders)
{
    thaw_notes *notes = read_text("thaw.images", NOTED);
    for (size_t i = 0; i < THAW_COUNT(completions); i++) {
        char *completed;
        assert_ok(context, thaw_notes_complete(notes, completions[i].given, &completed));
        cr_assert_str_eq(completed, completions[i].completed, "%s", completed);
        thaw_text_destroy(context, completed);
    }
    char *completed;
    assert_fails(context, thaw_notes_complete(notes, "folder:x;siz=1", &completed), THAW_NOT_FOUND, "siz");
    cr_assert_null(completed);
    thaw_notes_destroy(notes);
    notes = read_text("author", "me");
    assert_ok(context, thaw_notes_complete(notes, "folder:x;size=28", &completed));
    cr_assert_str_eq(completed, "folder:x;size=28");
    thaw_text_destroy(context, completed);
    thaw_notes_destroy(notes);
}

/* The difference that is named first. */
static const struct {
    thaw_folder_options options;
    const char *difference;
} differences[] = {
    { { .size = 28, .channels = 1, .mean = { 0.5F }, .std = { 0.25F } }, NULL },
    { { .size = 29, .channels = 1 }, "size=29, the weights were trained with size=28" },
    { { .size = 28, .resize = 30, .channels = 1 }, "resize=30, the weights were trained with resize=32" },
    { { .size = 28 }, "channels=3, the weights were trained with channels=1" },
    { { .size = 28, .channels = 1 }, "mean=0, the weights were trained with mean=0.5" },
    { { .size = 28, .channels = 1, .mean = { 0.5F } }, "std=1, the weights were trained with std=0.25" },
};

Test(notes, check_the_form_of_images)
{
    thaw_notes *notes = read_text("thaw.images", NOTED);
    char folder[SUPPORT_PATH_BYTES];
    folder_put_image("images/a/0", 10);
    folder_join(folder, "images");
    for (size_t i = 0; i < THAW_COUNT(differences); i++) {
        thaw_dataset *dataset;
        assert_ok(context, thaw_dataset_open_folder(context, folder, &differences[i].options, &dataset, NULL));
        if (differences[i].difference)
            assert_fails(context, thaw_notes_check(notes, dataset), THAW_INVALID_ARGUMENT, differences[i].difference);
        else
            assert_ok(context, thaw_notes_check(notes, dataset));
        thaw_dataset_destroy(dataset);
    }
    thaw_notes_destroy(notes);
}

Test(notes, of_a_hostile_file_are_errors)
{
    static const char *const lists[] = { "",          "[",         "{}",           "\"a\"", "[1]", "[\"a\",null]",
                                         "[[\"a\"]]", "[\"a\"] x", "[\"\\u0000\"]" };
    static const char *const forms[] = { "",         "size",          "size=0",   "size=1000000",   "seed=3",
                                         "val=0.1",  "size=3;size=4", "mean=a",   "std=0",          "channels=2",
                                         "mean=1,2", "classes=3-1",   "size=9;;", "resize=1;size=9" };
    char **names;
    size_t count;
    for (size_t i = 0; i < THAW_COUNT(lists); i++) {
        thaw_notes *notes = read_text("thaw.classes", lists[i]);
        assert_fails(context, thaw_notes_classes(notes, &names, &count), THAW_BAD_FORMAT, "thaw.classes");
        cr_assert(!names && !count);
        thaw_notes_destroy(notes);
    }
    for (size_t i = 1; i < THAW_COUNT(forms); i++) {
        thaw_folder_options form;
        bool known;
        thaw_notes *notes = read_text("thaw.images", forms[i]);
        assert_fails(context, thaw_notes_images(notes, &form, &known), THAW_BAD_FORMAT, "thaw.images");
        thaw_notes_destroy(notes);
    }
    thaw_notes *notes = read_text("thaw.classes", "[]");
    assert_ok(context, thaw_notes_classes(notes, &names, &count));
    cr_assert(!names && !count);
    thaw_notes_destroy(notes);
}
