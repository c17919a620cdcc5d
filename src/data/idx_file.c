/* The IDX format: two zero bytes, the element type (8: unsigned bytes), the number of dimensions, each dimension as
   a big-endian 32-bit number, then the elements. http://yann.lecun.com/exdb/mnist */
#include "data/idx_file.h"

#include <inttypes.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/allocation.h"
#include "data/limit.h"

enum { UNSIGNED_BYTES = 8, FIRST_BUFFER_BYTES = 1 << 20 };

/* ---------------------------------------------------------------- the header */

static size_t big_endian(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
}

static thaw_status read_header(thaw_idx_file *file, size_t rank)
{
    uint8_t header[4 + 4 * THAW_IDX_MOST_DIMENSIONS];
    const size_t header_bytes = 4 + 4 * rank;
    size_t got;
    const thaw_status status = thaw_unpacker_read(file->unpacker, header, header_bytes, &got);
    if (status != THAW_OK)
        return status;
    if (got >= 4 && (header[0] || header[1] || header[2] != UNSIGNED_BYTES || header[3] != rank))
        return thaw_fail(file->context, THAW_BAD_FORMAT,
                         "%s: starts with %02x %02x %02x %02x, must be 00 00 08 %02zx (%s)", file->path, header[0],
                         header[1], header[2], header[3], rank, rank == 1 ? "IDX labels" : "IDX images");
    if (got < header_bytes)
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: ends inside the header, after %zu of %zu bytes",
                         file->path, got, header_bytes);
    file->bytes = 1;
    for (size_t i = 0; i < rank; i++) {
        file->dims[i] = big_endian(header + 4 + 4 * i);
        if (file->dims[i] == 0)
            return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: dimension %zu is 0", file->path, i);
        if (!thaw_multiply_sizes(file->bytes, file->dims[i], &file->bytes))
            return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: the product of the dimensions overflows a size",
                             file->path);
    }
    return THAW_OK;
}

/* Only for gzip files: reading another finds out how many bytes it has. */
static thaw_status check_size(const thaw_idx_file *file)
{
    const uint64_t most = thaw_unpacker_most_bytes(file->unpacker);
    if (file->bytes <= most)
        return THAW_OK;
    return thaw_fail(file->context, THAW_BAD_FORMAT,
                     "%s: its header says %zu elements, a gzip file of its size has at most %" PRIu64 " bytes",
                     file->path, file->bytes, most);
}

thaw_status thaw_idx_file_open(thaw_context *context, const char *path, size_t rank, thaw_idx_file *file)
{
    *file = (thaw_idx_file){ .context = context, .path = path };
    thaw_status status = thaw_unpacker_open(context, path, &file->unpacker);
    if (status == THAW_OK)
        status = read_header(file, rank);
    if (status == THAW_OK)
        status = check_size(file);
    if (status != THAW_OK)
        thaw_idx_file_close(file);
    return status;
}

thaw_status thaw_idx_file_allow(const thaw_idx_file *file, size_t count, size_t item_bytes)
{
    return thaw_data_allow(file->context, file->path, count, item_bytes);
}

void thaw_idx_file_close(thaw_idx_file *file)
{
    thaw_unpacker_close(file->unpacker);
    thaw_release(file->context, file->data);
    file->unpacker = NULL;
    file->data = NULL;
}

/* ---------------------------------------------------------------- the elements */

bool thaw_idx_is_chosen(const thaw_idx_choice *choice, size_t row)
{
    const size_t label = choice->labels ? (size_t)choice->labels[row] : 0;
    return !choice->labels || (label >= choice->first_class && label <= choice->last_class);
}

static thaw_status grow(thaw_idx_file *file, size_t used)
{
    const size_t wider = file->capacity ? 2 * file->capacity : FIRST_BUFFER_BYTES;
    const size_t capacity = wider < file->bytes ? wider : file->bytes;
    uint8_t *grown = thaw_allocate_raw(file->context, capacity);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    if (used)
        memcpy(grown, file->data, used);
    thaw_release(file->context, file->data);
    file->data = grown;
    file->capacity = capacity;
    return THAW_OK;
}

/* Appends up to `wanted` elements after the first `used`. Memory grows with what was really read: a header may
   promise anything. */
static thaw_status append(thaw_idx_file *file, size_t used, size_t wanted, size_t *got)
{
    *got = 0;
    while (*got < wanted) {
        thaw_status status = THAW_OK;
        if (used + *got == file->capacity)
            status = grow(file, used + *got);
        if (status != THAW_OK)
            return status;
        const size_t room = file->capacity - used - *got, left = wanted - *got, ask = room < left ? room : left;
        size_t read;
        status = thaw_unpacker_read(file->unpacker, file->data + used + *got, ask, &read);
        if (status != THAW_OK)
            return status;
        *got += read;
        if (read < ask)
            break;
    }
    return THAW_OK;
}

thaw_status thaw_idx_file_read(thaw_idx_file *file, const thaw_idx_choice *choice)
{
    const size_t rows = choice->labels ? file->dims[0] : 1, row_bytes = file->bytes / rows;
    size_t kept = 0, got;
    for (size_t row = 0; row < rows; row++) {
        const thaw_status status = append(file, kept * row_bytes, row_bytes, &got);
        if (status != THAW_OK)
            return status;
        if (got < row_bytes)
            return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: has %zu elements, its header says %zu", file->path,
                             row * row_bytes + got, file->bytes);
        kept += thaw_idx_is_chosen(choice, row);
    }
    uint8_t more;
    const thaw_status status = thaw_unpacker_read(file->unpacker, &more, 1, &got);
    if (status == THAW_OK && got)
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: bytes follow the %zu elements that its header announces",
                         file->path, file->bytes);
    if (choice->labels)
        file->dims[0] = kept;
    return status;
}
