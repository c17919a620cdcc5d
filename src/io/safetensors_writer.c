#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/text.h"
#include "io/name_list.h"
#include "io/new_file.h"
#include "io/safetensors.h"

enum { PIECE = 1 << 15 }; /* values read at a time */

/* Everything that is written. */
typedef struct content {
    thaw_context *context;
    const char *path;
    const thaw_named_tensor **tensors; /* sorted by name */
    size_t count;
    uint64_t data_bytes;
    thaw_tensor_reader read; /* NULL: the tensors' data are floats */
    float *piece;            /* values it has read */
    bool checked;            /* a checksum of all that is before it ends the file */
    uint32_t crc;            /* of what was written */
    char *header;            /* JSON, padded with spaces to a multiple of eight */
    uint64_t header_bytes;
} content;

static const thaw_named_tensor checksum = {
    .name = THAW_SAFETENSORS_CHECKSUM,
    .shape = { 1, { sizeof(uint32_t) } },
    .dtype = THAW_U8,
};

static size_t tensor_bytes(const thaw_named_tensor *tensor)
{
    return thaw_shape_count(&tensor->shape) * thaw_dtype_bytes(tensor->dtype);
}

static int by_name(const void *left, const void *right)
{
    const thaw_named_tensor *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static thaw_status arrange(content *made, const thaw_named_tensor *tensors, size_t count)
{
    made->tensors = thaw_allocate_array(made->context, count, sizeof(const thaw_named_tensor *));
    if (!made->tensors)
        return THAW_OUT_OF_MEMORY;
    made->count = count;
    for (size_t i = 0; i < count; i++) {
        made->tensors[i] = &tensors[i];
        made->data_bytes += tensor_bytes(&tensors[i]);
    }
    qsort(made->tensors, count, sizeof *made->tensors, by_name);
    return THAW_OK;
}

static void append_metadata(thaw_text *text, const thaw_named_text *metadata, size_t count)
{
    if (count == 0)
        return;
    thaw_text_append(text, "\"__metadata__\":{");
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(text, "%s", i ? "," : "");
        thaw_text_append_quoted(text, metadata[i].name);
        thaw_text_append(text, ":");
        thaw_text_append_quoted(text, metadata[i].text);
    }
    thaw_text_append(text, "}");
}

static void append_tensor(thaw_text *text, const thaw_named_tensor *tensor, uint64_t begin)
{
    thaw_text_append_quoted(text, tensor->name);
    thaw_text_append(text, ":{\"dtype\":\"%s\",\"shape\":[", thaw_safetensors_dtype(tensor->dtype));
    for (int i = 0; i < tensor->shape.rank; i++)
        thaw_text_append(text, "%s%" PRId64, i ? "," : "", tensor->shape.dims[i]);
    thaw_text_append(text, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, begin + tensor_bytes(tensor));
}

static thaw_status write_header(content *made, const thaw_named_text *metadata, size_t metadata_count)
{
    thaw_text text = { .context = made->context };
    uint64_t position = 0;
    thaw_text_append(&text, "{");
    append_metadata(&text, metadata, metadata_count);
    for (size_t i = 0; i < made->count; i++) {
        thaw_text_append(&text, "%s", i || metadata_count ? "," : "");
        append_tensor(&text, made->tensors[i], position);
        position += tensor_bytes(made->tensors[i]);
    }
    if (made->checked) {
        thaw_text_append(&text, "%s", made->count || metadata_count ? "," : "");
        append_tensor(&text, &checksum, position);
        made->data_bytes += tensor_bytes(&checksum);
    }
    thaw_text_append(&text, "}");
    /* Aligns the tensors' bytes for floats. */
    while (text.length % 8 != 0 && !text.failed)
        thaw_text_append(&text, " ");
    made->header_bytes = text.length;
    return thaw_text_finish(&text, &made->header);
}

/* Writes nothing that the reader would reject: duplicate names, or names that are not UTF-8. */
static thaw_status check_header(const content *made)
{
    thaw_stored_tensor *tensors;
    size_t count;
    if (made->header_bytes > THAW_SAFETENSORS_HEADER_LIMIT)
        return thaw_fail(made->context, THAW_INVALID_ARGUMENT,
                         "%s: %zu tensors need a header of %" PRIu64 " bytes, must need at most %d", made->path,
                         made->count, made->header_bytes, THAW_SAFETENSORS_HEADER_LIMIT);
    const thaw_status status =
        thaw_safetensors_parse(made->context, made->path, made->header, (size_t)made->header_bytes, made->data_bytes,
                               NULL, &tensors, &count);
    thaw_stored_tensors_release(made->context, tensors, count);
    if (status == THAW_BAD_FORMAT)
        return thaw_fail(made->context, THAW_INVALID_ARGUMENT, "%s", thaw_context_message(made->context));
    return status;
}

static thaw_status put(content *made, thaw_new_file *file, const void *bytes, size_t count)
{
    if (made->checked)
        made->crc = thaw_crc32c(made->crc, bytes, count);
    return thaw_new_file_write(file, bytes, count);
}

static thaw_status write_tensor(content *made, thaw_new_file *file, const thaw_named_tensor *tensor)
{
    const size_t count = thaw_shape_count(&tensor->shape);
    if (!made->read)
        return put(made, file, tensor->data, tensor_bytes(tensor));
    thaw_status status = THAW_OK;
    for (size_t first = 0; first < count && status == THAW_OK; first += PIECE) {
        const size_t now = count - first < PIECE ? count - first : PIECE;
        made->read(tensor->data, first, now, made->piece);
        status = put(made, file, made->piece, now * sizeof *made->piece);
    }
    return status;
}

static thaw_status write_file(content *made)
{
    thaw_new_file file;
    thaw_status status =
        thaw_new_file_create(made->context, made->path,
                             THAW_SAFETENSORS_LENGTH_BYTES + made->header_bytes + made->data_bytes, &file);
    if (status != THAW_OK)
        return status;
    status = put(made, &file, &made->header_bytes, THAW_SAFETENSORS_LENGTH_BYTES);
    if (status == THAW_OK)
        status = put(made, &file, made->header, (size_t)made->header_bytes);
    for (size_t i = 0; i < made->count && status == THAW_OK; i++)
        status = write_tensor(made, &file, made->tensors[i]);
    if (status == THAW_OK && made->checked)
        status = thaw_new_file_write(&file, &made->crc, sizeof made->crc);
    if (status == THAW_OK)
        return thaw_new_file_commit(&file);
    thaw_new_file_discard(&file);
    return status;
}

static thaw_status write_content(content *made, const thaw_named_tensor *tensors, size_t count,
                                 const thaw_named_text *metadata, size_t metadata_count)
{
    thaw_status status = arrange(made, tensors, count);
    if (status == THAW_OK)
        status = write_header(made, metadata, metadata_count);
    if (status == THAW_OK)
        status = check_header(made);
    if (status == THAW_OK && made->read) {
        made->piece = thaw_allocate_array(made->context, PIECE, sizeof *made->piece);
        status = made->piece ? THAW_OK : THAW_OUT_OF_MEMORY;
    }
    if (status == THAW_OK)
        status = write_file(made);
    thaw_release(made->context, made->piece);
    thaw_release(made->context, made->header);
    thaw_release(made->context, made->tensors);
    return status;
}

thaw_status thaw_safetensors_write(thaw_context *context, const char *path, const thaw_named_tensor *tensors,
                                   size_t count, const thaw_named_text *metadata, size_t metadata_count,
                                   thaw_tensor_reader read)
{
    content made = { .context = context, .path = path, .read = read };
    return write_content(&made, tensors, count, metadata, metadata_count);
}

thaw_status thaw_safetensors_write_checked(thaw_context *context, const char *path, const thaw_named_tensor *tensors,
                                           size_t count, const thaw_named_text *metadata, size_t metadata_count)
{
    content made = { .context = context, .path = path, .checked = true };
    return write_content(&made, tensors, count, metadata, metadata_count);
}
