/* The IDX format: two zero bytes, the element type (8: unsigned bytes), the number of dimensions, each dimension as
   a big-endian 32-bit number, then the elements. http://yann.lecun.com/exdb/mnist */
#include "data/idx.h"

#include <string.h>

#include "core/allocation.h"
#include "data/arrays.h"
#include "data/unpack.h"

enum { UNSIGNED_BYTES = 8, MOST_DIMENSIONS = 3, FIRST_BUFFER_BYTES = 1 << 20 };

/* The content of a file. */
typedef struct content {
    size_t dims[MOST_DIMENSIONS];
    size_t bytes; /* the product of the dimensions that the header names */
    uint8_t *data;
    size_t capacity; /* of the data */
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
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: starts with %02x %02x %02x %02x, must be 00 00 08 %02zx (%s)",
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

/* Which rows of a file to keep, by their labels. NULL labels: all rows. */
typedef struct choice {
    const int32_t *labels;
    size_t first_class, last_class;
} choice;

static bool is_wanted(const choice *wanted, size_t row)
{
    const size_t label = wanted->labels ? (size_t)wanted->labels[row] : 0;
    return !wanted->labels || (label >= wanted->first_class && label <= wanted->last_class);
}

static thaw_status grow(thaw_context *context, content *found, size_t used)
{
    const size_t wider = found->capacity ? 2 * found->capacity : FIRST_BUFFER_BYTES;
    const size_t capacity = wider < found->bytes ? wider : found->bytes;
    uint8_t *grown = thaw_allocate_raw(context, capacity);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    if (used)
        memcpy(grown, found->data, used);
    thaw_release(context, found->data);
    found->data = grown;
    found->capacity = capacity;
    return THAW_OK;
}

/* Appends up to `wanted` elements after the first `used`. Memory grows with what was really read: a header may
   promise anything. */
static thaw_status append(thaw_context *context, thaw_unpacker *file, content *found, size_t used, size_t wanted,
                          size_t *got)
{
    *got = 0;
    while (*got < wanted) {
        thaw_status status = THAW_OK;
        if (used + *got == found->capacity)
            status = grow(context, found, used + *got);
        if (status != THAW_OK)
            return status;
        const size_t room = found->capacity - used - *got, left = wanted - *got, ask = room < left ? room : left;
        size_t read;
        status = thaw_unpacker_read(file, found->data + used + *got, ask, &read);
        if (status != THAW_OK)
            return status;
        *got += read;
        if (read < ask)
            break;
    }
    return THAW_OK;
}

/* Reads all rows and keeps the chosen ones, which `dims[0]` then counts. */
static thaw_status read_elements(thaw_context *context, thaw_unpacker *file, const char *path, const choice *wanted,
                                 content *found)
{
    const size_t rows = wanted->labels ? found->dims[0] : 1, row_bytes = found->bytes / rows;
    size_t kept = 0, got;
    for (size_t row = 0; row < rows; row++) {
        const thaw_status status = append(context, file, found, kept * row_bytes, row_bytes, &got);
        if (status != THAW_OK)
            return status;
        if (got < row_bytes)
            return thaw_fail(context, THAW_BAD_FORMAT, "%s: has %zu elements, its header says %zu", path,
                             row * row_bytes + got, found->bytes);
        kept += is_wanted(wanted, row);
    }
    uint8_t more;
    const thaw_status status = thaw_unpacker_read(file, &more, 1, &got);
    if (status == THAW_OK && got)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: bytes follow the %zu elements that its header announces", path,
                         found->bytes);
    if (wanted->labels)
        found->dims[0] = kept;
    return status;
}

static thaw_status read_labels_file(thaw_context *context, const char *path, content *found)
{
    *found = (content){ 0 };
    thaw_unpacker *file;
    thaw_status status = thaw_unpacker_open(context, path, &file);
    if (status != THAW_OK)
        return status;
    status = read_header(context, file, path, 1, found);
    if (status == THAW_OK)
        status = read_elements(context, file, path, &(choice){ 0 }, found);
    thaw_unpacker_close(file);
    if (status != THAW_OK)
        thaw_release(context, found->data);
    return status;
}

/* The labels as int32, below `*classes`; a 0 there is replaced by the largest label + 1. */
static thaw_status read_labels(thaw_context *context, const char *path, size_t *classes, int32_t **labels,
                               size_t *count)
{
    content found;
    thaw_status status = read_labels_file(context, path, &found);
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
            status = thaw_fail(context, THAW_BAD_FORMAT, "%s: label %d of sample %zu must be below %zu", path, made[i],
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

/* The images of the chosen labels. There are `count` labels, one per image in the file. */
static thaw_status read_images(thaw_context *context, const char *path, const char *labels_path, size_t count,
                               const choice *wanted, content *found)
{
    *found = (content){ 0 };
    thaw_unpacker *file;
    thaw_status status = thaw_unpacker_open(context, path, &file);
    if (status != THAW_OK)
        return status;
    status = read_header(context, file, path, 3, found);
    const size_t promised = found->dims[0];
    if (status == THAW_OK)
        status = read_elements(context, file, path, promised == count ? wanted : &(choice){ 0 }, found);
    if (status == THAW_OK && promised != count)
        status = thaw_fail(context, THAW_BAD_FORMAT, "%s: has %zu images, but %s has %zu labels", path, promised,
                           labels_path, count);
    if (status == THAW_OK && found->dims[0] == 0)
        status = thaw_fail(context, THAW_NOT_FOUND, "%s: no sample has a class from %zu to %zu", labels_path,
                           wanted->first_class, wanted->last_class);
    thaw_unpacker_close(file);
    if (status != THAW_OK)
        thaw_release(context, found->data);
    return status;
}

/* Moves the chosen labels to the front. */
static void compact(int32_t *labels, size_t count, const choice *wanted)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_wanted(wanted, i))
            labels[kept++] = labels[i];
}

thaw_status thaw_idx_open(thaw_context *context, const char *images_path, const char *labels_path, size_t classes,
                          const thaw_dataset_selection *selection, thaw_dataset **dataset)
{
    *dataset = NULL;
    int32_t *labels = NULL;
    size_t count;
    thaw_status status = read_labels(context, labels_path, &classes, &labels, &count);
    if (status != THAW_OK)
        return status;
    const choice wanted = { labels, selection ? selection->first_class : 0,
                            selection ? selection->last_class : classes - 1 };
    content images;
    status = read_images(context, images_path, labels_path, count, &wanted, &images);
    if (status != THAW_OK) {
        thaw_release(context, labels);
        return status;
    }
    compact(labels, count, &wanted);
    const int64_t kept = (int64_t)images.dims[0], height = (int64_t)images.dims[1], width = (int64_t)images.dims[2];
    const thaw_shape shape = { .rank = 3, .dims = { height, width, 1 } };
    const thaw_tensor inputs = {
        .dtype = THAW_U8,
        .shape = { .rank = 3, .dims = { kept, height, width } },
        .data = images.data,
    };
    const thaw_tensor targets = thaw_view_i32(labels, 1, &kept);
    return thaw_dataset_from_owned(context, &inputs, &targets, &shape, classes, dataset);
}

thaw_status thaw_dataset_open_idx(thaw_context *context, const char *images_path, const char *labels_path,
                                  thaw_dataset **dataset)
{
    return thaw_idx_open(context, images_path, labels_path, 0, NULL, dataset);
}
