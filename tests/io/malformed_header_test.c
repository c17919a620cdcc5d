/* Headers of wrong lengths, that are no JSON, or whose metadata break the format, each with the error it must give. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/fixture.h"
#include "io/recipe.h"
#include "io/safetensors.h"

static const recipe bad_lengths[] = {
    { .name = "no header", "", 0, "must begin with '{'" },
    { .name = "length past the end", "{}", 0, "but the file only", .length = 1000 },
    { .name = "length one past the end", "{}", 0, "but the file only", .length = 3 },
    { .name = "length without its last byte of header", "{}", 0, "not valid JSON", .length = 1 },
    { .name = "length of 2^64 - 1", "{}", 0, "must have at most 10000000", .length = UINT64_MAX },
    { .name = "length of 2^63", "{}", 0, "must have at most 10000000", .length = UINT64_C(1) << 63 },
    { .name = "length one above the limit", "{}", 0, "must have at most 10000000", .length = 10000001 },
    { .name = "length at the limit", "{}", 0, "but the file only", .length = 10000000 },
};

static const recipe bad_json[] = {
    { .name = "an array", "[]", 0, "must begin with '{'" },
    { .name = "a string", "\"{}\"", 0, "must begin with '{'" },
    { .name = "a space first", " {}", 0, "must begin with '{'" },
    { .name = "a byte order mark first", "\xEF\xBB\xBF{}", 0, "must begin with '{'" },
    { .name = "no JSON", "{hello}", 0, "not valid JSON" },
    { .name = "an object that does not end", "{" A, 8, "not valid JSON" },
    { .name = "a comma too many", "{" A ",}", 8, "not valid JSON" },
    { .name = "a comma too few", "{" A "\"b\":{}}", 8, "not valid JSON" },
    { .name = "text after the object", "{} x", 0, "not valid JSON" },
    { .name = "a second object", "{}{}", 0, "not valid JSON" },
    { .name = "a comment", "{/* */}", 0, "not valid JSON" },
    { .name = "single quotes", "{'a':1}", 0, "not valid JSON" },
    { .name = "a NUL after the object", "{}\0", 0, "not valid JSON", .header_bytes = 3 },
    { .name = "a NUL in the object", "{\0}", 0, "not valid JSON", .header_bytes = 3 },
    { .name = "a name that is not UTF-8", "{" TENSOR("\xFF", "[2]", "[0,8]") "}", 8, "not valid JSON" },
    { .name = "a name with an overlong form", "{" TENSOR("\xC0\xAF", "[2]", "[0,8]") "}", 8, "not valid JSON" },
    { .name = "a name with half a surrogate", "{" TENSOR("\\ud800", "[2]", "[0,8]") "}", 8, "not valid JSON" },
    { .name = "a name with an escaped NUL", "{" TENSOR("a\\u0000b", "[2]", "[0,8]") "}", 8, "not valid JSON" },
    { .name = "a name with a raw control character", "{" TENSOR("\x01", "[2]", "[0,8]") "}", 8, "not valid JSON" },
    { .name = "two tensors of one name", "{" A "," A "}", 8, "duplicate" },
    { .name = "two tensors of one name, once escaped", "{" A ",\"\\u0061\":{}}", 8, "duplicate" },
    { .name = "two dtypes",
      "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
      8,
      "duplicate" },
    { .name = "two metadata objects", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate" },
    { .name = "two metadata entries of one key", "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "duplicate" },
};

static const recipe bad_metadata[] = {
    { .name = "metadata null", "{\"__metadata__\":null}", 0, "__metadata__ is not an object" },
    { .name = "metadata an array", "{\"__metadata__\":[\"a\"]}", 0, "__metadata__ is not an object" },
    { .name = "metadata a tensor",
      "{\"__metadata__\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
      8,
      "\"shape\" in __metadata__ is not a string" },
    { .name = "metadata with a number",
      "{\"__metadata__\":{\"epoch\":3}}",
      0,
      "\"epoch\" in __metadata__ is not a string" },
    { .name = "metadata with an object", "{\"__metadata__\":{\"k\":{}}}", 0, "\"k\" in __metadata__ is not a string" },
    { .name = "metadata with null", "{\"__metadata__\":{\"k\":null}}", 0, "\"k\" in __metadata__ is not a string" },
};

Test(malformed_header, lengths, .init = io_begin, .fini = io_end)
{
    recipe_check_all(bad_lengths, THAW_COUNT(bad_lengths));
}

Test(malformed_header, json, .init = io_begin, .fini = io_end)
{
    recipe_check_all(bad_json, THAW_COUNT(bad_json));
}

Test(malformed_header, metadata, .init = io_begin, .fini = io_end)
{
    recipe_check_all(bad_metadata, THAW_COUNT(bad_metadata));
}

Test(malformed_header, nesting_is_bounded, .init = io_begin, .fini = io_end)
{
    enum { DEPTH = 1000000 };
    char *header = malloc(DEPTH + 16);
    const size_t begin = (size_t)sprintf(header, "{\"a\":");
    memset(header + begin, '[', DEPTH);
    header[begin + DEPTH] = '\0';
    const recipe deep = { .name = "a million brackets", header, 0, "depth" };
    recipe_check_all(&deep, 1);
    free(header);
}

Test(malformed_header, files_shorter_than_the_length, .init = io_begin, .fini = io_end)
{
    for (size_t bytes = 0; bytes < 8; bytes++) {
        thaw_safetensors file;
        support_write_file(io_path, "\2\0\0\0\0\0\0", bytes);
        assert_fails(io_context, thaw_safetensors_open(io_context, io_path, &file), THAW_BAD_FORMAT,
                     "must have at least 8");
    }
}
