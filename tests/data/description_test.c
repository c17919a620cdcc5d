#include <stdio.h>
#include <string.h>

#include "data/openings.h"
#include "support/folder.h"
#include "support/support.h"

/* Training: 6 images of one pixel, which is their number; test: 4, with numbers from 100 on. */
static const uint8_t training_pixels[] = { 0, 1, 2, 3, 4, 5 }, training_labels[] = { 1, 2, 0, 2, 1, 2 };
static const uint8_t test_pixels[] = { 100, 101, 102, 103 }, test_labels[] = { 0, 1, 2, 1 };
static const uint8_t strange_labels[] = { 0, 1, 3, 1 };

static void write_idx(const char *name, size_t rank, uint32_t count, const uint8_t *elements)
{
    uint8_t file[64];
    folder_put(name, file, support_idx(file, rank, (const uint32_t[]){ count, 1, 1 }, elements));
}

static void begin(void)
{
    folder_set_up();
    write_idx("train-images-idx3-ubyte", 3, 6, training_pixels);
    write_idx("train-labels-idx1-ubyte", 1, 6, training_labels);
    write_idx("t10k-images-idx3-ubyte", 3, 4, test_pixels);
    write_idx("t10k-labels-idx1-ubyte", 1, 4, test_labels);
    write_idx("strange-labels", 1, 4, strange_labels);
}

static void assert_samples(thaw_context *context, thaw_dataset *dataset, const char *wanted, size_t classes)
{
    cr_assert_eq(thaw_dataset_classes(dataset), classes, "%zu classes", thaw_dataset_classes(dataset));
    char found[256] = "";
    for (size_t i = 0; i < thaw_dataset_count(dataset); i++) {
        float pixel;
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, &pixel, &label));
        sprintf(found + strlen(found), "%s%.0f:%d", i ? " " : "", (double)pixel * 255, label);
    }
    cr_assert_str_eq(found, wanted);
}

static const char idx[] = "idx:%/train-images-idx3-ubyte,%/train-labels-idx1-ubyte";

static const struct {
    const char *options;
    bool fashion; /* fashion-mnist instead of idx */
    size_t classes;
    const char *training, *test; /* "pixel:label"; NULL: no such data */
} cases[] = {
    { "", false, 3, "0:1 1:2 2:0 3:2 4:1 5:2", NULL },
    { ";test=%/t10k-images-idx3-ubyte,%/t10k-labels-idx1-ubyte", false, 3, "0:1 1:2 2:0 3:2 4:1 5:2",
      "100:0 101:1 102:2 103:1" },
    { ";classes=1-2;test=%/t10k-images-idx3-ubyte,%/t10k-labels-idx1-ubyte", false, 2, "0:0 1:1 3:1 4:0 5:1",
      "101:0 102:1 103:0" },
    { ";classes=2", false, 1, "1:0 3:0 5:0", NULL },
    { ";classes=0", false, 1, "2:0", NULL },
    { ";per-class=1;test=%/t10k-images-idx3-ubyte,%/t10k-labels-idx1-ubyte", false, 3, "0:1 1:2 2:0",
      "100:0 101:1 102:2 103:1" },
    { ";repeat=2;per-class=1;classes=0-1", false, 2, "0:1 2:0 0:1 2:0", NULL },
    { "", true, 10, "0:1 1:2 2:0 3:2 4:1 5:2", "100:0 101:1 102:2 103:1" },
    { ";classes=1-2;per-class=2", true, 2, "0:0 1:1 3:1 4:0", "101:0 102:1 103:0" },
};

Test(description, opens_what_it_says, .init = begin, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char pattern[1024], text[4096];
        snprintf(pattern, sizeof pattern, "%s%s", cases[i].fashion ? "fashion-mnist:dir=%" : idx, cases[i].options);
        thaw_dataset *training, *test;
        assert_ok(context, thaw_dataset_open(context, folder_expand(text, pattern), &training, &test));
        assert_samples(context, training, cases[i].training, cases[i].classes);
        cr_assert_eq(test != NULL, cases[i].test != NULL, "%s", text);
        if (test)
            assert_samples(context, test, cases[i].test, cases[i].classes);
        thaw_dataset_destroy(training);
        thaw_dataset_destroy(test);
        cr_assert_eq(allocator.live, 1, "%s leaks", text);
    }
    thaw_context_destroy(context);
}

Test(description, one_part_alone, .init = begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    char text[FOLDER_TEXT_BYTES];
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_open(context, folder_expand(text, "fashion-mnist:dir=%"), NULL, &dataset));
    assert_samples(context, dataset, "100:0 101:1 102:2 103:1", 10);
    thaw_dataset_destroy(dataset);
    assert_ok(context, thaw_dataset_open(context, folder_expand(text, idx), &dataset, NULL));
    assert_samples(context, dataset, "0:1 1:2 2:0 3:2 4:1 5:2", 3);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

#define IDX "idx:%/train-images-idx3-ubyte,%/train-labels-idx1-ubyte"

static const struct {
    const char *description;
    thaw_status status;
    const char *message;
} bad[] = {
    { "fashion-mnits", THAW_NOT_FOUND,
      "unknown data set \"fashion-mnits\", did you mean \"fashion-mnist\"?; known: fashion-mnist, idx" },
    { "", THAW_NOT_FOUND, "known: fashion-mnist, idx" },
    { "cifar", THAW_NOT_FOUND, "unknown data set \"cifar\"; known: fashion-mnist, idx" },
    { "fashion-mnist:clases=0-4", THAW_NOT_FOUND,
      "unknown option of a data set \"clases\", did you mean \"classes\"?; known: classes, dir, per-class, repeat" },
    { "fashion-mnist:test=a,b", THAW_NOT_FOUND, "unknown option of a data set \"test\"" },
    { IDX ";dir=/tmp", THAW_NOT_FOUND, "known: channels, classes, per-class, repeat, scale-target, test" },
    { "fashion-mnist:classes", THAW_INVALID_ARGUMENT, "\"classes\", must be NAME=VALUE" },
    { "fashion-mnist:classes=", THAW_INVALID_ARGUMENT, "classes=, must be" },
    { "fashion-mnist:classes=-1", THAW_INVALID_ARGUMENT, "classes=-1, must be" },
    { "fashion-mnist:classes=4-", THAW_INVALID_ARGUMENT, "classes=4-, must be" },
    { "fashion-mnist:classes=4-2", THAW_INVALID_ARGUMENT, "classes=4-2, must be" },
    { "fashion-mnist:classes=0-4x", THAW_INVALID_ARGUMENT, "classes=0-4x, must be" },
    { "fashion-mnist:classes=99999999999999999999", THAW_INVALID_ARGUMENT, "must be one number or A-B" },
    { "fashion-mnist:classes=0-4;classes=5-9", THAW_INVALID_ARGUMENT, "classes is given twice" },
    { "fashion-mnist:per-class=0", THAW_INVALID_ARGUMENT, "per-class=0, must be a whole number from 1" },
    { "fashion-mnist:per-class=2.5", THAW_INVALID_ARGUMENT, "per-class=2.5" },
    { "fashion-mnist:repeat=-3", THAW_INVALID_ARGUMENT, "repeat=-3" },
    { "fashion-mnist:repeat=nan", THAW_INVALID_ARGUMENT, "repeat=nan" },
    { "fashion-mnist:repeat=2;repeat=2", THAW_INVALID_ARGUMENT, "repeat is given twice" },
    { "fashion-mnist:dir=", THAW_INVALID_ARGUMENT, "dir must be a path" },
    { "fashion-mnist:dir=/nowhere", THAW_IO_ERROR, "/nowhere/t10k-labels-idx1-ubyte.gz: cannot open" },
    { "idx", THAW_INVALID_ARGUMENT, "must be IMAGES,LABELS" },
    { "idx:", THAW_INVALID_ARGUMENT, "must be IMAGES,LABELS" },
    { "idx:only-one", THAW_INVALID_ARGUMENT, "\"only-one\", must be IMAGES,LABELS" },
    { "idx:a,b,c", THAW_INVALID_ARGUMENT, "\"a,b,c\", must be IMAGES,LABELS" },
    { "idx:,b", THAW_INVALID_ARGUMENT, "must be IMAGES,LABELS" },
    { "idx:a,", THAW_INVALID_ARGUMENT, "must be IMAGES,LABELS" },
    { "idx:/nowhere/a,/nowhere/b", THAW_IO_ERROR, "/nowhere/b: cannot open" },
    { IDX ";test=x", THAW_INVALID_ARGUMENT, "\"x\", must be IMAGES,LABELS" },
    { IDX ";test=a,b;test=a,b", THAW_INVALID_ARGUMENT, "test is given twice" },
    { IDX ";test=%/t10k-images-idx3-ubyte,%/strange-labels", THAW_BAD_FORMAT,
      "strange-labels: label 3 of sample 2 must be below 3" },
    { IDX ";classes=1-3", THAW_INVALID_ARGUMENT, "classes are 1 to 3, must be within 0 to 2" },
    { "fashion-mnist:dir=%;classes=5-9", THAW_NOT_FOUND, "no sample has a class from 5 to 9" },
};

Test(description, what_is_wrong_is_named, .init = begin, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        char text[FOLDER_TEXT_BYTES];
        thaw_dataset *training, *test;
        const thaw_status status =
            thaw_dataset_open(context, folder_expand(text, bad[i].description), &training, &test);
        cr_assert_eq(status, bad[i].status, "%s: %s: %s", text, thaw_status_name(status),
                     thaw_context_message(context));
        cr_assert_not_null(strstr(thaw_context_message(context), bad[i].message), "%s: %s", text,
                           thaw_context_message(context));
        cr_assert(!training && !test, "%s", text);
        cr_assert_eq(allocator.live, 1, "%s leaks", text);
    }
    thaw_context_destroy(context);
}

Test(description, every_failing_allocation_is_reported_and_leaks_nothing, .init = begin, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    char text[FOLDER_TEXT_BYTES];
    folder_expand(text, "fashion-mnist:dir=%;classes=0-2;per-class=1;repeat=3");
    cr_assert_geq(openings_fail_each(&allocator, context, text), 20);
    thaw_context_destroy(context);
}
