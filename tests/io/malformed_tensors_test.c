/* Descriptions of tensors that break the format, each with the error it must give; and files at the edge that must
   open. */
#include "io/fixture.h"
#include "io/recipe.h"

/* One tensor "a" of two floats but for what is given. */
#define TYPE(dtype) "{\"a\":{\"dtype\":" dtype ",\"shape\":[2],\"data_offsets\":[0,8]}}"
#define SHAPE(shape) "{\"a\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[0,8]}}"
#define OFFSETS(offsets) "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets "}}"

static const recipe bad_types[] = {
    { .name = "a tensor that is null", "{\"a\":null}", 0, "\"a\": its description is not an object" },
    { .name = "a tensor that is an array",
      "{\"a\":[\"F32\",[2],[0,8]]}",
      8,
      "\"a\": its description is not an object" },
    { .name = "a tensor that is a number", "{\"a\":8}", 8, "\"a\": its description is not an object" },
    { .name = "a tensor of nothing", "{\"a\":{}}", 0, "\"a\": dtype is missing" },
    { .name = "no dtype", "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "\"a\": dtype is missing" },
    { .name = "dtype a number", TYPE("32"), 8, "dtype is missing or not a string" },
    { .name = "dtype null", TYPE("null"), 8, "dtype is missing or not a string" },
    { .name = "dtype unknown", TYPE("\"F31\""), 8, "unknown dtype \"F31\"" },
    { .name = "dtype in lower case", TYPE("\"f32\""), 8, "unknown dtype \"f32\"" },
    { .name = "dtype empty", TYPE("\"\""), 8, "unknown dtype \"\"" },
    { .name = "dtype of another width", TYPE("\"F64\""), 8, "has 8 bytes, must have 128 bits by shape and dtype" },
    { .name = "dtype of half bytes, an odd count",
      "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}",
      2,
      "has 2 bytes, must have 12 bits by shape and dtype" },
    { .name = "dtype of half bytes, an odd count rounded down",
      "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}",
      1,
      "has 1 bytes, must have 12 bits by shape and dtype" },
    { .name = "an entry too many",
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}",
      8,
      "must have dtype, shape and data_offsets only" },
};

static const recipe bad_shapes[] = {
    { .name = "no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "\"a\": shape is missing" },
    { .name = "shape a number", SHAPE("2"), 8, "shape is missing or not an array" },
    { .name = "shape null", SHAPE("null"), 8, "shape is missing or not an array" },
    { .name = "shape with a string", SHAPE("[\"2\"]"), 8, "dimension 0 of tensor \"a\" is not a whole number" },
    { .name = "shape with true", SHAPE("[2,true]"), 8, "dimension 1 of tensor \"a\" is not a whole number" },
    { .name = "shape with null", SHAPE("[null]"), 8, "dimension 0 of tensor \"a\" is not a whole number" },
    { .name = "shape with an array", SHAPE("[[2]]"), 8, "dimension 0 of tensor \"a\" is not a whole number" },
    { .name = "shape with -2", SHAPE("[-2]"), 8, "dimension 0 of tensor \"a\" is not a whole number" },
    { .name = "shape with two negatives", SHAPE("[-2,-1]"), 8, "dimension 0 of tensor \"a\" is not a whole number" },
    { .name = "shape with 2.0", SHAPE("[2.0]"), 8, "dimension 0 of tensor \"a\" is not a whole number" },
    { .name = "shape with 2e0", SHAPE("[2e0]"), 8, "dimension 0 of tensor \"a\" is not a whole number" },
    { .name = "shape with 1e999", SHAPE("[1e999]"), 8, "not valid JSON" },
    { .name = "shape with NaN", SHAPE("[NaN]"), 8, "not valid JSON" },
    { .name = "shape with 02", SHAPE("[02]"), 8, "not valid JSON" },
    { .name = "shape with +2", SHAPE("[+2]"), 8, "not valid JSON" },
    { .name = "shape with 0x2", SHAPE("[0x2]"), 8, "not valid JSON" },
    { .name = "shape with 2^63", SHAPE("[9223372036854775808]"), 8, "not valid JSON" },
    { .name = "shape with a hundred digits",
      SHAPE("[1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000]"),
      8,
      "not valid JSON" },
    { .name = "shape of 2^63 - 1 elements", SHAPE("[9223372036854775807]"), 8, "size of tensor \"a\" overflows" },
    { .name = "shape whose product wraps to 2",
      SHAPE("[4294967296,4294967296,2]"),
      8,
      "size of tensor \"a\" overflows" },
    { .name = "shape whose bits wrap to 64", SHAPE("[576460752303423490]"), 8, "size of tensor \"a\" overflows" },
    { .name = "shape too small", SHAPE("[1]"), 8, "has 8 bytes, must have 32 bits by shape and dtype" },
    { .name = "shape too large", SHAPE("[3]"), 8, "has 8 bytes, must have 96 bits by shape and dtype" },
    { .name = "shape empty, data not", SHAPE("[0]"), 8, "has 8 bytes, must have 0 bits by shape and dtype" },
    { .name = "seven dimensions",
      SHAPE("[1,1,1,1,1,1,2]"),
      8,
      "\"a\" has 7 dimensions, must have at most 6",
      .status = THAW_UNSUPPORTED },
};

/* One more tensor on A's range. */
#define ON_A(name) "," TENSOR(name, "[2]", "[0,8]")

static const recipe bad_offsets[] = {
    { .name = "no offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "\"a\": data_offsets is missing" },
    { .name = "offsets an object", OFFSETS("{\"0\":0,\"1\":8}"), 8, "data_offsets is missing or not an array of two" },
    { .name = "no offset", OFFSETS("[]"), 8, "data_offsets is missing or not an array of two" },
    { .name = "one offset", OFFSETS("[8]"), 8, "data_offsets is missing or not an array of two" },
    { .name = "three offsets", OFFSETS("[0,4,8]"), 8, "data_offsets is missing or not an array of two" },
    { .name = "offsets reversed", OFFSETS("[8,0]"), 8, "\"a\" ends before it begins" },
    { .name = "an offset of -8", OFFSETS("[-8,0]"), 8, "data offset of tensor \"a\" is not a whole number" },
    { .name = "an offset of 8.0", OFFSETS("[0,8.0]"), 8, "data offset of tensor \"a\" is not a whole number" },
    { .name = "an offset of \"8\"", OFFSETS("[0,\"8\"]"), 8, "data offset of tensor \"a\" is not a whole number" },
    { .name = "an offset of 2^64", OFFSETS("[0,18446744073709551616]"), 8, "not valid JSON" },
    { .name = "an offset of 2^63 - 1", OFFSETS("[0,9223372036854775807]"), 8, "has 9223372036854775807 bytes" },
    { .name = "a tensor outside the file", OFFSETS("[9223372036854775799,9223372036854775807]"), 8, "there is a gap" },
    { .name = "a gap at the start",
      OFFSETS("[8,16]"),
      16,
      "begins at byte 8 of the data, must begin at 0: there is a gap" },
    { .name = "a gap in the middle",
      "{" A "," TENSOR("b", "[1]", "[12,16]") "}",
      16,
      "\"b\" begins at byte 12 of the data, must begin at 8: there is a gap" },
    { .name = "an overlap",
      "{" A "," TENSOR("b", "[2]", "[4,12]") "}",
      12,
      "\"b\" begins at byte 4 of the data, must begin at 8: tensors overlap" },
    { .name = "ten tensors on one range",
      "{" A ON_A("b") ON_A("c") ON_A("d") ON_A("e") ON_A("f") ON_A("g") ON_A("h") ON_A("i") ON_A("j") "}",
      8,
      "tensors overlap" },
    { .name = "an empty tensor inside another", "{" A "," TENSOR("b", "[0]", "[4,4]") "}", 8, "tensors overlap" },
    { .name = "an empty tensor past the end", "{" A "," TENSOR("b", "[0]", "[12,12]") "}", 8, "there is a gap" },
    { .name = "two bytes missing", "{" A "}", 6, "the tensors end at byte 8 of the data, must end with the file at 6" },
    { .name = "no data", "{" A "}", 0, "the tensors end at byte 8 of the data, must end with the file at 0" },
    { .name = "a byte after the data",
      "{" A "}",
      9,
      "the tensors end at byte 8 of the data, must end with the file at 9" },
    { .name = "a byte after no tensors",
      "{}",
      1,
      "the tensors end at byte 0 of the data, must end with the file at 1" },
};

#define MORE(name, shape, offsets) "," TENSOR(name, shape, offsets)

static const recipe good[] = {
    { .name = "nothing", "{}", 0, NULL },
    { .name = "nothing but metadata", "{\"__metadata__\":{\"k\":\"v\",\"\":\"\"}}", 0, NULL },
    { .name = "one tensor", "{" A "}", 8, NULL },
    { .name = "spaces after the object", "{" A "}     ", 8, NULL },
    { .name = "spaces inside",
      "{ \"a\" : {\n\"shape\":[ 2 ],\t\"data_offsets\":[0,\r8],\"dtype\":\"F32\" } }",
      8,
      NULL },
    { .name = "tensors out of order", "{" TENSOR("b", "[1]", "[8,12]") "," A "}", 12, NULL },
    { .name = "a scalar", "{" TENSOR("a", "[]", "[0,4]") "}", 4, NULL },
    { .name = "six dimensions", SHAPE("[1,1,1,1,1,2]"), 8, NULL },
    { .name = "empty tensors at every place",
      "{" A MORE("b", "[0]", "[0,0]") MORE("c", "[1,0]", "[8,8]") MORE("d", "[1]", "[8,12]")
          MORE("e", "[0]", "[12,12]") "}",
      12,
      NULL },
    { .name = "a shape with 0 and much else",
      "{" TENSOR("a", "[0,9223372036854775807,9223372036854775807]", "[0,0]") "}",
      0,
      NULL },
    { .name = "an empty name", "{" TENSOR("", "[2]", "[0,8]") "}", 8, NULL },
    { .name = "half bytes, an even count", "{\"a\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2, NULL },
};

Test(malformed_tensors, types, .init = io_begin, .fini = io_end)
{
    recipe_check_all(bad_types, THAW_COUNT(bad_types));
}

Test(malformed_tensors, shapes, .init = io_begin, .fini = io_end)
{
    recipe_check_all(bad_shapes, THAW_COUNT(bad_shapes));
}

Test(malformed_tensors, offsets, .init = io_begin, .fini = io_end)
{
    recipe_check_all(bad_offsets, THAW_COUNT(bad_offsets));
}

Test(malformed_tensors, edges_of_the_format_open, .init = io_begin, .fini = io_end)
{
    recipe_check_all(good, THAW_COUNT(good));
}
