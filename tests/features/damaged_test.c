/* A file of the feature cache that is cut, or changed by a bit: a row that counts as present is the one that was
   written. */
#include <string.h>
#include <unistd.h>

#include "features/feature_storage.h"
#include "support/files.h"
#include "support/support.h"

enum { ROWS = 3, ROW_BYTES = 24, HEADER_BYTES = 56, FIRST_ROW = 4096, ROW_STRIDE = 64, FILE_BYTES = 8192 };
enum { CHECKED_BYTES = ROW_BYTES + 8 }; /* of a row: its content, mark and checksum */

static const thaw_digest key = { .lane = { 0x0123456789ABCDEF, 42 }, .length = 7 };

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], whole[FILE_BYTES];
static size_t bytes;

static void fill(char *content, size_t row)
{
    for (size_t i = 0; i < ROW_BYTES; i++)
        content[i] = (char)(17 * row + i);
}

static thaw_status open_rows(bool *present, thaw_feature_storage **rows)
{
    memset(present, 0, ROWS * sizeof *present);
    return thaw_feature_file_open(context, path, &key, ROWS, ROW_BYTES, present, rows);
}

static void begin(void)
{
    bool present[ROWS];
    thaw_feature_storage *rows;
    context = support_context(1);
    support_make_directory(directory);
    support_path(path, directory, "features");
    assert_ok(context, open_rows(present, &rows));
    for (size_t i = 0; i < ROWS; i++) {
        char content[ROW_BYTES];
        const struct iovec piece = { content, sizeof content };
        cr_assert_not(present[i]);
        fill(content, i);
        cr_assert(rows->kind->write(rows, i, &piece, 1));
    }
    rows->kind->release(rows);
    const long count = support_read_file(path, whole, sizeof whole);
    cr_assert(count >= FIRST_ROW + ROWS * ROW_STRIDE - ROW_STRIDE + CHECKED_BYTES && count <= FILE_BYTES);
    bytes = (size_t)count;
}

static void end(void)
{
    thaw_context_destroy(context);
    support_remove_directory(directory);
}

/* Opens the file with this content; returns a bit for each row that is present, which must be as it was written. */
static unsigned rows_of(const char *content, size_t count)
{
    bool present[ROWS];
    thaw_feature_storage *rows;
    support_write_file(path, content, count);
    const thaw_status status = open_rows(present, &rows);
    if (status == THAW_BAD_FORMAT) { /* another file, which stays as it is */
        char now[FILE_BYTES];
        cr_assert_eq(support_read_file(path, now, sizeof now), (long)count);
        cr_assert_eq(memcmp(now, content, count), 0);
        return 0;
    }
    assert_ok(context, status);
    unsigned found = 0;
    for (size_t i = 0; i < ROWS; i++) {
        char wanted[ROW_BYTES], read[ROW_BYTES];
        const struct iovec piece = { read, sizeof read };
        if (!present[i])
            continue;
        fill(wanted, i);
        cr_assert(rows->kind->read(rows, i, &piece, 1));
        cr_assert_eq(memcmp(wanted, read, sizeof read), 0, "row %zu", i);
        found |= 1U << i;
    }
    rows->kind->release(rows);
    return found;
}

Test(feature_file, has_its_rows, .init = begin, .fini = end)
{
    cr_assert_eq(rows_of(whole, bytes), 7);
}

Test(feature_file, with_a_flipped_bit_in_its_header_has_none, .init = begin, .fini = end)
{
    for (size_t bit = 0; bit < 8 * HEADER_BYTES; bit++) {
        whole[bit / 8] = (char)(whole[bit / 8] ^ 1 << bit % 8);
        cr_assert_eq(rows_of(whole, bytes), 0, "bit %zu", bit);
        whole[bit / 8] = (char)(whole[bit / 8] ^ 1 << bit % 8);
    }
}

Test(feature_file, with_a_flipped_bit_in_a_row_lacks_that_row, .init = begin, .fini = end)
{
    for (size_t row = 0; row < ROWS; row++)
        for (size_t bit = 0; bit < 8 * CHECKED_BYTES; bit++) {
            char *byte = &whole[FIRST_ROW + row * ROW_STRIDE + bit / 8];
            *byte = (char)(*byte ^ 1 << bit % 8);
            cr_assert_eq(rows_of(whole, bytes), 7U & ~(1U << row), "row %zu, bit %zu", row, bit);
            *byte = (char)(*byte ^ 1 << bit % 8);
        }
}

Test(feature_file, that_was_cut_has_the_rows_before_the_cut, .init = begin, .fini = end)
{
    for (size_t count = 0; count <= bytes; count += count < HEADER_BYTES || count >= FIRST_ROW ? 1 : 37) {
        unsigned wanted = 0;
        for (size_t row = 0; row < ROWS; row++)
            if (count >= FIRST_ROW + row * ROW_STRIDE + CHECKED_BYTES)
                wanted |= 1U << row;
        cr_assert_eq(rows_of(whole, count), wanted, "%zu of %zu bytes", count, bytes);
    }
}
