#include <string.h>
#include <unistd.h>

#include "data/idx.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/support.h"

/* Three images of 2 rows and 3 columns, and their labels. */
enum { COUNT = 3, ROWS = 2, COLUMNS = 3, PIXELS = COUNT * ROWS * COLUMNS, HEADER = 16, MOST_BYTES = 256 };

static const uint8_t pixels[PIXELS] = { 0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255, 9, 8, 7, 6, 5, 4 };
static const uint8_t classes[COUNT] = { 2, 0, 7 };

typedef struct file {
    uint8_t bytes[MOST_BYTES];
    size_t count;
} file;

static char directory[SUPPORT_PATH_BYTES], images_path[SUPPORT_PATH_BYTES], labels_path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(images_path, directory, "images");
    support_path(labels_path, directory, "labels");
}

static void end(void)
{
    support_remove_directory(directory);
}

static file good_images(void)
{
    file made = { .count = 0 };
    made.count = support_idx(made.bytes, 3, (const uint32_t[]){ COUNT, ROWS, COLUMNS }, pixels);
    return made;
}

static file good_labels(void)
{
    file made = { .count = 0 };
    made.count = support_idx(made.bytes, 1, (const uint32_t[]){ COUNT }, classes);
    return made;
}

static file packed(file plain)
{
    file made = { .count = 0 };
    made.count = support_gzip(made.bytes, sizeof made.bytes, plain.bytes, plain.count);
    return made;
}

static thaw_status open_files(thaw_context *context, const file *images, const file *labels, thaw_dataset **dataset)
{
    support_write_file(images_path, images->bytes, images->count);
    support_write_file(labels_path, labels->bytes, labels->count);
    return thaw_dataset_open_idx(context, images_path, labels_path, dataset);
}

static void assert_content(thaw_context *context, thaw_dataset *dataset)
{
    cr_assert_eq(thaw_dataset_count(dataset), COUNT);
    cr_assert_eq(thaw_dataset_classes(dataset), 8);
    const thaw_shape *shape = thaw_dataset_sample_shape(dataset);
    cr_assert(shape->rank == 3 && shape->dims[0] == ROWS && shape->dims[1] == COLUMNS && shape->dims[2] == 1);
    float samples[PIXELS];
    int32_t labels[COUNT];
    assert_ok(context, thaw_dataset_read(dataset, (const size_t[]){ 0, 1, 2 }, COUNT, samples, labels));
    for (int i = 0; i < PIXELS; i++)
        cr_assert(samples[i] == (float)pixels[i] / 255.0F, "pixel %d is %.9g", i, (double)samples[i]);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(labels[i], classes[i]);
}

Test(idx, plain_and_gzip_files_read_alike, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    const file images[] = { good_images(), packed(good_images()) };
    const file labels[] = { good_labels(), packed(good_labels()) };
    for (int i = 0; i < 4; i++) {
        thaw_dataset *dataset;
        assert_ok(context, open_files(context, &images[i & 1], &labels[i >> 1], &dataset));
        assert_content(context, dataset);
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(idx, gzip_files_of_several_members_are_one, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    const file plain = good_images(), labels = good_labels();
    file images = { .count = 0 };
    images.count = support_gzip(images.bytes, MOST_BYTES, plain.bytes, 20);
    images.count +=
        support_gzip(images.bytes + images.count, MOST_BYTES - images.count, plain.bytes + 20, plain.count - 20);
    thaw_dataset *dataset;
    assert_ok(context, open_files(context, &images, &labels, &dataset));
    assert_content(context, dataset);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- malformed files */

typedef struct malformed {
    const char *name;
    bool gzip, of_labels;
    size_t at, edit_count;
    uint8_t edits[12];   /* written over the bytes from `at` on */
    size_t keep, append; /* 0: all of them; then so many bytes of 1 */
    const char *message;
} malformed;

#define EDIT(where, ...) .at = (where), .edit_count = sizeof((uint8_t[]){ __VA_ARGS__ }), .edits = { __VA_ARGS__ }

static const malformed malformed_files[] = {
    { "images: one byte", .keep = 1, .message = "images: ends inside the header, after 1 of 16" },
    { "images: magic alone", .keep = 4, .message = "images: ends inside the header, after 4 of 16" },
    { "images: header cut", .keep = 15, .message = "images: ends inside the header, after 15 of 16" },
    { "images: no pixels", .keep = 16, .message = "images: holds 0 elements, the header promises 18" },
    { "images: a pixel short", .keep = 33, .message = "images: holds 17 elements, the header promises 18" },
    { "images: one byte more", .append = 1, .message = "images: bytes follow the 18 elements" },
    { "images: many bytes more", .append = 100, .message = "images: bytes follow the 18 elements" },
    { "images: first byte", EDIT(0, 1), .message = "images: starts with 01 00 08 03" },
    { "images: little-endian magic", EDIT(0, 3, 8, 0, 0), .message = "images: starts with 03 08 00 00" },
    { "images: signed bytes", EDIT(2, 9), .message = "images: starts with 00 00 09 03" },
    { "images: floats", EDIT(2, 13), .message = "images: starts with 00 00 0d 03" },
    { "images: rank 1", EDIT(3, 1), .message = "wanted 00 00 08 03 (IDX images)" },
    { "images: rank 4", EDIT(3, 4), .message = "starts with 00 00 08 04" },
    { "images: rank 255", EDIT(3, 255), .message = "starts with 00 00 08 ff" },
    { "images: no images", EDIT(7, 0), .message = "images: dimension 0 is 0" },
    { "images: no rows", EDIT(11, 0), .message = "images: dimension 1 is 0" },
    { "images: no columns", EDIT(15, 0), .message = "images: dimension 2 is 0" },
    { "images: one image too many", EDIT(7, 4), .message = "images: holds 18 elements, the header promises 24" },
    { "images: one image too few", EDIT(7, 2), .message = "images: bytes follow the 12 elements" },
    { "images: another split", EDIT(7, 2, 0, 0, 0, 3), .message = "holds 2 images" },
    { "images: little-endian sizes", EDIT(4, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0), .message = "overflows" },
    { "images: all sizes 2^32 - 1", EDIT(4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255),
      .message = "overflows" },
    { "images: a promise of 16 TB", EDIT(4, 0, 255, 255, 255, 0, 0, 4, 0, 0, 0, 4, 0), .message = "holds 18 elements" },
    { "images: gzip, a promise of 16 TB", .gzip = true, EDIT(4, 0, 255, 255, 255, 0, 0, 4, 0, 0, 0, 4, 0),
      .message = "holds 18 elements" },
    { "images: gzip, one byte more inside", .gzip = true, .append = 1, .message = "bytes follow the 18" },
    { "images: gzip, a pixel short inside", .gzip = true, .keep = 33, .message = "holds 17 elements" },
    { "labels: one byte", .of_labels = true, .keep = 1, .message = "labels: ends inside the header, after 1 of 8" },
    { "labels: header cut", .of_labels = true, .keep = 7, .message = "labels: ends inside the header, after 7 of 8" },
    { "labels: none", .of_labels = true, .keep = 8, .message = "labels: holds 0 elements, the header promises 3" },
    { "labels: one short", .of_labels = true, .keep = 10, .message = "labels: holds 2 elements" },
    { "labels: one more", .of_labels = true, .append = 1, .message = "labels: bytes follow the 3 elements" },
    { "labels: magic of images", .of_labels = true, EDIT(3, 3), .message = "wanted 00 00 08 01 (IDX labels)" },
    { "labels: 32-bit integers", .of_labels = true, EDIT(2, 12), .message = "labels: starts with 00 00 0c 01" },
    { "labels: count 0", .of_labels = true, EDIT(7, 0), .message = "labels: dimension 0 is 0" },
    { "labels: count 2^32 - 1", .of_labels = true, EDIT(4, 255, 255, 255, 255),
      .message = "labels: holds 3 elements, the header promises 4294967295" },
    { "labels: two for three images", .of_labels = true, EDIT(7, 2), .keep = 10, .message = "holds 3 images" },
    { "labels: four for three images", .of_labels = true, EDIT(7, 4), .append = 1, .message = "has 4 labels" },
};

static file spoil(const malformed *how, file good)
{
    memcpy(good.bytes + how->at, how->edits, how->edit_count);
    if (how->keep)
        good.count = how->keep;
    memset(good.bytes + good.count, 1, how->append);
    good.count += how->append;
    return how->gzip ? packed(good) : good;
}

Test(idx, malformed_files_are_named_and_cost_no_memory, .init = begin, .fini = end)
{
    support_allocator allocator = { .largest = 4 << 20 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(malformed_files); i++) {
        const malformed *how = &malformed_files[i];
        file images = good_images(), labels = good_labels();
        if (how->of_labels)
            labels = spoil(how, labels);
        else
            images = spoil(how, images);
        thaw_dataset *dataset;
        const thaw_status status = open_files(context, &images, &labels, &dataset);
        cr_assert_eq(status, THAW_BAD_FORMAT, "%s: %s: %s", how->name, thaw_status_name(status),
                     thaw_context_message(context));
        cr_assert_not_null(strstr(thaw_context_message(context), how->message), "%s: %s", how->name,
                           thaw_context_message(context));
        cr_assert_null(dataset);
        cr_assert_eq(allocator.live, 1, "%s leaks", how->name);
    }
    thaw_context_destroy(context);
}

Test(idx, a_file_cut_anywhere_is_refused, .init = begin, .fini = end)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    const file whole[] = { good_images(), packed(good_images()), good_labels(), packed(good_labels()) };
    for (int kind = 0; kind < 4; kind++) {
        for (size_t count = 0; count < whole[kind].count; count++) {
            file images = whole[0], labels = whole[2];
            file *cut = kind < 2 ? &images : &labels;
            *cut = whole[kind];
            cut->count = count;
            thaw_dataset *dataset;
            const thaw_status status = open_files(context, &images, &labels, &dataset);
            cr_assert_eq(status, THAW_BAD_FORMAT, "kind %d cut to %zu bytes: %s", kind, count,
                         thaw_status_name(status));
            cr_assert_null(dataset);
            cr_assert_eq(allocator.live, 1);
        }
    }
    thaw_context_destroy(context);
}

Test(idx, a_broken_gzip_file_is_refused_at_every_byte, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    const file labels = good_labels();
    const file good = packed(good_images());
    for (size_t i = 0; i < good.count; i++) {
        file images = good;
        images.bytes[i] ^= 0x10;
        thaw_dataset *dataset;
        const thaw_status status = open_files(context, &images, &labels, &dataset);
        /* The header's time, extra flags and system mean nothing here, nor do the bits that fill up the last byte
           before the checksum and the length. */
        if ((i >= 4 && i < 10) || i == good.count - 9)
            assert_ok(context, status);
        else
            cr_assert_eq(status, THAW_BAD_FORMAT, "byte %zu: %s", i, thaw_status_name(status));
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(idx, what_follows_the_gzip_data_is_refused, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    const file labels = good_labels();
    file images = packed(good_images());
    memcpy(images.bytes + images.count, "\0\0\0\0 more", 9);
    const size_t count = images.count;
    for (size_t more = 1; more <= 9; more++) {
        images.count = count + more;
        thaw_dataset *dataset;
        assert_fails(context, open_files(context, &images, &labels, &dataset), THAW_BAD_FORMAT, "images: ");
        cr_assert_null(dataset);
    }
    cr_assert_not_null(strstr(thaw_context_message(context), "other bytes follow the gzip data"), "%s",
                       thaw_context_message(context));
    thaw_context_destroy(context);
}

Test(idx, labels_past_the_classes_are_refused, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    const file images = good_images(), labels = good_labels();
    support_write_file(images_path, images.bytes, images.count);
    support_write_file(labels_path, labels.bytes, labels.count);
    thaw_dataset *dataset;
    assert_fails(context, thaw_idx_open(context, images_path, labels_path, 7, &dataset), THAW_BAD_FORMAT,
                 "labels: label 7 of sample 2 is not below 7");
    assert_ok(context, thaw_idx_open(context, images_path, labels_path, 10, &dataset));
    cr_assert_eq(thaw_dataset_classes(dataset), 10);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(idx, missing_files_and_directories_are_named, .init = begin, .fini = end)
{
    thaw_context *context = support_context(1);
    const file images = good_images(), labels = good_labels();
    support_write_file(images_path, images.bytes, images.count);
    support_write_file(labels_path, labels.bytes, labels.count);
    thaw_dataset *dataset;
    assert_fails(context, thaw_dataset_open_idx(context, "/nowhere/images", labels_path, &dataset), THAW_IO_ERROR,
                 "/nowhere/images: cannot open: No such file");
    assert_fails(context, thaw_dataset_open_idx(context, images_path, "/nowhere/labels", &dataset), THAW_IO_ERROR,
                 "/nowhere/labels: cannot open: No such file");
    assert_fails(context, thaw_dataset_open_idx(context, directory, labels_path, &dataset), THAW_IO_ERROR,
                 "cannot read: Is a directory");
    cr_assert_null(dataset);
    thaw_context_destroy(context);
}

Test(idx, every_failing_allocation_is_reported_and_leaks_nothing, .init = begin, .fini = end)
{
    const file images = packed(good_images()), labels = packed(good_labels());
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *dataset;
    size_t sites = 0;
    for (thaw_status status = THAW_OUT_OF_MEMORY; status != THAW_OK; sites++) {
        allocator.fail_at = allocator.calls + sites + 1;
        status = open_files(context, &images, &labels, &dataset);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY, "site %zu: %s", sites, thaw_status_name(status));
        cr_assert_eq(allocator.live, 1, "site %zu leaks", sites);
        cr_assert_null(dataset);
    }
    cr_assert_geq(sites, 8);
    thaw_dataset_destroy(dataset);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}

Test(idx, debian_s_fashion_mnist)
{
    static const char root[] = "/usr/share/datasets/fashion-mnist/";
    char images[SUPPORT_PATH_BYTES], labels[SUPPORT_PATH_BYTES];
    if (access(root, F_OK) != 0)
        cr_skip_test("dataset-fashion-mnist is not installed");
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    support_path(images, root, "t10k-images-idx3-ubyte.gz");
    support_path(labels, root, "t10k-labels-idx1-ubyte.gz");
    assert_ok(context, thaw_dataset_open_idx(context, images, labels, &dataset));
    cr_assert_eq(thaw_dataset_count(dataset), 10000);
    cr_assert_eq(thaw_dataset_classes(dataset), 10);
    /* Each class has a thousand test images. */
    size_t counts[10] = { 0 };
    static float sample[28 * 28];
    for (size_t i = 0; i < 10000; i++) {
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, &label));
        counts[label]++;
    }
    for (int i = 0; i < 10; i++)
        cr_assert_eq(counts[i], 1000);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
