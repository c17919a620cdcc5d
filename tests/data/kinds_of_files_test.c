/* Paths without a kind, IDX files of all types, and one channel as three. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/folder_fixture.h"
#include "data/openings.h"
#include "data/small_npy.h"
#include "support/folder.h"
#include "support/support.h"

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
    folder_put("shorts", shorts, sizeof shorts - 1);
    folder_put("floats", floats, sizeof floats - 1);
    folder_put("doubles", doubles, sizeof doubles - 1);
    folder_put("words", words, sizeof words - 1);
    folder_put("bytes", bytes, sizeof bytes - 1);
    folder_put("labels", labels, sizeof labels - 1);
    folder_put("x.npy", x.bytes, x.count);
    folder_put("y.npy", y.bytes, y.count);
    folder_put("both.npz", both.bytes, both.count);
    folder_put_text("rows.csv", "a,y\n4,no\n6,yes\n");
    folder_put_text("rows.tsv", "a\ty\n4\tno\n6\tyes\n");
    folder_put_text("odd.bin", "?");
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
    { "idx:%/bytes,%/doubles;scale-target=no", { 3, { 1, 1, 1 } }, { 0.2F, 1 }, THAW_TASK_REGRESSION, { 1.5F, -2 } },
    { "idx:%/bytes,%/labels;channels=3",
      { 3, { 1, 1, 3 } },
      { 0.2F, 0.2F, 0.2F, 1, 1, 1 },
      THAW_TASK_CLASSES,
      { 1, 0 } },
    { "npz:%/both.npz;channels=3", { 3, { 1, 1, 3 } }, { 0.5F, 0.5F, 0.5F, -3, -3, -3 }, THAW_TASK_CLASSES, { 1, 0 } },
    { "npz:%/both.npz;channels=1", { 3, { 1, 1, 1 } }, { 0.5F, -3 }, THAW_TASK_CLASSES, { 1, 0 } },
};

Test(kinds_of_files, are_told_apart, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    write_all();
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char text[FOLDER_TEXT_BYTES];
        thaw_dataset *dataset;
        float samples[6], targets[2];
        assert_ok(context, thaw_dataset_open(context, folder_expand(text, cases[i].description), &dataset, NULL));
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
    { "%/odd.bin", THAW_NOT_FOUND, "/odd.bin: the name of a file alone must end with .csv, .tsv or .npz" },
    { "%/nothing,%/labels", THAW_NOT_FOUND, "unknown data set" },
    { "%/rows.csv", THAW_INVALID_ARGUMENT, "label=COLUMN is missing" },
    { "%", THAW_NOT_FOUND, "has no sub-folders" },
    { "%/rows.csv;channels=3", THAW_NOT_FOUND, "unknown option of a data set \"channels\"" },
    { "idx:%/shorts,%/labels;channels=3", THAW_INVALID_ARGUMENT, "channels=3 is for images of one channel" },
    { "idx:%/bytes,%/labels;channels=2", THAW_INVALID_ARGUMENT, "channels=2, must be 1 or 3" },
};

Test(kinds_of_files, faults_are_named, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    write_all();
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        char text[FOLDER_TEXT_BYTES];
        thaw_dataset *dataset;
        assert_fails(context, thaw_dataset_open(context, folder_expand(text, bad[i].description), &dataset, NULL),
                     bad[i].status, bad[i].message);
        cr_assert_null(dataset);
        cr_assert_eq(allocator.live, 1, "%s leaks", bad[i].description);
    }
    thaw_context_destroy(context);
}

/* All bits of a header of IDX, and all lengths, of a type that is not that of MNIST. */
Test(kinds_of_files, damaged_idx_files_are_refused, .init = folder_set_up, .fini = folder_tear_down)
{
    support_allocator allocator = { .largest = 1 << 20 };
    thaw_context *context = support_context_on(&allocator);
    char text[FOLDER_TEXT_BYTES];
    write_all();
    folder_expand(text, "idx:%/floats,%/words");
    for (size_t count = 0; count < sizeof floats - 1; count++) {
        thaw_dataset *dataset;
        folder_put("floats", floats, count);
        assert_fails(context, thaw_dataset_open(context, text, &dataset, NULL), THAW_BAD_FORMAT, "floats: ");
    }
    for (size_t bit = 0; bit < 8 * 16; bit++) {
        uint8_t bad_file[sizeof floats - 1];
        thaw_dataset *dataset;
        memcpy(bad_file, floats, sizeof bad_file);
        bad_file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        folder_put("floats", bad_file, sizeof bad_file);
        const thaw_status status = thaw_dataset_open(context, text, &dataset, NULL);
        /* Bit 16 makes integers of as many bytes of the floats. */
        cr_assert((status == THAW_OK) == (bit == 16), "bit %zu: %s", bit, thaw_status_name(status));
        thaw_dataset_destroy(dataset);
        cr_assert_eq(allocator.live, 1);
    }
    thaw_context_destroy(context);
}

/* ---- folders ---- */

/* Images in two classes, and what lies about in folders of images. */
static void put_photos(const char *name)
{
    char path[SUPPORT_PATH_BYTES];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s/%d", name, i % 2 ? "cat" : "dog", i);
        folder_put_image(path, 60 * i);
    }
    snprintf(path, sizeof path, "%s/labels.tsv", name);
    folder_put_text(path, "name\tclass\n0\tdog\n");
    snprintf(path, sizeof path, "%s/cat/notes.tsv", name);
    folder_put_text(path, "seen\tonce\n");
    snprintf(path, sizeof path, "%s/dog/unknown.bin", name);
    folder_put_text(path, "?");
}

/* Whatever its name ends with, and whatever else is in it. */
Test(kinds_of_files, a_folder_is_one_of_images, .init = folder_set_up, .fini = folder_tear_down)
{
    static const char *const names[] = { "photos", "photos.tsv", "photos.npz", "a,b" };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        thaw_dataset *dataset;
        char pattern[64], text[FOLDER_TEXT_BYTES];
        put_photos(names[i]);
        snprintf(pattern, sizeof pattern, "%%/%s;size=8;val=0", names[i]);
        assert_ok(context, thaw_dataset_open(context, folder_expand(text, pattern), &dataset, NULL));
        cr_assert_eq(thaw_dataset_count(dataset), 4, "%s: %zu", names[i], thaw_dataset_count(dataset));
        cr_assert_str_eq(thaw_dataset_class_name(dataset, 1), "dog");
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(kinds_of_files, a_folder_without_images_is_named, .init = folder_set_up, .fini = folder_tear_down)
{
    static const char *const files[] = { "rows/rows.tsv", "odd/unknown.bin" };
    static const char *const folders[] = { "%/rows", "%/odd" };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(files); i++) {
        thaw_dataset *dataset;
        char text[FOLDER_TEXT_BYTES];
        folder_put_text(files[i], "a\ty\n1\tno\n2\tyes\n");
        assert_fails(context, thaw_dataset_open(context, folder_expand(text, folders[i]), &dataset, NULL),
                     THAW_NOT_FOUND, "has no sub-folders");
        cr_assert_null(dataset);
    }
    thaw_context_destroy(context);
}

/* The name of the file says how its columns are separated, and that of a folder does not. */
Test(kinds_of_files, a_folder_says_nothing_of_a_table_in_it, .init = folder_set_up, .fini = folder_tear_down)
{
    static const struct {
        const char *name, *content;
    } tables[] = {
        { "old.tsv/rows.csv", "a,y\n4,no\n6,yes\n" },
        { "rows.tsv.csv", "a,y\n4,no\n6,yes\n" },
        { "old.csv/rows.tsv", "a\ty\n4\tno\n6\tyes\n" },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(tables); i++) {
        thaw_dataset *dataset;
        char pattern[64], text[FOLDER_TEXT_BYTES];
        folder_put_text(tables[i].name, tables[i].content);
        snprintf(pattern, sizeof pattern, "%%/%s;label=y", tables[i].name);
        assert_ok(context, thaw_dataset_open(context, folder_expand(text, pattern), &dataset, NULL));
        cr_assert_eq(thaw_dataset_count(dataset), 2);
        cr_assert_str_eq(thaw_dataset_class_name(dataset, 1), "yes");
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

/* ---- memory ---- */

Test(kinds_of_files, every_failing_allocation_is_reported_and_leaks_nothing, .init = folder_set_up,
     .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    write_all();
    put_photos("photos");
    for (size_t i = 0; i <= THAW_COUNT(cases); i++) {
        char text[FOLDER_TEXT_BYTES];
        folder_expand(text, i < THAW_COUNT(cases) ? cases[i].description : "%/photos;size=8;val=0.5");
        const size_t failed = openings_fail_each(&allocator, context, text);
        cr_assert_geq(failed, 8, "%s: %zu", text, failed);
    }
    thaw_context_destroy(context);
}
