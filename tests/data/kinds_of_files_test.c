/* Paths without a kind, IDX files of all types, and one channel as three. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/folder_fixture.h"
#include "data/small_npy.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/support.h"

static char directory[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
}

static void end(void)
{
    support_remove_tree(directory);
}

static void write_file(const char *name, const void *bytes, size_t count)
{
    char path[SUPPORT_PATH_BYTES];
    support_write_file(support_path(path, directory, name), bytes, count);
}

/* Writes the description with each % replaced by the directory. */
static const char *expand(char *text, const char *pattern)
{
    size_t used = 0;
    for (; *pattern; pattern++)
        used +=
            (size_t)(*pattern == '%' ? sprintf(text + used, "%s", directory) : sprintf(text + used, "%c", *pattern));
    return text;
}

static const uint8_t shorts[] = "\0\0\x0B\2"
                                "\0\0\0\2\0\0\0\2"
                                "\0\1\0\2\xFF\xFF\1\0";
static const uint8_t floats[] = "\0\0\x0D\3"
                                "\0\0\0\2\0\0\0\1\0\0\0\1"
                                "\x3F\x00\0\0\xC0\x40\0\0";
static const uint8_t doubles[] = "\0\0\x0E\1"
                                 "\0\0\0\2"
                                 "\x3F\xF8\0\0\0\0\0\0\xC0\0\0\0\0\0\0\0";
static const uint8_t words[] = "\0\0\x0C\1"
                               "\0\0\0\2"
                               "\0\0\0\1\0\0\0\0";
static const uint8_t bytes[] = "\0\0\x08\3"
                               "\0\0\0\2\0\0\0\1\0\0\0\1"
                               "\x33\xFF";
static const uint8_t labels[] = "\0\0\x08\1"
                                "\0\0\0\2"
                                "\1\0";

static void write_all(void)
{
    static const float values[2] = { 0.5F, -3 };
    const npy_file x = npy_floats("(2, 1, 1)", values, 2), y = npy_labels("(2,)", (const uint8_t[]){ 1, 0 }, 2);
    const npy_file both = npy_archive(&x, &y, true);
    write_file("shorts", shorts, sizeof shorts - 1);
    write_file("floats", floats, sizeof floats - 1);
    write_file("doubles", doubles, sizeof doubles - 1);
    write_file("words", words, sizeof words - 1);
    write_file("bytes", bytes, sizeof bytes - 1);
    write_file("labels", labels, sizeof labels - 1);
    write_file("x.npy", x.bytes, x.count);
    write_file("y.npy", y.bytes, y.count);
    write_file("both.npz", both.bytes, both.count);
    write_file("rows.csv", "a,y\n4,no\n6,yes\n", 15);
    write_file("rows.tsv", "a\ty\n4\tno\n6\tyes\n", 15);
    write_file("odd.bin", "?", 1);
}

static const struct {
    const char *description;
    thaw_shape shape;
    float samples[6]; /* of both */
    thaw_task task;
    float targets[2];
} cases[] = {
    { "%/rows.csv;label=y", { 1, { 1 } }, { -1, 1 }, THAW_TASK_CLASSES, { 0, 1 } },
    { "%/rows.tsv;label=y", { 1, { 1 } }, { -1, 1 }, THAW_TASK_CLASSES, { 0, 1 } },
    { "%/both.npz", { 3, { 1, 1, 1 } }, { 0.5F, -3 }, THAW_TASK_CLASSES, { 1, 0 } },
    { "%/x.npy,%/y.npy", { 3, { 1, 1, 1 } }, { 0.5F, -3 }, THAW_TASK_CLASSES, { 1, 0 } },
    { "%/bytes,%/labels", { 3, { 1, 1, 1 } }, { 0.2F, 1 }, THAW_TASK_CLASSES, { 1, 0 } },
    { "idx:%/floats,%/words", { 3, { 1, 1, 1 } }, { 0.5F, -3 }, THAW_TASK_CLASSES, { 1, 0 } },
    { "idx:%/shorts,%/labels", { 1, { 2 } }, { 1, 2, -1, 256 }, THAW_TASK_CLASSES, { 1, 0 } },
    { "idx:%/bytes,%/doubles", { 3, { 1, 1, 1 } }, { 0.2F, 1 }, THAW_TASK_REGRESSION, { 1.5F, -2 } },
    { "idx:%/bytes,%/labels;channels=3",
      { 3, { 1, 1, 3 } },
      { 0.2F, 0.2F, 0.2F, 1, 1, 1 },
      THAW_TASK_CLASSES,
      { 1, 0 } },
    { "npz:%/both.npz;channels=3", { 3, { 1, 1, 3 } }, { 0.5F, 0.5F, 0.5F, -3, -3, -3 }, THAW_TASK_CLASSES, { 1, 0 } },
    { "npz:%/both.npz;channels=1", { 3, { 1, 1, 1 } }, { 0.5F, -3 }, THAW_TASK_CLASSES, { 1, 0 } },
};

Test(kinds_of_files, are_told_apart, .init = begin, .fini = end)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    write_all();
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char text[2048];
        thaw_dataset *dataset;
        float samples[6], targets[2];
        assert_ok(context, thaw_dataset_open(context, expand(text, cases[i].description), &dataset, NULL));
        cr_assert_eq(thaw_dataset_task(dataset), cases[i].task, "%s", cases[i].description);
        cr_assert(thaw_shape_equal(thaw_dataset_sample_shape(dataset), &cases[i].shape), "%s", cases[i].description);
        assert_ok(context, thaw_dataset_read(dataset, (const size_t[]){ 0, 1 }, 2, samples, targets));
        assert_close(samples, cases[i].samples, 2 * thaw_shape_count(&cases[i].shape), 1e-6, cases[i].description);
        for (size_t k = 0; k < 2; k++) {
            int32_t label;
            memcpy(&label, &targets[k], sizeof label);
            cr_assert(cases[i].task == THAW_TASK_CLASSES ? label == (int32_t)cases[i].targets[k]
                                                         : targets[k] == cases[i].targets[k],
                      "%s", cases[i].description);
        }
        thaw_dataset_destroy(dataset);
        cr_assert_eq(allocator.live, 1, "%s leaks", cases[i].description);
    }
    thaw_context_destroy(context);
}

static const struct {
    const char *description;
    thaw_status status;
    const char *message;
} bad[] = {
    { "%/nothing", THAW_NOT_FOUND, "unknown data set" },
    { "%/odd.bin", THAW_NOT_FOUND, "unknown data set" },
    { "%/nothing,%/labels", THAW_NOT_FOUND, "unknown data set" },
    { "%/rows.csv", THAW_INVALID_ARGUMENT, "label=COLUMN is missing" },
    { "%", THAW_NOT_FOUND, "has no sub-folders" },
    { "%/rows.csv;channels=3", THAW_NOT_FOUND, "unknown option of a data set \"channels\"" },
    { "idx:%/shorts,%/labels;channels=3", THAW_INVALID_ARGUMENT, "channels=3 is for images of one channel" },
    { "idx:%/bytes,%/labels;channels=2", THAW_INVALID_ARGUMENT, "channels=2, must be 1 or 3" },
};

Test(kinds_of_files, faults_are_named, .init = begin, .fini = end)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    write_all();
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        char text[2048];
        thaw_dataset *dataset;
        assert_fails(context, thaw_dataset_open(context, expand(text, bad[i].description), &dataset, NULL),
                     bad[i].status, bad[i].message);
        cr_assert_null(dataset);
        cr_assert_eq(allocator.live, 1, "%s leaks", bad[i].description);
    }
    thaw_context_destroy(context);
}

/* All bits of a header of IDX, and all lengths, of a type that is not that of MNIST. */
Test(kinds_of_files, damaged_idx_files_are_refused, .init = begin, .fini = end)
{
    support_allocator allocator = { .largest = 1 << 20 };
    thaw_context *context = support_context_on(&allocator);
    char text[2048];
    write_all();
    expand(text, "idx:%/floats,%/words");
    for (size_t count = 0; count < sizeof floats - 1; count++) {
        thaw_dataset *dataset;
        write_file("floats", floats, count);
        assert_fails(context, thaw_dataset_open(context, text, &dataset, NULL), THAW_BAD_FORMAT, "floats: ");
    }
    for (size_t bit = 0; bit < 8 * 16; bit++) {
        uint8_t bad_file[sizeof floats - 1];
        thaw_dataset *dataset;
        memcpy(bad_file, floats, sizeof bad_file);
        bad_file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        write_file("floats", bad_file, sizeof bad_file);
        const thaw_status status = thaw_dataset_open(context, text, &dataset, NULL);
        /* Bit 16 makes integers of as many bytes of the floats. */
        cr_assert((status == THAW_OK) == (bit == 16), "bit %zu: %s", bit, thaw_status_name(status));
        thaw_dataset_destroy(dataset);
        cr_assert_eq(allocator.live, 1);
    }
    thaw_context_destroy(context);
}

Test(kinds_of_files, a_folder_is_one_of_images, .init = folder_set_up, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    char path[SUPPORT_PATH_BYTES], text[2 * SUPPORT_PATH_BYTES];
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "photos/%s/%d", i % 2 ? "cat" : "dog", i);
        folder_put_image(name, 60 * i);
    }
    folder_join(path, "photos");
    snprintf(text, sizeof text, "%s;size=8;val=0", path);
    assert_ok(context, thaw_dataset_open(context, text, &dataset, NULL));
    cr_assert_eq(thaw_dataset_count(dataset), 4);
    cr_assert_str_eq(thaw_dataset_class_name(dataset, 1), "dog");
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
