#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/crc32c.h"
#include "io/foreign_file.h"
#include "io/half_floats.h"
#include "io/regular_file.h"
#include "io/safetensors.h"
#include "io/shards.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read and written in memory order");

/* pread and not mmap: if the file shrinks while it is read, that is an error and not a signal. */
static thaw_status read_at(const thaw_safetensors *file, void *memory, size_t bytes, uint64_t position)
{
    char *next = memory;
    while (bytes > 0) {
        const ssize_t got = pread(file->descriptor, next, bytes, (off_t)position);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return thaw_fail(file->context, THAW_IO_ERROR, "%s: cannot read at byte %" PRIu64 ": %s", file->path,
                             position, strerror(errno));
        if (got == 0)
            return thaw_fail(file->context, THAW_IO_ERROR, "%s: ends at byte %" PRIu64 ", and was longer when opened",
                             file->path, position);
        next += got;
        bytes -= (size_t)got;
        position += (uint64_t)got;
    }
    return THAW_OK;
}

/* If the length of the header cannot be one. The line that converts the file makes copies, since safetensors stores no
   tensors that are transposed or share their memory. */
static thaw_status refuse_length(const thaw_safetensors *file, uint64_t file_bytes, uint64_t length)
{
    unsigned char first[THAW_FOREIGN_BYTES];
    const size_t count = file_bytes < sizeof first ? (size_t)file_bytes : sizeof first;
    const thaw_status status = read_at(file, first, count, 0);
    if (status != THAW_OK)
        return status;
    if (!thaw_is_pytorch_file(first, count))
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: the header has %" PRIu64 " bytes, must have at most %d",
                         file->path, length, THAW_SAFETENSORS_HEADER_LIMIT);
    return thaw_fail(
        file->context, THAW_BAD_FORMAT,
        "%.200s: this is a PyTorch file, must be safetensors. Convert it: python3 -c 'import sys, torch; "
        "from safetensors.torch import save_file; s = torch.load(sys.argv[1], \"cpu\", weights_only=True); "
        "s = s.get(\"state_dict\", s); save_file({n: t.clone(memory_format=torch.contiguous_format) for "
        "n, t in s.items() if torch.is_tensor(t)}, sys.argv[2])' %.200s weights.safetensors",
        file->path, file->path);
}

static thaw_status read_header_length(const thaw_safetensors *file, uint64_t file_bytes, uint64_t *length)
{
    if (file_bytes < THAW_SAFETENSORS_LENGTH_BYTES)
        return thaw_fail(file->context, THAW_BAD_FORMAT,
                         "%s: has %" PRIu64 " bytes, must have at least 8 for the header's length", file->path,
                         file_bytes);
    const thaw_status status = read_at(file, length, THAW_SAFETENSORS_LENGTH_BYTES, 0);
    if (status != THAW_OK)
        return status;
    if (*length > THAW_SAFETENSORS_HEADER_LIMIT)
        return refuse_length(file, file_bytes, *length);
    if (*length > file_bytes - THAW_SAFETENSORS_LENGTH_BYTES)
        return thaw_fail(file->context, THAW_BAD_FORMAT,
                         "%s: the header has %" PRIu64 " bytes, but the file only %" PRIu64, file->path, *length,
                         file_bytes);
    return THAW_OK;
}

static thaw_status read_header(thaw_safetensors *file, uint64_t file_bytes)
{
    uint64_t length = 0;
    thaw_status status = read_header_length(file, file_bytes, &length);
    if (status != THAW_OK)
        return status;
    char *text = thaw_allocate_raw(file->context, (size_t)length);
    if (!text)
        return THAW_OUT_OF_MEMORY;
    file->data_start = THAW_SAFETENSORS_LENGTH_BYTES + length;
    status = read_at(file, text, (size_t)length, THAW_SAFETENSORS_LENGTH_BYTES);
    if (status == THAW_OK)
        status = thaw_safetensors_parse(file->context, file->path, text, (size_t)length, file_bytes - file->data_start,
                                        &file->notes, &file->tensors, &file->count);
    thaw_release(file->context, text);
    return status;
}

thaw_status thaw_safetensors_open(thaw_context *context, const char *path, thaw_safetensors *file)
{
    uint64_t file_bytes = 0;
    *file = (thaw_safetensors){ .context = context, .path = path, .descriptor = -1, .notes.context = context };
    thaw_status status;
    if (thaw_is_index(path)) {
        status = thaw_shards_open(file);
    } else {
        status = thaw_regular_file_open(context, path, &file->descriptor, &file_bytes);
        if (status == THAW_OK)
            status = read_header(file, file_bytes);
    }
    if (status != THAW_OK)
        thaw_safetensors_close(file);
    return status;
}

void thaw_safetensors_close(thaw_safetensors *file)
{
    thaw_stored_tensors_release(file->context, file->tensors, file->count);
    thaw_notes_clear(&file->notes);
    thaw_shards_close(file);
    if (file->descriptor >= 0)
        close(file->descriptor);
    *file = (thaw_safetensors){ .descriptor = -1 };
}

thaw_status thaw_safetensors_read(const thaw_safetensors *file, const thaw_stored_tensor *tensor, float *values)
{
    const thaw_safetensors *holder = file->shards ? &file->shards[tensor->shard] : file;
    const size_t bytes = (size_t)(tensor->end - tensor->begin);
    const uint64_t position = holder->data_start + tensor->begin;
    const bool float16 = strcmp(tensor->dtype, "F16") == 0, bfloat16 = strcmp(tensor->dtype, "BF16") == 0;
    if (!float16 && !bfloat16 && strcmp(tensor->dtype, "F32") != 0)
        return thaw_fail(file->context, THAW_UNSUPPORTED,
                         "%s: tensor \"%.100s\" has dtype %s, must be F32, F16 or BF16", holder->path, tensor->name,
                         tensor->dtype);
    if (!float16 && !bfloat16)
        return read_at(holder, values, bytes, position);
    const thaw_status status = read_at(holder, (char *)values + bytes, bytes, position);
    if (status == THAW_OK)
        (float16 ? thaw_widen_float16 : thaw_widen_bfloat16)(values, bytes / sizeof(uint16_t));
    return status;
}

/* Adds the length and the header, which were read before, to the checksum. */
static thaw_status check_header_bytes(const thaw_safetensors *file, uint32_t *crc)
{
    char *header = thaw_allocate_raw(file->context, (size_t)file->data_start);
    if (!header)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status = read_at(file, header, (size_t)file->data_start, 0);
    if (status == THAW_OK)
        *crc = thaw_crc32c(0, header, (size_t)file->data_start);
    thaw_release(file->context, header);
    return status;
}

static thaw_status check_all_bytes(const thaw_safetensors *file, const char *bytes, uint64_t count)
{
    uint32_t crc = 0, stored;
    const thaw_status status = check_header_bytes(file, &crc);
    if (status != THAW_OK)
        return status;
    crc = thaw_crc32c(crc, bytes, (size_t)count);
    memcpy(&stored, bytes + count, sizeof stored);
    return crc == stored
               ? THAW_OK
               : thaw_fail(file->context, THAW_BAD_FORMAT, "%s: is damaged: its checksum is %08x, its content has %08x",
                           file->path, stored, crc);
}

thaw_status thaw_safetensors_read_checked(const thaw_safetensors *file, char **bytes)
{
    const thaw_stored_tensor *last = thaw_safetensors_find(file, THAW_SAFETENSORS_CHECKSUM);
    uint64_t end = 0;
    *bytes = NULL;
    for (size_t i = 0; i < file->count; i++)
        end = file->tensors[i].end > end ? file->tensors[i].end : end;
    if (!last || last->end != end || end - last->begin != sizeof(uint32_t))
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: does not end in a checksum", file->path);
    char *made = thaw_allocate_raw(file->context, (size_t)end);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = read_at(file, made, (size_t)end, file->data_start);
    if (status == THAW_OK)
        status = check_all_bytes(file, made, last->begin);
    if (status == THAW_OK)
        *bytes = made;
    else
        thaw_release(file->context, made);
    return status;
}
