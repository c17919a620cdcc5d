/* A folder of images with a table of labels: classes, several labels, numbers, and what is wrong with it. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/folder_fixture.h"
#include "support/allocator.h"
#include "support/support.h"

enum { IMAGES = 10 };

/* Images of one grey level each: 20 times the number. */
static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "photos/%s%d.png", i % 2 ? "" : "even/", i);
        folder_put_image(name, 20 * i);
    }
}

TestSuite(labelled_folder, .init = begin, .fini = folder_tear_down);

static thaw_status open_text(thaw_context *context, const char *table, const char *options, thaw_dataset **training,
                             thaw_dataset **test)
{
    char photos[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], text[3 * SUPPORT_PATH_BYTES];
    folder_put_text("labels.csv", table);
    snprintf(text, sizeof text, "folder:%s;size=4;channels=1;labels=%s%s", folder_join(photos, "photos"),
             folder_join(path, "labels.csv"), options);
    return thaw_dataset_open(context, text, training, test);
}

/* "file,FORMAT" with a row for each image. */
static const char *rows(const char *names, const char *(*write)(int image))
{
    static char text[2000];
    size_t at = (size_t)sprintf(text, "%s\n", names);
    for (int i = 0; i < IMAGES; i++)
        at += (size_t)sprintf(text + at, "%s%d.png,%s\n", i % 2 ? "" : "./even/", i, write(i));
    return text;
}

static const char *by_class(int i)
{
    return i < 4 ? "zebra" : "ant";
}

static const char *by_labels(int i)
{
    static char text[32];
    sprintf(text, "%d,%d", i > 4, i % 2);
    return text;
}

static const char *by_number(int i)
{
    static char text[32];
    sprintf(text, "%d.5", 1000 * i);
    return text;
}

/* The number of the image that became this sample. */
static int image_of(const float *sample)
{
    return (int)lround((double)sample[0] * 255 / 20);
}

static void check_classes(thaw_context *context, thaw_dataset *dataset, bool seen[IMAGES])
{
    for (size_t i = 0; i < thaw_dataset_count(dataset); i++) {
        float sample[16];
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, &label));
        const int image = image_of(sample);
        cr_assert_str_eq(thaw_dataset_class_name(dataset, (size_t)label), by_class(image));
        cr_assert_not(seen[image]);
        seen[image] = true;
    }
}

Test(labelled_folder, classes_are_those_of_the_table)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *training, *test;
    bool seen[IMAGES] = { false };
    assert_ok(context, open_text(context, rows("file,kind", by_class), ";val=0.34", &training, &test));
    cr_assert_eq(thaw_dataset_classes(training), 2);
    cr_assert_eq(thaw_dataset_count(training), 7);
    cr_assert_eq(thaw_dataset_count(test), 3);
    check_classes(context, training, seen);
    check_classes(context, test, seen);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}

Test(labelled_folder, several_labels_and_numbers_belong_to_their_images)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *dataset;
    double mean, deviation;
    assert_ok(context, open_text(context, rows("file,a,b", by_labels), ";label=a,b;val=0;repeat=2", &dataset, NULL));
    cr_assert_eq(thaw_dataset_task(dataset), THAW_TASK_LABELS);
    cr_assert_eq(thaw_dataset_count(dataset), 2 * IMAGES);
    for (size_t i = 0; i < 2 * IMAGES; i++) {
        float sample[16], targets[2];
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, targets));
        const int image = image_of(sample);
        cr_assert(targets[0] == (image > 4) && targets[1] == image % 2, "image %d", image);
    }
    thaw_dataset_destroy(dataset);
    assert_ok(context, open_text(context, rows("file,price", by_number), ";val=0", &dataset, NULL));
    cr_assert_eq(thaw_dataset_task(dataset), THAW_TASK_REGRESSION);
    cr_assert(thaw_dataset_target_scale(dataset, 0, &mean, &deviation));
    cr_assert_float_eq(mean, 4500.5, 1e-3);
    for (size_t i = 0; i < IMAGES; i++) {
        float sample[16], target;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, &target));
        cr_assert_float_eq((double)target * deviation + mean, 1000 * image_of(sample) + 0.5, 0.01);
    }
    thaw_dataset_destroy(dataset);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}

/* A broken image is found when it is read: its sample is another image, with the numbers of that. */
Test(labelled_folder, numbers_follow_the_image_that_replaces_a_broken_one)
{
    static const char broken[] = "\x89PNG\r\n\x1a\n....";
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    folder_put_text("photos/3.png", broken);
    assert_ok(context, open_text(context, rows("file,price", by_number), ";val=0;scale-target=no", &dataset, NULL));
    for (size_t i = 0; i < IMAGES; i++) {
        float sample[16], target;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, &target));
        cr_assert(image_of(sample) != 3 && target == 1000.0F * (float)image_of(sample) + 0.5F);
    }
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(labelled_folder, a_second_table_is_the_test_part)
{
    static const char others[] = "x,kind,file\n1,ant,1.png\n1,zebra,3.png\n";
    thaw_context *context = support_context(1);
    thaw_dataset *training, *test;
    char options[SUPPORT_PATH_BYTES + 64], path[SUPPORT_PATH_BYTES];
    folder_put_text("others.csv", others);
    snprintf(options, sizeof options, ";file=file;label=kind;unlisted=skip;test=%s", folder_join(path, "others.csv"));
    assert_ok(context, open_text(context, "file,kind\n5.png,zebra\n7.png,ant\n9.png,ant\n", options, &training, &test));
    cr_assert_eq(thaw_dataset_count(training), 3);
    cr_assert_eq(thaw_dataset_count(test), 2);
    for (size_t i = 0; i < 2; i++) {
        float sample[16];
        int32_t label;
        assert_ok(context, thaw_dataset_read(test, &i, 1, sample, &label));
        cr_assert_eq(label, image_of(sample) == 3);
    }
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
}

static const struct {
    const char *table, *options;
    thaw_status status;
    const char *message;
} wrong[] = {
    { "file,kind\n1.png,a\n11.png,b\n", ";unlisted=skip", THAW_BAD_FORMAT,
      "labels.csv: line 3, column 1 (file): \"11.png\" is missing in " },
    { "file,kind\n1.png,a\n3.png,b\n./1.png,a\n", ";unlisted=skip", THAW_BAD_FORMAT,
      "labels.csv: line 4, column 1 (file): \"1.png\" is listed before, in " },
    { "file,kind\n1.png,a\n3.png,b\n", "", THAW_BAD_FORMAT, "photos/5.png: is an image for which " },
    { "file,kind\n1.png,a\n3.png,\n", ";unlisted=skip", THAW_BAD_FORMAT,
      "labels.csv: line 3, column 2 (kind): \"\" has no value" },
    { "file,kind\n1.png,a\n,b\n", ";unlisted=skip", THAW_BAD_FORMAT,
      "labels.csv: line 3, column 1 (file): is empty, must be the path of an image" },
    { "file,kind\n1.png,a\n", ";file=name", THAW_NOT_FOUND, "labels.csv: has no column \"name\"" },
    { "file,kind\n1.png,a\n", ";label=name", THAW_NOT_FOUND, "labels.csv: has no column \"name\"" },
    { "file,kind\n1.png,a\n", ";label=file", THAW_INVALID_ARGUMENT, "is both the path and the label" },
    { "file\n1.png\n", "", THAW_BAD_FORMAT, "labels.csv: has one column, must have" },
    { "file,kind\n1.png,a\n", ";classes=0-1", THAW_INVALID_ARGUMENT, "classes is for folders without labels=FILE" },
    { "file,kind\n1.png,a\n", ";unlisted=no", THAW_INVALID_ARGUMENT, "unlisted=no, must be fail or skip" },
};

Test(labelled_folder, what_is_wrong_is_named_with_row_and_file)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        thaw_dataset *training, *test;
        assert_fails(context, open_text(context, wrong[i].table, wrong[i].options, &training, &test), wrong[i].status,
                     wrong[i].message);
        cr_assert(training == NULL && test == NULL && allocator.live == 1, "case %zu", i);
    }
    thaw_context_destroy(context);
}

/* Each allocation fails once: nothing leaks, and no data set is made of a part. */
Test(labelled_folder, failed_allocations_leak_nothing)
{
    const char *table = rows("file,price", by_number);
    for (size_t failing = 1;; failing++) {
        support_allocator allocator = { 0 };
        thaw_context *context = support_context_on(&allocator);
        thaw_dataset *training, *test;
        allocator.fail_at = allocator.calls + failing;
        const thaw_status status = open_text(context, table, ";threads=1", &training, &test);
        cr_assert(status == THAW_OK || (training == NULL && test == NULL));
        thaw_dataset_destroy(training);
        thaw_dataset_destroy(test);
        cr_assert_eq(allocator.live, 1, "allocation %zu leaks", failing);
        thaw_context_destroy(context);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY, "allocation %zu", failing);
    }
}
