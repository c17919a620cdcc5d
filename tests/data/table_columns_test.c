/* What the columns of a table become. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/allocator.h"
#include "support/folder.h"
#include "support/support.h"

static thaw_status open_text(thaw_context *context, const char *content, const char *test_content, const char *options,
                             thaw_dataset **training, thaw_dataset **test)
{
    char pattern[SUPPORT_PATH_BYTES], text[FOLDER_TEXT_BYTES];
    folder_put_text("rows.csv", content);
    if (test_content)
        folder_put_text("test.csv", test_content);
    snprintf(pattern, sizeof pattern, "csv:%%/rows.csv%s%s", options, test_content ? ";test=%/test.csv" : "");
    return thaw_dataset_open(context, folder_expand(text, pattern), training, test);
}

static const char people[] = "age,city,height,sort\n"
                             "20,Bonn,1.5,cat\n"
                             "30,Aalen,1.7,dog\n"
                             "40,Bonn,1.9,cat\n"
                             "50,Celle,2.1,ant\n";

Test(table_columns, numbers_are_standardised_and_categories_spread, .init = folder_set_up, .fini = folder_tear_down)
{
    static const char test_rows[] = "sort,height,age,city\ndog,3.8,80,Celle\n";
    thaw_context *context = support_context(1);
    thaw_dataset *training, *test;
    assert_ok(context, open_text(context, people, test_rows, ";label=sort", &training, &test));
    cr_assert_eq(thaw_dataset_count(training), 4);
    cr_assert_eq(thaw_dataset_task(training), THAW_TASK_CLASSES);
    cr_assert_eq(thaw_dataset_classes(test), 3);
    cr_assert_str_eq(thaw_dataset_class_name(training, 0), "ant");
    cr_assert_str_eq(thaw_dataset_class_name(test, 2), "dog");
    /* age, Aalen, Bonn, Celle, height. Ages have mean 35 and variance (225 + 25 + 25 + 225) / 4 = 125; heights 1.8 and
       (0.09 + 0.01 + 0.01 + 0.09) / 4 = 0.05. */
    const double age = sqrt(125), height = sqrt(0.05);
    const float first[5] = { (float)(-15 / age), 0, 1, 0, (float)(-0.3 / height) };
    const float tested[5] = { (float)(45 / age), 0, 0, 1, (float)(2 / height) };
    float sample[5];
    int32_t label;
    assert_ok(context, thaw_dataset_read(training, &(size_t){ 0 }, 1, sample, &label));
    assert_close(sample, first, 5, 1e-6, "the first row");
    cr_assert_eq(label, 1);
    assert_ok(context, thaw_dataset_read(test, &(size_t){ 0 }, 1, sample, &label));
    assert_close(sample, tested, 5, 1e-6, "the test row");
    cr_assert_eq(label, 2);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
}

static const struct {
    const char *content, *options;
    thaw_task task;
    size_t classes, rows;
    int64_t width;
    float targets[2]; /* of the first row */
} cases[] = {
    { "a,y\n1,0\n2,1\n", ";label=y", THAW_TASK_CLASSES, 2, 2, 1, { 0 } },
    { "a,y\n1,10\n2,9\n", ";label=y", THAW_TASK_CLASSES, 2, 2, 1, { 1 } }, /* by number, not by text */
    { "a,y\n1,0.5\n2,1\n", ";label=y;scale-target=no", THAW_TASK_REGRESSION, 0, 2, 1, { 0.5F } },
    { "a,y\n1,7\n2,1\n", ";label=y;task=regression", THAW_TASK_REGRESSION, 0, 2, 1, { 1 } },
    { "a,y\n1,-1\n2,1\n", ";label=2", THAW_TASK_REGRESSION, 0, 2, 1, { -1 } },
    { "a,y\n1,1.5\n2,2.5\n", ";label=y;task=classes", THAW_TASK_CLASSES, 2, 2, 1, { 0 } },
    { "a,y,z\n1,1,0\n2,0,0\n", ";label=y,z", THAW_TASK_LABELS, 0, 2, 1, { 1, 0 } },
    { "a,y,z\n1,1,3\n2,0,0\n", ";label=y,z;scale-target=no", THAW_TASK_REGRESSION, 0, 2, 1, { 1, 3 } },
    { "a,id,y\n1,k,no\n2,l,yes\n", ";label=y;skip=id", THAW_TASK_CLASSES, 2, 2, 1, { 0 } },
    { "a,id,y\n1,3,no\n2,4,yes\n", ";label=y;categories=id", THAW_TASK_CLASSES, 2, 2, 3, { 0 } },
    { "5;no\n6;yes\n", ";label=2;header=no;delimiter=semicolon", THAW_TASK_CLASSES, 2, 2, 1, { 0 } },
    { "a,y\n?,no\n2,yes\n4,NA\n6,yes\n", ";label=y;missing=drop", THAW_TASK_CLASSES, 1, 2, 1, { 0 } },
    { "a,b,y\n1,,no\n2,NA,yes\n3,x,no\n", ";label=y;missing=mean", THAW_TASK_CLASSES, 2, 3, 2, { 0 } },
};

Test(table_columns, targets_decide_about_the_task, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_dataset *dataset;
        float sample[4], targets[2];
        int32_t label;
        assert_ok(context, open_text(context, cases[i].content, NULL, cases[i].options, &dataset, NULL));
        cr_assert_eq(thaw_dataset_task(dataset), cases[i].task, "case %zu", i);
        cr_assert_eq(thaw_dataset_classes(dataset), cases[i].classes, "case %zu", i);
        cr_assert_eq(thaw_dataset_count(dataset), cases[i].rows, "case %zu", i);
        cr_assert_eq(thaw_dataset_sample_shape(dataset)->dims[0], cases[i].width, "case %zu", i);
        assert_ok(context, thaw_dataset_read(dataset, &(size_t){ 0 }, 1, sample, targets));
        memcpy(&label, targets, sizeof label);
        if (cases[i].classes)
            cr_assert_eq(label, (int32_t)cases[i].targets[0], "case %zu: %d", i, label);
        else
            cr_assert(targets[0] == cases[i].targets[0], "case %zu: %g", i, (double)targets[0]);
        thaw_dataset_destroy(dataset);
        cr_assert_eq(allocator.live, 1, "case %zu leaks", i);
    }
    thaw_context_destroy(context);
}

Test(table_columns, a_missing_number_has_the_mean_of_the_others, .init = folder_set_up, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    float samples[9];
    int32_t labels[3];
    assert_ok(context,
              open_text(context, "a,b,y\n1,u,no\n,v,yes\n5,?,no\n", NULL, ";label=y;missing=mean", &dataset, NULL));
    assert_ok(context, thaw_dataset_read(dataset, (const size_t[]){ 0, 1, 2 }, 3, samples, labels));
    const float wanted[9] = { -1, 1, 0, 0, 0, 1, 1, 0, 0 };
    assert_close(samples, wanted, 9, 1e-6, "samples");
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

/* The deviation is that of the training part alone. */
Test(table_columns, a_split_is_no_part_of_the_scaling, .init = folder_set_up, .fini = folder_tear_down)
{
    enum { ROWS = 10 };
    thaw_context *context = support_context(1);
    char content[400] = "a,y\n";
    for (int i = 0; i < ROWS; i++)
        sprintf(content + strlen(content), "%d,%d.5\n", i * i, i);
    thaw_dataset *training, *test;
    assert_ok(context,
              open_text(context, content, NULL, ";label=y;split=0.3;seed=5;scale-target=no", &training, &test));
    cr_assert_eq(thaw_dataset_count(training), 7);
    cr_assert_eq(thaw_dataset_count(test), 3);
    double mean = 0, variance = 0, rows[ROWS];
    for (size_t i = 0; i < 7; i++) {
        float sample, target;
        assert_ok(context, thaw_dataset_read(training, &i, 1, &sample, &target));
        rows[i] = ((double)target - 0.5) * ((double)target - 0.5);
        mean += rows[i] / 7;
    }
    for (size_t i = 0; i < 7; i++)
        variance += (rows[i] - mean) * (rows[i] - mean) / 7;
    for (size_t i = 0; i < 3; i++) {
        float sample, target;
        assert_ok(context, thaw_dataset_read(test, &i, 1, &sample, &target));
        const double row = ((double)target - 0.5) * ((double)target - 0.5);
        cr_assert_float_eq((double)sample, (row - mean) / sqrt(variance), 1e-5);
    }
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
}

static const struct {
    const char *content, *test, *options;
    thaw_status status;
    const char *message;
} bad[] = {
    { people, NULL, "", THAW_INVALID_ARGUMENT,
      "rows.csv: label=COLUMN is missing; it has 4 columns, from \"age\" to \"sort\"" },
    { people, NULL, ";label=kind", THAW_NOT_FOUND, "has no column \"kind\"; its columns: age, city, height, sort" },
    { people, NULL, ";label=srot", THAW_NOT_FOUND, "has no column \"srot\", did you mean \"sort\"?" },
    { people, NULL, ";label=sort;skip=hieght", THAW_NOT_FOUND, "did you mean \"height\"?" },
    { people, NULL, ";label=sort;categories=citty", THAW_NOT_FOUND, "did you mean \"city\"?" },
    { people, NULL, ";label=5", THAW_NOT_FOUND, "has no column \"5\"" },
    { people, NULL, ";label=0", THAW_NOT_FOUND, "has no column \"0\"" },
    { people, NULL, ";label=sort;skip=name", THAW_NOT_FOUND, "has no column \"name\"" },
    { people, NULL, ";label=sort,age;task=classes", THAW_INVALID_ARGUMENT, "has 2 labels, must have one" },
    { people, NULL, ";label=sort;task=regression", THAW_BAD_FORMAT,
      "rows.csv: line 2, column 4 (sort): \"cat\", must be a number" },
    { people, NULL, ";label=sort;skip=age,city,height", THAW_BAD_FORMAT, "has no column for inputs" },
    { people, NULL, ";label=sort;header=never", THAW_INVALID_ARGUMENT, "header=never, must be yes or no" },
    { people, NULL, ";label=sort;delimiter=ab", THAW_INVALID_ARGUMENT, "delimiter=ab, must be one character" },
    { people, NULL, ";label=sort;missing=zero", THAW_INVALID_ARGUMENT, "missing=zero, must be error, mean or drop" },
    { people, NULL, ";label=", THAW_INVALID_ARGUMENT, "label must name a column" },
    { people, "age,city,height,sort\n1,Ulm,2,cat\n", ";label=sort", THAW_BAD_FORMAT,
      "test.csv: line 2, column 2 (city): \"Ulm\" is none of the 3 categories" },
    { people, "age,city,height,sort\n1,Bonn,2,cow\n", ";label=sort", THAW_BAD_FORMAT,
      "test.csv: line 2, column 4 (sort): \"cow\" is none of the 3 classes" },
    { people, "age,city,sort\n1,Bonn,cat\n", ";label=sort", THAW_NOT_FOUND,
      "test.csv: has no column \"height\"; its columns: age, city, sort" },
    { people, "age,city,hight,sort\n1,Bonn,2,cat\n", ";label=sort", THAW_NOT_FOUND,
      "test.csv: has no column \"height\", did you mean \"hight\"?" },
    { people, "age,city,height,sort\n1,Bonn,\x1b[2J,cat\n", ";label=sort", THAW_BAD_FORMAT,
      "column 3 (height): \"\\x1b[2J\", must be a number" },
    { "a,y\n1,no\n,yes\n", NULL, ";label=y", THAW_BAD_FORMAT,
      "line 3, column 1 (a): \"\" has no value; missing=mean and missing=drop allow that" },
    { "a,y\n1,no\n2,\n", NULL, ";label=y;missing=mean", THAW_BAD_FORMAT, "line 3, column 2 (y): \"\" has no value" },
    { "a,y\n,no\n,yes\n", NULL, ";label=y;missing=mean", THAW_BAD_FORMAT, "column 1 (a) has no value in the training" },
    { "a,y\n,no\n,yes\n", NULL, ";label=y;missing=drop", THAW_NOT_FOUND, "each of its 2 rows lacks a value" },
    { "a,a,y\n1,2,no\n", NULL, ";label=y", THAW_BAD_FORMAT, "column 2 (a) has the name of a column before it" },
    { "a,y\n1e308,0.5\n-1e308,1\n1e308,2\n", NULL, ";label=y", THAW_BAD_FORMAT, "mean or deviation overflows" },
    { "a,y\n1,1e39\n", NULL, ";label=y", THAW_BAD_FORMAT, "column 2 (y): \"1e39\", is too large a number" },
    { "a,y\n1,0.5\n", NULL, ";label=y;split=0.5", THAW_INVALID_ARGUMENT, "only one sample" },
};

Test(table_columns, faults_are_named, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        thaw_dataset *training, *test;
        assert_fails(context, open_text(context, bad[i].content, bad[i].test, bad[i].options, &training, &test),
                     bad[i].status, bad[i].message);
        cr_assert(!training && !test);
        cr_assert_eq(allocator.live, 1, "%s: leaks", bad[i].message);
    }
    thaw_context_destroy(context);
}
