/* The IDX format: two zero bytes, the element type (8: unsigned bytes), the number of dimensions, each dimension as a
   big-endian 32-bit number, the elements. http://yann.lecun.com/exdb/mnist */
#include "data/idx.h"

#include <string.h>

#include "core/allocation.h"
#include "data/arrays.h"
#include "data/unpack.h"

enum { UNSIGNED_BYTES = 8, MOST_DIMENSIONS = 3, FIRST_BUFFER_BYTES = 1 << 20 };

/* A file's content: as many bytes as the product of the dimensions. */
typedef struct content {
    size_t dims[MOST_DIMENSIONS];
    size_t bytes;
    uint8_t *data;
} content;

static size_t big_endian(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static thaw_status read_header(thaw_context *context, thaw_unpacker *file, const char *path, size_t rank,
                               content *found)
{
    uint8_t header[4 + 4 * MOST_DIMENSIONS];
    const size_t header_bytes = 4 + 4 * rank;
    size_t got;
    const thaw_status status = thaw_unpacker_read(file, header, header_bytes, &got);
    if (status != THAW_OK)
        return status;
    if (got >= 4 && (header[0] || header[1] || header[2] != UNSIGNED_BYTES || header[3] != rank))
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: starts with %02x %02x %02x %02x, wanted 00 00 08 %02zx (%s)",
                         path, header[0], header[1], header[2], header[3], rank,
                         rank == 1 ? "IDX labels" : "IDX images");
    if (got < header_bytes)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: ends inside the header, after %zu of %zu bytes", path, got,
                         header_bytes);
    found->bytes = 1;
    for (size_t i = 0; i < rank; i++) {
        found->dims[i] = big_endian(header + 4 + 4 * i);
        if (found->dims[i] == 0)
            return thaw_fail(context, THAW_BAD_FORMAT, "%s: dimension %zu is 0", path, i);
        if (!thaw_multiply_sizes(found->bytes, found->dims[i], &found->bytes))
            return thaw_fail(context, THAW_BAD_FORMAT, "%s: the product of the dimensions overflows a size", path);
    }
    return THAW_OK;
}

/* Reads the elements into memory that grows with what has really been read: a header may promise anything. */
static thaw_status read_elements(thaw_context *context, thaw_unpacker *file, const char *path, content *found)
{
    size_t used = 0, capacity = 0;
    while (used < found->bytes) {
        const size_t wider = capacity ? 2 * capacity : FIRST_BUFFER_BYTES;
        capacity = wider < found->bytes ? wider : found->bytes;
        uint8_t *grown = thaw_allocate_raw(context, capacity);
        if (!grown)
            return THAW_OUT_OF_MEMORY;
        if (used)
            memcpy(grown, found->data, used);
        thaw_release(context, found->data);
        found->data = grown;

        size_t got;
        const thaw_status status = thaw_unpacker_read(file, found->data + used, capacity - used, &got);
        if (status != THAW_OK)
            return status;
        used += got;
        if (used < capacity)
            return thaw_fail(context, THAW_BAD_FORMAT, "%s: holds %zu elements, the header promises %zu", path, used,
                             found->bytes);
    }
    uint8_t more;
    size_t got;
    const thaw_status status = thaw_unpacker_read(file, &more, 1, &got);
    if (status == THAW_OK && got)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: bytes follow the %zu elements that the header promises", path,
                         found->bytes);
    return status;
}

static thaw_status read_file(thaw_context *context, const char *path, size_t rank, content *found)
{
    *found = (content){ 0 };
    thaw_unpacker *file;
    thaw_status status = thaw_unpacker_open(context, path, &file);
    if (status != THAW_OK)
        return status;
    status = read_header(context, file, path, rank, found);
    if (status == THAW_OK)
        status = read_elements(context, file, path, found);
    thaw_unpacker_close(file);
    if (status != THAW_OK) {
        thaw_release(context, found->data);
        found->data = NULL;
    }
    return status;
}

/* The labels as int32, below `*classes`; 0 there becomes the largest label + 1. */
static thaw_status read_labels(thaw_context *context, const char *path, size_t *classes, int32_t **labels,
                               size_t *count)
{
    content found;
    thaw_status status = read_file(context, path, 1, &found);
    if (status != THAW_OK)
        return status;
    size_t past = 0;
    int32_t *made = thaw_allocate_array(context, found.bytes, sizeof *made);
    if (!made)
        status = THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < found.bytes && status == THAW_OK; i++) {
        made[i] = found.data[i];
        past = past > found.data[i] ? past : (size_t)found.data[i] + 1;
        if (*classes && found.data[i] >= *classes)
            status = thaw_fail(context, THAW_BAD_FORMAT, "%s: label %d of sample %zu is not below %zu", path, made[i],
                               i, *classes);
    }
    thaw_release(context, found.data);
    if (status != THAW_OK) {
        thaw_release(context, made);
        return status;
    }
    *classes = *classes ? *classes : past;
    *labels = made;
    *count = found.bytes;
    return THAW_OK;
}

thaw_status thaw_idx_classes(thaw_context *context, const char *labels_path, size_t *classes)
{
    int32_t *labels;
    size_t count;
    *classes = 0;
    const thaw_status status = read_labels(context, labels_path, classes, &labels, &count);
    if (status == THAW_OK)
        thaw_release(context, labels);
    return status;
}

thaw_status thaw_idx_open(thaw_context *context, const char *images_path, const char *labels_path, size_t classes,
                          thaw_dataset **dataset)
{
    *dataset = NULL;
    int32_t *labels = NULL;
    size_t count;
    thaw_status status = read_labels(context, labels_path, &classes, &labels, &count);
    if (status != THAW_OK)
        return status;
    content images;
    status = read_file(context, images_path, 3, &images);
    if (status == THAW_OK && images.dims[0] != count)
        status = thaw_fail(context, THAW_BAD_FORMAT, "%s: holds %zu images, %s has %zu labels", images_path,
                           images.dims[0], labels_path, count);
    if (status != THAW_OK) {
        thaw_release(context, labels);
        thaw_release(context, images.data);
        return status;
    }
    const thaw_shape shape = { .rank = 3, .dims = { (int64_t)images.dims[1], (int64_t)images.dims[2], 1 } };
    const thaw_tensor inputs = {
        .dtype = THAW_U8,
        .shape = { .rank = 3, .dims = { (int64_t)count, shape.dims[0], shape.dims[1] } },
        .data = images.data,
    };
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ (int64_t)count });
    return thaw_dataset_from_owned(context, &inputs, &targets, &shape, classes, dataset);
}

thaw_status thaw_dataset_open_idx(thaw_context *context, const char *images_path, const char *labels_path,
                                  thaw_dataset **dataset)
{
    return thaw_idx_open(context, images_path, labels_path, 0, dataset);
}
