/* A valid file that is cut, changed by a bit, or no file at all. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fixture.h"
#include "io/safetensors.h"
#include "support/holder.h"

enum { GOLDEN_BYTES = 4096 };

static size_t read_golden(char *bytes)
{
    char golden[SUPPORT_PATH_BYTES];
    const long count = support_read_file(support_golden(golden, "plain.safetensors"), bytes, GOLDEN_BYTES);
    cr_assert(count > 0 && count <= GOLDEN_BYTES);
    return (size_t)count;
}

Test(damaged, what_is_no_regular_file, .init = io_begin, .fini = io_end, .timeout = 20)
{
    char loop[SUPPORT_PATH_BYTES];
    support_path(loop, io_directory, "loop");
    const size_t descriptors = support_count_entries("/proc/self/fd");
    thaw_safetensors file;
    cr_assert_eq(mkfifo(io_path, 0600), 0);
    cr_assert_eq(symlink(loop, loop), 0);
    assert_fails(io_context, thaw_safetensors_open(io_context, io_path, &file), THAW_IO_ERROR, "not a regular file");
    assert_fails(io_context, thaw_safetensors_open(io_context, io_directory, &file), THAW_IO_ERROR,
                 "not a regular file");
    assert_fails(io_context, thaw_safetensors_open(io_context, "/dev/zero", &file), THAW_IO_ERROR,
                 "not a regular file");
    assert_fails(io_context, thaw_safetensors_open(io_context, loop, &file), THAW_IO_ERROR, "symbolic links");
    assert_fails(io_context, thaw_safetensors_open(io_context, "", &file), THAW_IO_ERROR, "No such file");
    assert_fails(io_context, thaw_safetensors_open(io_context, "/nowhere/x", &file), THAW_IO_ERROR, "No such file");
    cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors);
}

/* Opens a changed copy; whatever opens must also be whole: every float of it can be read. */
static void open_changed(const char *changed, size_t count)
{
    thaw_safetensors file;
    const thaw_status status = thaw_safetensors_open(io_context, changed, &file);
    if (status != THAW_OK) {
        cr_assert(status == THAW_BAD_FORMAT || status == THAW_UNSUPPORTED, "%s", thaw_context_message(io_context));
        return;
    }
    for (size_t i = 0; i < file.count; i++) {
        const thaw_stored_tensor *tensor = &file.tensors[i];
        cr_assert(file.data_start + tensor->end <= count);
        float *values = malloc((size_t)(tensor->end - tensor->begin) + 1);
        const thaw_status read = thaw_safetensors_read(&file, tensor, values);
        cr_assert(read == (strcmp(tensor->dtype, "F32") == 0 ? THAW_OK : THAW_UNSUPPORTED));
        free(values);
    }
    thaw_safetensors_close(&file);
}

Test(damaged, every_bit_of_the_header_flipped, .init = io_begin, .fini = io_end)
{
    char bytes[GOLDEN_BYTES], changed[SUPPORT_PATH_BYTES];
    const size_t count = read_golden(bytes);
    const int memory = support_memory_file(changed, bytes, count);
    const size_t descriptors = support_count_entries("/proc/self/fd");
    uint64_t header;
    memcpy(&header, bytes, 8);
    for (size_t bit = 0; bit < 8 * (8 + header); bit++) {
        const char flipped = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        cr_assert_eq(pwrite(memory, &flipped, 1, (off_t)(bit / 8)), 1);
        open_changed(changed, count);
        cr_assert_eq(pwrite(memory, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors);
    close(memory);
}

Test(damaged, truncated_at_every_byte, .init = io_begin, .fini = io_end)
{
    char bytes[GOLDEN_BYTES];
    size_t count = read_golden(bytes);
    support_write_file(io_path, bytes, count);
    thaw_safetensors file;
    assert_ok(io_context, thaw_safetensors_open(io_context, io_path, &file));
    thaw_safetensors_close(&file);
    while (count-- > 0) {
        cr_assert_eq(truncate(io_path, (off_t)count), 0);
        const thaw_status status = thaw_safetensors_open(io_context, io_path, &file);
        cr_assert(status == THAW_BAD_FORMAT, "cut to %zu bytes: %s", count, thaw_status_name(status));
    }
}

/* ---- loading ---- */

static float saved[HOLDER_FLOATS], held[HOLDER_FLOATS];

/* Loads a damaged file. After an error the model is as before; else it is as saved. Returns whether it was loaded. */
static bool load(thaw_model *model, const char *from)
{
    float now[HOLDER_FLOATS];
    support_holder_fill(model, 2);
    support_holder_copy(model, held);
    const thaw_status status = thaw_weights_load(model, from, NULL, NULL);
    cr_assert(status == THAW_OK || thaw_context_message(io_context)[0], "no message");
    support_holder_copy(model, now);
    cr_assert_eq(memcmp(now, status == THAW_OK ? saved : held, sizeof now), 0, "%s, but other values",
                 thaw_status_name(status));
    return status == THAW_OK;
}

/* Of the bits of the header, only some in its metadata and in the spaces at its end may change. */
Test(damaged, weights_load_as_a_whole_or_not_at_all, .init = io_begin, .fini = io_end)
{
    char bytes[GOLDEN_BYTES], changed[SUPPORT_PATH_BYTES];
    thaw_model *model = support_holder(io_context);
    support_holder_fill(model, 1);
    support_holder_copy(model, saved);
    assert_ok(io_context, thaw_weights_save(model, io_path));
    const size_t count = (size_t)support_read_file(io_path, bytes, GOLDEN_BYTES);
    const int memory = support_memory_file(changed, bytes, count);
    cr_assert(load(model, changed));
    uint64_t header;
    memcpy(&header, bytes, 8);
    const char *tensors = memmem(bytes, count, "\"first", 6);
    cr_assert_not_null(tensors);
    const size_t metadata_end = (size_t)(tensors - bytes);
    for (size_t bit = 0; bit < 8 * (8 + header); bit++) {
        const char flipped = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        cr_assert_eq(pwrite(memory, &flipped, 1, (off_t)(bit / 8)), 1);
        const bool loaded = load(model, changed);
        const bool is_free = bytes[bit / 8] == ' ' || (bit / 8 > 8 && bit / 8 < metadata_end);
        cr_assert(!loaded || is_free, "bit %zu of the header does not matter", bit);
        cr_assert_eq(pwrite(memory, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
    }
    for (size_t cut = count; cut-- > 0;) {
        cr_assert_eq(ftruncate(memory, (off_t)cut), 0);
        cr_assert_not(load(model, changed), "cut to %zu bytes", cut);
    }
    close(memory);
    thaw_model_destroy(model);
}
