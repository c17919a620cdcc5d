#include <string.h>
#include <sys/stat.h>

#include "data/small_idx.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/support.h"

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
    { "images: no pixels", .keep = 16, .message = "images: has 0 elements, its header says 18" },
    { "images: a pixel short", .keep = 33, .message = "images: has 17 elements, its header says 18" },
    { "images: one byte more", .append = 1, .message = "images: bytes follow the 18 elements" },
    { "images: many bytes more", .append = 100, .message = "images: bytes follow the 18 elements" },
    { "images: first byte", EDIT(0, 1), .message = "images: starts with 01 00 08 03" },
    { "images: little-endian magic", EDIT(0, 3, 8, 0, 0), .message = "images: starts with 03 08 00 00" },
    { "images: signed bytes", EDIT(2, 9), .message = "images: starts with 00 00 09 03" },
    { "images: floats", EDIT(2, 13), .message = "images: starts with 00 00 0d 03" },
    { "images: rank 1", EDIT(3, 1), .message = "must be 00 00 08 03 (IDX images)" },
    { "images: rank 4", EDIT(3, 4), .message = "starts with 00 00 08 04" },
    { "images: rank 255", EDIT(3, 255), .message = "starts with 00 00 08 ff" },
    { "images: no images", EDIT(7, 0), .message = "images: dimension 0 is 0" },
    { "images: no rows", EDIT(11, 0), .message = "images: dimension 1 is 0" },
    { "images: no columns", EDIT(15, 0), .message = "images: dimension 2 is 0" },
    { "images: one image too many", EDIT(7, 4), .message = "images: has 4 images, but" },
    { "images: one image too few", EDIT(7, 2), .message = "images: has 2 images, but" },
    { "images: a row too many", EDIT(11, 3), .message = "images: has 18 elements, its header says 27" },
    { "images: a row too few", EDIT(11, 1), .message = "images: bytes follow the 9 elements" },
    { "images: another split", EDIT(7, 2, 0, 0, 0, 3), .message = "has 2 images, but" },
    { "images: little-endian sizes", EDIT(4, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0), .message = "overflows" },
    { "images: all sizes 2^32 - 1", EDIT(4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255),
      .message = "overflows" },
    { "images: a promise of 3 MB", EDIT(10, 3, 232, 0, 0, 3, 232),
      .message = "has 18 elements, its header says 3000000" },
    { "images: gzip, a promise of 12 GB", .gzip = true, EDIT(10, 255, 255, 0, 0, 255, 255),
      .message = "images: its header says 12884508675 elements, a gzip file of its size has at most" },
    { "images: gzip, one byte more inside", .gzip = true, .append = 1, .message = "bytes follow the 18" },
    { "images: gzip, a pixel short inside", .gzip = true, .keep = 33, .message = "has 17 elements" },
    { "labels: one byte", .of_labels = true, .keep = 1, .message = "labels: ends inside the header, after 1 of 8" },
    { "labels: header cut", .of_labels = true, .keep = 7, .message = "labels: ends inside the header, after 7 of 8" },
    { "labels: none", .of_labels = true, .keep = 8, .message = "labels: has 0 elements, its header says 3" },
    { "labels: one short", .of_labels = true, .keep = 10, .message = "labels: has 2 elements" },
    { "labels: one more", .of_labels = true, .append = 1, .message = "labels: bytes follow the 3 elements" },
    { "labels: magic of images", .of_labels = true, EDIT(3, 3), .message = "must be 00 00 08 01 (IDX labels)" },
    { "labels: 32-bit integers", .of_labels = true, EDIT(2, 12), .message = "labels: starts with 00 00 0c 01" },
    { "labels: count 0", .of_labels = true, EDIT(7, 0), .message = "labels: dimension 0 is 0" },
    { "labels: count 2^32 - 1", .of_labels = true, EDIT(4, 255, 255, 255, 255),
      .message = "images: has 3 images, but" },
    { "labels: two for three images", .of_labels = true, EDIT(7, 2), .keep = 10, .message = "has 3 images" },
    { "labels: four for three images", .of_labels = true, EDIT(7, 4), .append = 1, .message = "has 4 labels" },
};

static small_file spoil(const malformed *how, small_file good)
{
    memcpy(good.bytes + how->at, how->edits, how->edit_count);
    if (how->keep)
        good.count = how->keep;
    memset(good.bytes + good.count, 1, how->append);
    good.count += how->append;
    return how->gzip ? small_gzip(good) : good;
}

Test(idx_malformed, malformed_files_are_named_and_cost_no_memory, .init = small_begin, .fini = folder_tear_down)
{
    support_allocator allocator = { .largest = 4 << 20 };
    thaw_context *context = support_context_on(&allocator);
    for (size_t i = 0; i < THAW_COUNT(malformed_files); i++) {
        const malformed *how = &malformed_files[i];
        small_file images = small_images(), labels = small_labels();
        if (how->of_labels)
            labels = spoil(how, labels);
        else
            images = spoil(how, images);
        thaw_dataset *dataset;
        const thaw_status status = small_open(context, &images, &labels, &dataset);
        cr_assert_eq(status, THAW_BAD_FORMAT, "%s: %s: %s", how->name, thaw_status_name(status),
                     thaw_context_message(context));
        cr_assert_not_null(strstr(thaw_context_message(context), how->message), "%s: %s", how->name,
                           thaw_context_message(context));
        cr_assert_null(dataset);
        cr_assert_eq(allocator.live, 1, "%s leaks", how->name);
    }
    thaw_context_destroy(context);
}

Test(idx_malformed, a_file_cut_anywhere_is_refused, .init = small_begin, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    const small_file whole[] = { small_images(), small_gzip(small_images()), small_labels(),
                                 small_gzip(small_labels()) };
    for (int kind = 0; kind < 4; kind++) {
        for (size_t count = 0; count < whole[kind].count; count++) {
            small_file images = whole[0], labels = whole[2];
            small_file *cut = kind < 2 ? &images : &labels;
            *cut = whole[kind];
            cut->count = count;
            thaw_dataset *dataset;
            const thaw_status status = small_open(context, &images, &labels, &dataset);
            cr_assert_eq(status, THAW_BAD_FORMAT, "kind %d cut to %zu bytes: %s", kind, count,
                         thaw_status_name(status));
            cr_assert_null(dataset);
            cr_assert_eq(allocator.live, 1);
        }
    }
    thaw_context_destroy(context);
}

Test(idx_malformed, a_broken_gzip_file_is_refused_at_every_byte, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const small_file labels = small_labels();
    const small_file good = small_gzip(small_images());
    for (size_t i = 0; i < good.count; i++) {
        small_file images = good;
        images.bytes[i] ^= 0x10;
        thaw_dataset *dataset;
        const thaw_status status = small_open(context, &images, &labels, &dataset);
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

Test(idx_malformed, what_follows_the_gzip_data_is_refused, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const small_file labels = small_labels();
    small_file images = small_gzip(small_images());
    memcpy(images.bytes + images.count, "\0\0\0\0 more", 9);
    const size_t count = images.count;
    for (size_t more = 1; more <= 9; more++) {
        images.count = count + more;
        thaw_dataset *dataset;
        assert_fails(context, small_open(context, &images, &labels, &dataset), THAW_BAD_FORMAT, "images: ");
        cr_assert_null(dataset);
    }
    cr_assert_not_null(strstr(thaw_context_message(context), "other bytes follow the gzip data"), "%s",
                       thaw_context_message(context));
    thaw_context_destroy(context);
}

Test(idx_malformed, a_flipped_bit_of_a_header_is_found, .init = small_begin, .fini = folder_tear_down)
{
    enum { IMAGES_HEADER = 16, LABELS_HEADER = 8 };
    thaw_context *context = support_context(1);
    for (size_t bit = 0; bit < 8 * (IMAGES_HEADER + LABELS_HEADER); bit++)
        for (int packed = 0; packed < 2; packed++) {
            small_file images = small_images(), labels = small_labels();
            uint8_t *byte = bit < 8 * IMAGES_HEADER ? &images.bytes[bit / 8] : &labels.bytes[bit / 8 - IMAGES_HEADER];
            *byte = (uint8_t)(*byte ^ 1 << bit % 8);
            if (packed) {
                images = small_gzip(images);
                labels = small_gzip(labels);
            }
            thaw_dataset *dataset;
            const thaw_status status = small_open(context, &images, &labels, &dataset);
            cr_assert(status == THAW_BAD_FORMAT || status == THAW_OUT_OF_MEMORY, "bit %zu: %s", bit,
                      thaw_status_name(status));
            cr_assert_null(dataset);
        }
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- what nothing is unpacked for */

/* Labels or images of `count` rows of `row_bytes` zeros, as gzip. */
static small_file packed_zeros(size_t rank, uint32_t count, uint32_t side)
{
    static uint8_t whole[1 << 17];
    const uint32_t dims[] = { count, side, side };
    small_file file;
    memset(whole, 0, sizeof whole);
    const size_t bytes = support_idx(whole, rank, dims, whole);
    file.count = support_gzip(file.bytes, sizeof file.bytes, whole, bytes);
    return file;
}

Test(idx_malformed, a_gzip_bomb_stays_packed, .init = small_begin, .fini = folder_tear_down)
{
    support_allocator allocator = { .largest = 90000 }; /* of the 100000 pixels */
    thaw_context *context = support_context_on(&allocator);
    small_file images = packed_zeros(3, 10, 100), labels = packed_zeros(1, 11, 1);
    thaw_dataset *dataset;
    images.bytes[images.count - 9] ^= 0xFF; /* would be found if it was unpacked */
    assert_fails(context, small_open(context, &images, &labels, &dataset), THAW_BAD_FORMAT,
                 "images: has 10 images, but");
    thaw_context_destroy(context);
}

Test(idx_malformed, a_limit_of_the_host_comes_before_unpacking, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const small_file images = packed_zeros(3, 10, 100), labels = packed_zeros(1, 10, 1);
    thaw_dataset *dataset;
    thaw_context_limit_data(context, 100000);
    assert_ok(context, small_open(context, &images, &labels, &dataset));
    thaw_dataset_destroy(dataset);
    thaw_context_limit_data(context, 99999);
    small_file broken = images;
    broken.bytes[broken.count - 9] ^= 0xFF; /* would be found if it was unpacked */
    assert_fails(context, small_open(context, &broken, &labels, &dataset), THAW_OUT_OF_MEMORY,
                 "images: would take 100000 bytes of memory, must be at most 99999");
    thaw_context_limit_data(context, 49); /* a label takes a byte, and four as int32 */
    assert_fails(context, small_open(context, &images, &labels, &dataset), THAW_OUT_OF_MEMORY,
                 "labels: would take 50 bytes of memory, must be at most 49");
    thaw_context_destroy(context);
}

Test(idx_malformed, a_fifo_is_not_waited_for, .timeout = 20)
{
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    cr_assert_eq(mkfifo(support_path(path, directory, "fifo"), 0600), 0);
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    assert_fails(context, thaw_dataset_open_idx(context, path, path, &dataset), THAW_IO_ERROR,
                 "fifo: is not a regular file");
    thaw_context_destroy(context);
    support_remove_directory(directory);
}
