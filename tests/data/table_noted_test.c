/* What a file of weights notes of a table is used for other tables. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/allocator.h"
#include "support/folder.h"
#include "support/support.h"

static const char *write_rows(char text[FOLDER_TEXT_BYTES], const char *content, const char *options)
{
    char pattern[SUPPORT_PATH_BYTES];
    folder_put_text("rows.csv", content);
    snprintf(pattern, sizeof pattern, "csv:%%/rows.csv%s", options);
    return folder_expand(text, pattern);
}

/* The notes of a model that was trained on this table. */
static void note(thaw_context *context, const char *content, const char *options, thaw_model **model)
{
    char text[FOLDER_TEXT_BYTES];
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_open(context, write_rows(text, content, options), &dataset, NULL));
    assert_ok(context, thaw_model_create(context, model));
    assert_ok(context, thaw_model_note_data(*model, dataset));
    thaw_dataset_destroy(dataset);
}

static const char trained[] = "age,\"ci\"\"ty\",kind\n10,Bonn,b\n30,Aalen,a\n";

Test(table_noted, says_what_columns_are, .init = folder_set_up, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    note(context, trained, ";label=kind", &model);
    const thaw_notes *notes = thaw_model_notes(model);
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.task"), "classes");
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.classes"), "[\"a\",\"b\"]");
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.labels"), "[\"kind\"]");
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.columns"),
                     "[\"age\",\"number\",\"20\",\"10\",\"ci\\\"ty\",\"category\",\"2\",\"Aalen\",\"Bonn\"]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(table_noted, says_which_features_are_categories, .init = folder_set_up, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    char text[FOLDER_TEXT_BYTES];
    thaw_dataset *dataset;
    thaw_category_column columns[2] = { { 7, 7 }, { 7, 7 } };
    size_t count = 7;
    static const char rows[] = "age,city,height,sex,kind\n10,Bonn,1.5,f,b\n30,Aalen,2,m,a\n40,Celle,3,m,a\n";
    assert_ok(context, thaw_dataset_open(context, write_rows(text, rows, ";label=kind"), &dataset, NULL));
    assert_ok(context, thaw_dataset_categories(dataset, columns, 1, &count));
    cr_assert(count == 2 && columns[0].first == 1 && columns[0].count == 3 && columns[1].first == 7);
    assert_ok(context, thaw_dataset_categories(dataset, columns, 2, &count));
    cr_assert(count == 2 && columns[1].first == 5 && columns[1].count == 2);
    thaw_dataset_destroy(dataset);
    assert_ok(context,
              thaw_dataset_open(context, write_rows(text, "a,kind\n1,x\n2,y\n", ";label=kind"), &dataset, NULL));
    assert_ok(context, thaw_dataset_categories(dataset, columns, 2, &count));
    cr_assert_eq(count, 0);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(table_noted, scales_other_rows_as_in_training, .init = folder_set_up, .fini = folder_tear_down)
{
    static const char others[] = "id,kind,\"ci\"\"ty\",age\n7,b,Aalen,40\n8,b,Bonn,50\n";
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model;
    thaw_dataset *dataset;
    char text[FOLDER_TEXT_BYTES];
    note(context, trained, ";label=kind", &model);
    const char *const options[] = { "", ";label=kind", ";split=0.5" };
    for (int i = 0; i < 3; i++) {
        assert_ok(context, thaw_dataset_open_noted(context, thaw_model_notes(model),
                                                   write_rows(text, others, options[i]), &dataset, NULL));
        float sample[3];
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &(size_t){ 0 }, 1, sample, &label));
        cr_assert_eq(label, 1);
        cr_assert_eq(thaw_dataset_classes(dataset), 2);
        cr_assert(sample[0] == 2 || (i == 2 && sample[0] == 3), "%g", (double)sample[0]);
        thaw_dataset_destroy(dataset);
    }
    assert_fails(context,
                 thaw_dataset_open_noted(context, thaw_model_notes(model), write_rows(text, "age,kind\n1,b\n", ""),
                                         &dataset, NULL),
                 THAW_NOT_FOUND, "rows.csv: has no column \"ci\"ty\"");
    /* Other targets are new; the inputs are as noted. */
    assert_ok(context, thaw_dataset_open_noted(context, thaw_model_notes(model),
                                               write_rows(text, others, ";label=id;task=regression;scale-target=no"),
                                               &dataset, NULL));
    cr_assert_eq(thaw_dataset_task(dataset), THAW_TASK_REGRESSION);
    float sample[3], target;
    assert_ok(context, thaw_dataset_read(dataset, &(size_t){ 0 }, 1, sample, &target));
    cr_assert(target == 7 && sample[0] == 2 && sample[1] == 1 && sample[2] == 0);
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}

Test(table_noted, tests_are_prepared_as_the_training_data, .init = folder_set_up, .fini = folder_tear_down)
{
    static const char others[] = "kind,\"ci\"\"ty\",age\nb,Aalen,40\nb,Bonn,50\n";
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *training, *test;
    char text[FOLDER_TEXT_BYTES];
    assert_ok(context, thaw_dataset_open(context, write_rows(text, trained, ";label=kind"), &training, NULL));
    assert_ok(context, thaw_dataset_open_like(context, write_rows(text, others, ""), training, &test));
    float samples[2][3];
    int32_t labels[2];
    assert_ok(context, thaw_dataset_read(test, (const size_t[]){ 0, 1 }, 2, samples[0], labels));
    /* By the training data's mean of 20 and deviation of 10, with its two cities, and "b" as its second class. */
    cr_assert(samples[0][0] == 2 && samples[0][1] == 1 && samples[0][2] == 0 && labels[0] == 1);
    cr_assert(samples[1][0] == 3 && samples[1][1] == 0 && samples[1][2] == 1 && labels[1] == 1);
    thaw_dataset_destroy(test);
    /* Only the part that is for tests. */
    assert_ok(context, thaw_dataset_open_like(context, write_rows(text, others, ";split=0.5"), training, &test));
    cr_assert_eq(thaw_dataset_count(test), 1);
    thaw_dataset_destroy(test);
    assert_fails(context, thaw_dataset_open_like(context, write_rows(text, "age,kind\n1,b\n", ""), training, &test),
                 THAW_NOT_FOUND, "rows.csv: has no column \"ci\"ty\"");
    cr_assert_null(test);
    thaw_dataset_destroy(training);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}

static const char *const broken[] = {
    "[]",
    "[\"age\"]",
    "[\"age\",\"number\",\"1\"]",
    "[\"age\",\"number\",\"1\",\"0\"]",
    "[\"age\",\"number\",\"1\",\"x\"]",
    "[\"age\",\"count\",\"1\",\"1\"]",
    "[\"age\",\"category\",\"3\",\"a\",\"b\"]",
    "[\"age\",\"category\",\"-1\"]",
    "[\"age\",\"category\",\"1e300\",\"a\"]",
    "{}",
};

Test(table_noted, broken_notes_are_refused, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    char text[FOLDER_TEXT_BYTES];
    thaw_model *model;
    note(context, trained, ";label=kind", &model);
    for (size_t i = 0; i < THAW_COUNT(broken); i++) {
        thaw_dataset *dataset;
        assert_ok(context, thaw_model_set_note(model, "thaw.columns", broken[i]));
        assert_fails(context,
                     thaw_dataset_open_noted(context, thaw_model_notes(model), write_rows(text, trained, ""), &dataset,
                                             NULL),
                     THAW_BAD_FORMAT, "thaw.columns");
        cr_assert_null(dataset);
    }
    thaw_model_destroy(model);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}
