/* safetensors files: eight bytes of header length, a JSON header, and the tensors' bytes, little-endian and
   row-major. The format: https://github.com/huggingface/safetensors. Reading and writing are strict: whatever the
   format forbids is an error, even if other readers accept it. */
#ifndef THAW_IO_SAFETENSORS_H
#define THAW_IO_SAFETENSORS_H

#include <thaw/runtime.h>
#include <thaw/tensor.h>

#include "io/notes.h"

/* The format allows headers of ten times this limit. This is enough for a hundred thousand tensors. Parsing JSON
   takes up to eighty times its length in memory, and a malicious file could exploit that. */
enum { THAW_SAFETENSORS_HEADER_LIMIT = 10000000, THAW_SAFETENSORS_LENGTH_BYTES = 8 };

/* ---- reading ---- */

typedef struct thaw_stored_tensor {
    char *name;
    const char *dtype; /* the format's name for it, "F32"; static storage */
    thaw_shape shape;
    uint64_t begin, end; /* byte offsets, from the end of the header */
    size_t shard;        /* of an index: the file that holds the tensor */
} thaw_stored_tensor;

typedef struct thaw_safetensors {
    thaw_context *context;
    const char *path;
    int descriptor; /* -1: an index, whose tensors are in the files `shards` */
    uint64_t data_start;
    thaw_stored_tensor *tensors; /* sorted by name */
    size_t count;
    thaw_notes notes; /* the metadata; of an index: of its first file */
    struct thaw_safetensors *shards;
    size_t shard_count;
} thaw_safetensors;

/* Opens a file, or an index with all of its files (io/shards.h), and checks everything except the tensors' values.
   `path` must outlive `file`. On failure `file` holds nothing. Errors: THAW_IO_ERROR (also if it is not a regular
   file), THAW_BAD_FORMAT, THAW_UNSUPPORTED (more than THAW_MAX_RANK dimensions), THAW_OUT_OF_MEMORY. */
thaw_status thaw_safetensors_open(thaw_context *context, const char *path, thaw_safetensors *file);

void thaw_safetensors_close(thaw_safetensors *file);

/* The tensor with this name, or NULL. */
const thaw_stored_tensor *thaw_safetensors_find(const thaw_safetensors *file, const char *name);

/* Gives tensors whose names begin with `prefix` names that begin with `replacement`. Errors: THAW_NOT_FOUND (no name
   does), THAW_DUPLICATE (two tensors get one name), THAW_OUT_OF_MEMORY; the file is then to be closed. */
thaw_status thaw_safetensors_rename(thaw_safetensors *file, const char *prefix, const char *replacement);

/* The same for names that end in `end`. That none does is no error. */
thaw_status thaw_safetensors_rename_ends(thaw_safetensors *file, const char *end, const char *replacement);

/* Forgets the tensors whose names match a pattern. */
void thaw_safetensors_drop(thaw_safetensors *file, const char *pattern);

/* Reads a whole tensor into `values`, to which F16 and BF16 are converted. Errors: THAW_UNSUPPORTED (another dtype),
   THAW_IO_ERROR (also if the file became shorter after it was opened). */
thaw_status thaw_safetensors_read(const thaw_safetensors *file, const thaw_stored_tensor *tensor, float *values);

/* Reads the bytes of all tensors into memory, which the caller releases: those of a tensor are from its `begin` on.
   *bytes is NULL after an error. Errors: THAW_BAD_FORMAT (the file does not end in its checksum, or that does not
   match), THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_safetensors_read_checked(const thaw_safetensors *file, char **bytes);

/* Parses only the header: makes the list of tensors from its text, and adds the metadata to `notes`, unless that is
   NULL. `data_bytes` is the size of the rest of the file. */
thaw_status thaw_safetensors_parse(thaw_context *context, const char *path, const char *text, size_t text_bytes,
                                   uint64_t data_bytes, thaw_notes *notes, thaw_stored_tensor **tensors, size_t *count);

void thaw_stored_tensors_release(thaw_context *context, thaw_stored_tensor *tensors, size_t count);

/* ---- writing ---- */

typedef struct thaw_named_tensor {
    const char *name;
    thaw_shape shape;
    const void *data; /* elements, or an argument of the reader */
    thaw_dtype dtype; /* THAW_F32 (0), THAW_BF16 or THAW_U8 */
} thaw_named_tensor;

/* The format's name for one of these types. */
static inline const char *thaw_safetensors_dtype(thaw_dtype dtype)
{
    return dtype == THAW_U8 ? "U8" : dtype == THAW_BF16 ? "BF16" : "F32";
}

/* Reads elements [first, first + count) of a tensor of floats. */
typedef void (*thaw_tensor_reader)(const void *data, size_t first, size_t count, float *values);

/* Writes tensors, sorted by name as the format's own library does, and metadata. `read` supplies the values piece
   by piece; NULL: the tensors' data are their elements. The file is replaced as a whole or not at all (see new_file.h).
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY, THAW_INVALID_ARGUMENT (two tensors with one name, text that is not UTF-8,
   more tensors than the header can list). */
thaw_status thaw_safetensors_write(thaw_context *context, const char *path, const thaw_named_tensor *tensors,
                                   size_t count, const thaw_named_text *metadata, size_t metadata_count,
                                   thaw_tensor_reader read);

/* The tensor that ends a file with a checksum: the CRC-32C of all bytes before it, lowest byte first, as four
   THAW_U8. */
#define THAW_SAFETENSORS_CHECKSUM "[checksum]"

/* The same without a reader, and with a checksum at the end. */
thaw_status thaw_safetensors_write_checked(thaw_context *context, const char *path, const thaw_named_tensor *tensors,
                                           size_t count, const thaw_named_text *metadata, size_t metadata_count);

#endif
