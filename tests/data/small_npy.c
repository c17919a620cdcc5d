#include "data/small_npy.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "support/support.h"

static void put(npy_file *file, const void *bytes, size_t count)
{
    cr_assert_leq(file->count + count, NPY_BYTES);
    if (count)
        memcpy(file->bytes + file->count, bytes, count);
    file->count += count;
}

static void put_number(npy_file *file, uint64_t number, size_t width)
{
    for (size_t i = 0; i < width; i++, number >>= 8)
        put(file, &(uint8_t){ (uint8_t)number }, 1);
}

npy_file npy_text(const char *dictionary, const void *elements, size_t bytes)
{
    npy_file file = { .count = 0 };
    put(&file, "\x93NUMPY\1\0", 8);
    put_number(&file, strlen(dictionary) + 1, 2);
    put(&file, dictionary, strlen(dictionary));
    put(&file, "\n", 1);
    put(&file, elements, bytes);
    return file;
}

static npy_file array(const char *type, const char *shape, const void *elements, size_t bytes)
{
    char text[200];
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    return npy_text(text, elements, bytes);
}

npy_file npy_floats(const char *shape, const float *values, size_t count)
{
    return array("<f4", shape, values, count * sizeof *values);
}

npy_file npy_labels(const char *shape, const uint8_t *values, size_t count)
{
    return array("|u1", shape, values, count);
}

/* ---- archives ---- */

static size_t deflate_bytes(const npy_file *from, uint8_t *packed)
{
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)from->bytes,
                        .avail_in = (uInt)from->count,
                        .next_out = packed,
                        .avail_out = NPY_BYTES };
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

/* From the version that unpacks it to the lengths of the name and the extra field. */
static void put_fields(npy_file *file, const npy_file *member, size_t packed, bool deflated)
{
    put_number(file, 20, 2);
    put_number(file, 0, 2);
    put_number(file, deflated ? 8 : 0, 2);
    put_number(file, 0, 4);
    put_number(file, crc32(crc32(0, NULL, 0), member->bytes, (uInt)member->count), 4);
    put_number(file, packed, 4);
    put_number(file, member->count, 4);
    put_number(file, strlen("x.npy"), 2);
    put_number(file, 0, 2);
}

npy_file npy_archive(const npy_file *x, const npy_file *y, bool deflated)
{
    const npy_file *const members[] = { x, y };
    static const char *const names[] = { "x.npy", "y.npy" };
    uint8_t packed[NPY_BYTES];
    size_t places[2], sizes[2];
    npy_file file = { .count = 0 };
    for (int i = 0; i < 2; i++) {
        places[i] = file.count;
        sizes[i] = deflated ? deflate_bytes(members[i], packed) : members[i]->count;
        put(&file, "PK\3\4", 4);
        put_fields(&file, members[i], sizes[i], deflated);
        put(&file, names[i], 5);
        put(&file, deflated ? packed : members[i]->bytes, sizes[i]);
    }
    const size_t directory_at = file.count;
    for (int i = 0; i < 2; i++) {
        put(&file, "PK\1\2\24\0", 6);
        put_fields(&file, members[i], sizes[i], deflated);
        put_number(&file, 0, 10);
        put_number(&file, places[i], 4);
        put(&file, names[i], 5);
    }
    const size_t end = file.count;
    put(&file, "PK\5\6\0\0\0\0\2\0\2", 11);
    put_number(&file, 0, 1);
    put_number(&file, end - directory_at, 4);
    put_number(&file, directory_at, 4);
    put_number(&file, 0, 2);
    return file;
}

/* ---- opening ---- */

thaw_status npy_open(thaw_context *context, const npy_file *x, const npy_file *y, const char *options,
                     thaw_dataset **training, thaw_dataset **test)
{
    char pattern[SUPPORT_PATH_BYTES], text[FOLDER_TEXT_BYTES];
    folder_put("x.npy", x->bytes, x->count);
    folder_put("y.npy", y->bytes, y->count);
    snprintf(pattern, sizeof pattern, "npy:%%/x.npy,%%/y.npy%s", options);
    return thaw_dataset_open(context, folder_expand(text, pattern), training, test);
}

thaw_status npy_open_archive(thaw_context *context, const npy_file *archive, const char *options,
                             thaw_dataset **training, thaw_dataset **test)
{
    char pattern[SUPPORT_PATH_BYTES], text[FOLDER_TEXT_BYTES];
    folder_put("both.npz", archive->bytes, archive->count);
    snprintf(pattern, sizeof pattern, "npz:%%/both.npz%s", options);
    return thaw_dataset_open(context, folder_expand(text, pattern), training, test);
}
