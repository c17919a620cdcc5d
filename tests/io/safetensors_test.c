/* Reading and writing what is in order. plain.safetensors and types.safetensors come from the format's own library, see
   tests/golden/write_safetensors.py. */
#include "io/safetensors.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "io/fixture.h"
#include "support/allocator.h"

/* What the script puts into plain.safetensors: element i is start + i / 8. */
typedef struct expected {
    const char *name;
    thaw_shape shape;
    float start;
} expected;

static const expected plain[] = {
    { "conv1.weight", { 4, { 2, 1, 3, 3 } }, -3 },
    { "conv1.bias", { 1, { 2 } }, 1 },
    { "dense.weight", { 2, { 3, 5 } }, 100 },
    { "dense.bias", { 1, { 3 } }, 0 },
    { "scalar", { 0, { 0 } }, 7 },
    { "empty", { 2, { 0, 4 } }, 0 },
    { "quote \" backslash \\ gr\303\266\303\237e \351\233\252", { 1, { 1 } }, -1 },
};

enum { PLAIN = THAW_COUNT(plain), MOST_VALUES = 18 };

static void fill(const expected *tensor, float *values)
{
    for (size_t i = 0; i < thaw_shape_count(&tensor->shape); i++)
        values[i] = tensor->start + (float)i / 8;
}

static thaw_status write_plain(thaw_context *in)
{
    float values[PLAIN][MOST_VALUES];
    thaw_named_tensor tensors[PLAIN];
    for (size_t i = 0; i < PLAIN; i++) {
        fill(&plain[i], values[i]);
        tensors[i] = (thaw_named_tensor){ plain[i].name, plain[i].shape, values[i], THAW_F32 };
    }
    const thaw_named_text metadata = { "format", "pt" };
    return thaw_safetensors_write(in, io_path, tensors, PLAIN, &metadata, 1, NULL);
}

static void assert_plain(const char *from)
{
    thaw_safetensors file;
    assert_ok(io_context, thaw_safetensors_open(io_context, from, &file));
    cr_assert_eq(file.count, PLAIN);
    for (size_t i = 0; i < PLAIN; i++) {
        float values[MOST_VALUES], wanted[MOST_VALUES];
        const thaw_stored_tensor *tensor = thaw_safetensors_find(&file, plain[i].name);
        cr_assert_not_null(tensor, "%s is not found", plain[i].name);
        cr_assert(thaw_shape_equal(&tensor->shape, &plain[i].shape));
        assert_ok(io_context, thaw_safetensors_read(&file, tensor, values));
        fill(&plain[i], wanted);
        cr_assert_eq(memcmp(values, wanted, thaw_shape_count(&tensor->shape) * sizeof(float)), 0, "%s", plain[i].name);
    }
    cr_assert_null(thaw_safetensors_find(&file, "conv1"));
    cr_assert_null(thaw_safetensors_find(&file, "zebra"));
    thaw_safetensors_close(&file);
}

static void assert_same_bytes(const char *left_path, const char *right_path)
{
    char left[4096], right[sizeof left];
    const long left_bytes = support_read_file(left_path, left, sizeof left);
    const long right_bytes = support_read_file(right_path, right, sizeof right);
    cr_assert(left_bytes == right_bytes && left_bytes > 0 && left_bytes <= (long)sizeof left, "%ld bytes, wanted %ld",
              left_bytes, right_bytes);
    cr_assert_eq(memcmp(left, right, (size_t)left_bytes), 0);
}

Test(safetensors, reads_what_the_python_library_wrote, .init = io_begin, .fini = io_end)
{
    char golden[SUPPORT_PATH_BYTES];
    support_golden(golden, "plain.safetensors");
    assert_plain(golden);
}

Test(safetensors, writes_what_the_python_library_writes, .init = io_begin, .fini = io_end)
{
    char golden[SUPPORT_PATH_BYTES];
    support_golden(golden, "plain.safetensors");
    assert_ok(io_context, write_plain(io_context));
    assert_same_bytes(io_path, golden);
    cr_assert_eq(support_count_entries(io_directory), 1);
}

Test(safetensors, knows_the_types_and_reads_those_of_weights, .init = io_begin, .fini = io_end)
{
    static const struct {
        const char *name, *dtype;
        uint64_t bytes;
    } wanted[] = {
        { "bool", "BOOL", 3 },           { "uint8", "U8", 3 },       { "int8", "I8", 3 },
        { "int16", "I16", 6 },           { "int32", "I32", 12 },     { "int64", "I64", 24 },
        { "float16", "F16", 6 },         { "bfloat16", "BF16", 6 },  { "float32", "F32", 12 },
        { "float64", "F64", 24 },        { "complex64", "C64", 24 }, { "float8_e4m3fn", "F8_E4M3", 3 },
        { "float8_e5m2", "F8_E5M2", 3 },
    };
    char golden[SUPPORT_PATH_BYTES];
    support_golden(golden, "types.safetensors");
    thaw_safetensors file;
    assert_ok(io_context, thaw_safetensors_open(io_context, golden, &file));
    cr_assert_eq(file.count, THAW_COUNT(wanted));
    for (size_t i = 0; i < THAW_COUNT(wanted); i++) {
        float values[3];
        const thaw_stored_tensor *tensor = thaw_safetensors_find(&file, wanted[i].name);
        cr_assert_not_null(tensor, "%s", wanted[i].name);
        cr_assert_str_eq(tensor->dtype, wanted[i].dtype);
        cr_assert_eq(tensor->end - tensor->begin, wanted[i].bytes);
        if (strcmp(wanted[i].dtype, "F32") != 0 && strcmp(wanted[i].dtype, "F16") != 0 &&
            strcmp(wanted[i].dtype, "BF16") != 0)
            assert_fails(io_context, thaw_safetensors_read(&file, tensor, values), THAW_UNSUPPORTED, wanted[i].dtype);
    }
    thaw_safetensors_close(&file);
}

Test(safetensors, keeps_every_bit_of_a_float, .init = io_begin, .fini = io_end)
{
    static const float odd[] = { -0.0F, NAN, -INFINITY, 1e-45F, 3.4028235e38F };
    const thaw_named_tensor tensor = { "odd", { 1, { THAW_COUNT(odd) } }, odd, THAW_F32 };
    thaw_safetensors file;
    float values[THAW_COUNT(odd)];
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, &tensor, 1, NULL, 0, NULL));
    assert_ok(io_context, thaw_safetensors_open(io_context, io_path, &file));
    assert_ok(io_context, thaw_safetensors_read(&file, thaw_safetensors_find(&file, "odd"), values));
    cr_assert_eq(memcmp(values, odd, sizeof odd), 0);
    thaw_safetensors_close(&file);
}

/* CRC-32C of all bytes but the last four, which hold it; bytes and floats lie where the header says. */
Test(safetensors, ends_in_a_checksum_that_finds_every_flip, .init = io_begin, .fini = io_end)
{
    static const float floats[] = { 1, NAN };
    static const unsigned char text[] = "eight by";
    const thaw_named_tensor tensors[] = { { "b", { 1, { 2 } }, floats, THAW_F32 },
                                          { "a", { 1, { 8 } }, text, THAW_U8 } };
    unsigned char bytes[400];
    char *read;
    thaw_safetensors file;
    assert_ok(io_context, thaw_safetensors_write_checked(io_context, io_path, tensors, 2, NULL, 0));
    const long count = support_read_file(io_path, bytes, sizeof bytes);
    cr_assert(count > 20 && count < (long)sizeof bytes);
    uint32_t crc = UINT32_MAX, stored;
    for (long i = 0; i < count - 4; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78U : 0);
    }
    memcpy(&stored, bytes + count - 4, sizeof stored);
    cr_assert_eq(stored, ~crc);
    assert_ok(io_context, thaw_safetensors_open(io_context, io_path, &file));
    assert_ok(io_context, thaw_safetensors_read_checked(&file, &read));
    cr_assert_eq(memcmp(read + thaw_safetensors_find(&file, "a")->begin, text, 8), 0);
    cr_assert_eq(memcmp(read + thaw_safetensors_find(&file, "b")->begin, floats, sizeof floats), 0);
    thaw_release(io_context, read);
    thaw_safetensors_close(&file);
    for (long i = 0; i < count; i++) {
        bytes[i] ^= 4;
        support_write_file(io_path, bytes, (size_t)count);
        bytes[i] ^= 4;
        if (thaw_safetensors_open(io_context, io_path, &file) != THAW_OK)
            continue;
        assert_fails(io_context, thaw_safetensors_read_checked(&file, &read), THAW_BAD_FORMAT, io_path);
        cr_assert_null(read);
        thaw_safetensors_close(&file);
    }
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, tensors, 2, NULL, 0, NULL));
    assert_ok(io_context, thaw_safetensors_open(io_context, io_path, &file));
    assert_fails(io_context, thaw_safetensors_read_checked(&file, &read), THAW_BAD_FORMAT,
                 "does not end in a checksum");
    thaw_safetensors_close(&file);
}

Test(safetensors, writes_no_tensors_at_all, .init = io_begin, .fini = io_end)
{
    char bytes[16];
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, NULL, 0, NULL, 0, NULL));
    cr_assert_eq(support_read_file(io_path, bytes, sizeof bytes), 16);
    cr_assert_eq(memcmp(bytes, "\10\0\0\0\0\0\0\0{}      ", 16), 0);
}

Test(safetensors, writes_nothing_that_it_would_not_read, .init = io_begin, .fini = io_end)
{
    const float value = 1;
    const thaw_named_tensor twice[] = { { "a", { 1, { 1 } }, &value, THAW_F32 },
                                        { "a", { 1, { 1 } }, &value, THAW_F32 } };
    const thaw_named_tensor latin = { "gr\374n", { 1, { 1 } }, &value, THAW_F32 };
    const thaw_named_tensor reserved = { "__metadata__", { 1, { 1 } }, &value, THAW_F32 };
    const thaw_named_tensor proper = { "tab\t, \1 and \177", { 1, { 1 } }, &value, THAW_F32 };
    const thaw_named_text text = { "k", "\377" };
    assert_fails(io_context, thaw_safetensors_write(io_context, io_path, twice, 2, NULL, 0, NULL),
                 THAW_INVALID_ARGUMENT, "duplicate");
    assert_fails(io_context, thaw_safetensors_write(io_context, io_path, &latin, 1, NULL, 0, NULL),
                 THAW_INVALID_ARGUMENT, "decode");
    assert_fails(io_context, thaw_safetensors_write(io_context, io_path, &reserved, 1, NULL, 0, NULL),
                 THAW_INVALID_ARGUMENT, "__metadata__");
    assert_fails(io_context, thaw_safetensors_write(io_context, io_path, &proper, 1, &text, 1, NULL),
                 THAW_INVALID_ARGUMENT, "decode");
    cr_assert_eq(support_count_entries(io_directory), 0);
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, &proper, 1, NULL, 0, NULL));
    thaw_safetensors file;
    assert_ok(io_context, thaw_safetensors_open(io_context, io_path, &file));
    cr_assert_not_null(thaw_safetensors_find(&file, proper.name));
    thaw_safetensors_close(&file);
}

Test(safetensors, a_file_that_shrinks_while_open_is_an_error, .init = io_begin, .fini = io_end)
{
    float values[MOST_VALUES];
    thaw_safetensors file;
    assert_ok(io_context, write_plain(io_context));
    assert_ok(io_context, thaw_safetensors_open(io_context, io_path, &file));
    cr_assert_eq(truncate(io_path, (off_t)(file.data_start + 9)), 0);
    assert_fails(io_context, thaw_safetensors_read(&file, thaw_safetensors_find(&file, "conv1.weight"), values),
                 THAW_IO_ERROR, "was longer when opened");
    thaw_safetensors_close(&file);
}

/* Each allocation fails in turn, alone and with all after it: a clean error, and nothing left in memory or on disk. */
static void sweep(thaw_status (*act)(thaw_context *in), bool fail_on)
{
    support_allocator allocator = { .fail_on = fail_on };
    thaw_context *failing = support_context_on(&allocator);
    bool fired = true;
    for (size_t fail_at = 1; fired; fail_at++) {
        allocator.calls = 0;
        allocator.fail_at = fail_at;
        const thaw_status status = act(failing);
        fired = allocator.calls >= fail_at;
        cr_assert(status == (fired ? THAW_OUT_OF_MEMORY : THAW_OK), "call %zu: %s", fail_at, thaw_status_name(status));
        cr_assert_eq(allocator.live, 1, "call %zu: %zu blocks are not given back", fail_at, allocator.live - 1);
        cr_assert_eq(support_count_entries(io_directory), status == THAW_OK && act == write_plain);
        cr_assert(fired || fail_at > PLAIN);
    }
    thaw_context_destroy(failing);
}

static thaw_status open_golden(thaw_context *in)
{
    char golden[SUPPORT_PATH_BYTES];
    thaw_safetensors file;
    const thaw_status status = thaw_safetensors_open(in, support_golden(golden, "plain.safetensors"), &file);
    if (status == THAW_OK)
        thaw_safetensors_close(&file);
    return status;
}

Test(safetensors, every_allocation_may_fail, .init = io_begin, .fini = io_end)
{
    for (int fail_on = 0; fail_on < 2; fail_on++) {
        sweep(open_golden, fail_on);
        sweep(write_plain, fail_on);
        cr_assert_eq(unlink(io_path), 0);
    }
}
