#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "io/safetensors.h"

/* Names come from the file and may be long: messages show at most this much of one. */
#define SHOWN "%.100s"

typedef struct element_type {
    const char *name;
    uint64_t bits;
} element_type;

static const element_type element_types[] = {
    { "F32", 32 },        { "F64", 64 },        { "F16", 16 },    { "BF16", 16 },   { "I64", 64 },    { "I32", 32 },
    { "I16", 16 },        { "I8", 8 },          { "U64", 64 },    { "U32", 32 },    { "U16", 16 },    { "U8", 8 },
    { "BOOL", 8 },        { "C64", 64 },        { "F4", 4 },      { "F6_E2M3", 6 }, { "F6_E3M2", 6 }, { "F8_E4M3", 8 },
    { "F8_E4M3FNUZ", 8 }, { "F8_E5M2FNUZ", 8 }, { "F8_E5M2", 8 }, { "F8_E8M0", 8 },
};

/* What is being read, for messages. */
typedef struct source {
    thaw_context *context;
    const char *path;
    thaw_notes *notes; /* NULL: not wanted */
} source;

static thaw_status read_type(const source *from, const json_t *description, thaw_stored_tensor *tensor, uint64_t *bits)
{
    const char *name = json_string_value(json_object_get(description, "dtype"));
    if (!name)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: tensor \"" SHOWN "\": dtype is missing or not a string",
                         from->path, tensor->name);
    for (size_t i = 0; i < THAW_COUNT(element_types); i++) {
        if (strcmp(name, element_types[i].name) == 0) {
            tensor->dtype = element_types[i].name;
            *bits = element_types[i].bits;
            return THAW_OK;
        }
    }
    return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: tensor \"" SHOWN "\" has the unknown dtype \"" SHOWN "\"",
                     from->path, tensor->name, name);
}

/* A whole number, zero or more; the JSON parser has already rejected integers beyond 64 bits. */
static bool read_whole(const json_t *value, uint64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *number = (uint64_t)json_integer_value(value);
    return true;
}

/* Also computes the tensor's size in bits from the bits per element. */
static thaw_status read_shape(const source *from, const json_t *description, thaw_stored_tensor *tensor, uint64_t *bits)
{
    const json_t *shape = json_object_get(description, "shape");
    if (!json_is_array(shape))
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: tensor \"" SHOWN "\": shape is missing or not an array",
                         from->path, tensor->name);
    if (json_array_size(shape) > THAW_MAX_RANK)
        return thaw_fail(from->context, THAW_UNSUPPORTED,
                         "%s: tensor \"" SHOWN "\" has %zu dimensions, must have at most %d", from->path, tensor->name,
                         json_array_size(shape), THAW_MAX_RANK);
    tensor->shape.rank = (int)json_array_size(shape);
    for (int i = 0; i < tensor->shape.rank; i++) {
        uint64_t size;
        if (!read_whole(json_array_get(shape, (size_t)i), &size))
            return thaw_fail(from->context, THAW_BAD_FORMAT,
                             "%s: dimension %d of tensor \"" SHOWN "\" is not a whole number", from->path, i,
                             tensor->name);
        if (__builtin_mul_overflow(*bits, size, bits))
            return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: the size of tensor \"" SHOWN "\" overflows 64 bits",
                             from->path, tensor->name);
        tensor->shape.dims[i] = (int64_t)size;
    }
    return THAW_OK;
}

static thaw_status read_offsets(const source *from, const json_t *description, thaw_stored_tensor *tensor)
{
    const json_t *offsets = json_object_get(description, "data_offsets");
    if (!json_is_array(offsets) || json_array_size(offsets) != 2)
        return thaw_fail(from->context, THAW_BAD_FORMAT,
                         "%s: tensor \"" SHOWN "\": data_offsets is missing or not an array of two", from->path,
                         tensor->name);
    if (!read_whole(json_array_get(offsets, 0), &tensor->begin) ||
        !read_whole(json_array_get(offsets, 1), &tensor->end))
        return thaw_fail(from->context, THAW_BAD_FORMAT,
                         "%s: a data offset of tensor \"" SHOWN "\" is not a whole number", from->path, tensor->name);
    if (tensor->begin > tensor->end)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: tensor \"" SHOWN "\" ends before it begins", from->path,
                         tensor->name);
    return THAW_OK;
}

static thaw_status read_tensor(const source *from, const char *name, const json_t *description,
                               thaw_stored_tensor *tensor)
{
    tensor->name = thaw_copy_text(from->context, name);
    if (!tensor->name)
        return THAW_OUT_OF_MEMORY;
    if (!json_is_object(description))
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: tensor \"" SHOWN "\": its description is not an object",
                         from->path, name);
    uint64_t bits = 0;
    thaw_status status = read_type(from, description, tensor, &bits);
    if (status == THAW_OK)
        status = read_shape(from, description, tensor, &bits);
    if (status == THAW_OK)
        status = read_offsets(from, description, tensor);
    if (status != THAW_OK)
        return status;
    if (json_object_size(description) != 3)
        return thaw_fail(from->context, THAW_BAD_FORMAT,
                         "%s: tensor \"" SHOWN "\": its description must have dtype, shape and data_offsets only",
                         from->path, name);
    const uint64_t bytes = tensor->end - tensor->begin;
    if (bits % 8 != 0 || bits / 8 != bytes)
        return thaw_fail(from->context, THAW_BAD_FORMAT,
                         "%s: tensor \"" SHOWN "\" has %" PRIu64 " bytes, must have %" PRIu64
                         " bits by shape and dtype",
                         from->path, name, bytes, bits);
    return THAW_OK;
}

static thaw_status read_metadata(const source *from, json_t *metadata)
{
    if (!json_is_object(metadata))
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: __metadata__ is not an object", from->path);
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: \"" SHOWN "\" in __metadata__ is not a string",
                             from->path, key);
        const thaw_status status =
            from->notes ? thaw_notes_append(from->notes, key, json_string_value(value)) : THAW_OK;
        if (status != THAW_OK)
            return status;
    }
    return THAW_OK;
}

static thaw_status read_entries(const source *from, json_t *root, thaw_stored_tensor *tensors, size_t *count)
{
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        const thaw_status status = strcmp(key, "__metadata__") == 0
                                       ? read_metadata(from, value)
                                       : read_tensor(from, key, value, &tensors[(*count)++]);
        if (status != THAW_OK)
            return status;
    }
    return THAW_OK;
}

static int by_place(const void *left, const void *right)
{
    const thaw_stored_tensor *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const thaw_stored_tensor *)left)->name, ((const thaw_stored_tensor *)right)->name);
}

/* The tensors must cover the data exactly once, without a gap: nothing can hide in the file, and nothing is read
   twice. */
static thaw_status check_cover(const source *from, thaw_stored_tensor *tensors, size_t count, uint64_t data_bytes)
{
    uint64_t end = 0;
    qsort(tensors, count, sizeof *tensors, by_place);
    for (size_t i = 0; i < count; i++) {
        if (tensors[i].begin != end)
            return thaw_fail(from->context, THAW_BAD_FORMAT,
                             "%s: tensor \"" SHOWN "\" begins at byte %" PRIu64 " of the data, must begin at %" PRIu64
                             ": %s",
                             from->path, tensors[i].name, tensors[i].begin, end,
                             tensors[i].begin < end ? "tensors overlap" : "there is a gap");
        end = tensors[i].end;
    }
    if (end != data_bytes)
        return thaw_fail(from->context, THAW_BAD_FORMAT,
                         "%s: the tensors end at byte %" PRIu64 " of the data, must end with the file at %" PRIu64,
                         from->path, end, data_bytes);
    qsort(tensors, count, sizeof *tensors, by_name);
    return THAW_OK;
}

/* Whether there is more memory than the parsed header takes. */
static bool has_memory(thaw_context *context, size_t text_bytes)
{
    void *block = thaw_allocate_quietly(context, (64 << 10) + 16 * text_bytes);
    thaw_release(context, block);
    return block != NULL;
}

/* Without memory, jansson drops characters, and reports values as wrong. So it only parses while there is memory, and a
   header counts as wrong only if it is wrong twice. */
static json_t *parse(const source *from, const char *text, size_t text_bytes, thaw_status *status)
{
    json_error_t error = { .text = "" };
    json_t *root = NULL;
    bool room = true;
    for (int attempt = 0; attempt < 2 && !root && room; attempt++) {
        room = has_memory(from->context, text_bytes);
        root = room ? json_loadb(text, text_bytes, JSON_REJECT_DUPLICATES, &error) : NULL;
    }
    if (root)
        return root;
    /* On some paths, jansson runs out of memory without saying so. */
    if (!room || json_error_code(&error) == json_error_out_of_memory || !error.text[0])
        *status = thaw_fail(from->context, THAW_OUT_OF_MEMORY, "%s: no memory for the header", from->path);
    else
        *status = thaw_fail(from->context, THAW_BAD_FORMAT, "%s: the header is not valid JSON: %s, at byte %d",
                            from->path, error.text, error.position);
    return NULL;
}

thaw_status thaw_safetensors_parse(thaw_context *context, const char *path, const char *text, size_t text_bytes,
                                   uint64_t data_bytes, thaw_notes *notes, thaw_stored_tensor **tensors, size_t *count)
{
    const source from = { context, path, notes };
    *tensors = NULL;
    *count = 0;
    if (text_bytes == 0 || text[0] != '{')
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: the header must begin with '{'", path);
    thaw_status status = THAW_OK;
    json_t *root = parse(&from, text, text_bytes, &status);
    if (!root)
        return status;
    *tensors = thaw_allocate_array(context, json_object_size(root), sizeof **tensors);
    status = *tensors ? read_entries(&from, root, *tensors, count) : THAW_OUT_OF_MEMORY;
    json_decref(root);
    if (status == THAW_OK)
        status = check_cover(&from, *tensors, *count, data_bytes);
    if (status != THAW_OK) {
        thaw_stored_tensors_release(context, *tensors, *count);
        *tensors = NULL;
        *count = 0;
    }
    return status;
}

void thaw_stored_tensors_release(thaw_context *context, thaw_stored_tensor *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        thaw_release(context, tensors[i].name);
    thaw_release(context, tensors);
}
