/* Tensors of 16-bit floats. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/fixture.h"
#include "io/safetensors.h"

enum { NUMBERS = 65536 };

TestSuite(half_floats, .init = io_begin, .fini = io_end);

/* The number that `exponent` and `mantissa` bits behind a sign stand for, by IEEE 754's definition. */
static double value_of(unsigned half, int exponents, int mantissas)
{
    const int largest = (1 << exponents) - 1, bias = largest / 2;
    const int exponent = (int)(half >> mantissas) & largest, mantissa = (int)half & ((1 << mantissas) - 1);
    const double sign = half >> 15 ? -1 : 1;
    if (exponent == largest)
        return mantissa ? NAN : sign * INFINITY;
    const double fraction = (exponent ? 1 : 0) + ldexp(mantissa, -mantissas);
    return sign * ldexp(fraction, (exponent ? exponent : 1) - bias);
}

static void write_tensor(const char *dtype, const uint16_t *halves, size_t count)
{
    char header[160];
    const int length = snprintf(header, sizeof header,
                                "{\"first\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"x\":{\"dtype\":"
                                "\"%s\",\"shape\":[%zu],\"data_offsets\":[1,%zu]}}",
                                dtype, count, 1 + 2 * count);
    const uint64_t bytes = (uint64_t)length;
    FILE *file = fopen(io_path, "w");
    cr_assert_not_null(file);
    fwrite(&bytes, sizeof bytes, 1, file);
    fwrite(header, 1, (size_t)length, file);
    fputc(0, file); /* what follows is not aligned */
    fwrite(halves, sizeof *halves, count, file);
    cr_assert_eq(fclose(file), 0);
}

static void read_all(const char *dtype, int exponents, int mantissas)
{
    static uint16_t halves[NUMBERS];
    static float values[NUMBERS];
    thaw_safetensors file;
    for (unsigned i = 0; i < NUMBERS; i++)
        halves[i] = (uint16_t)i;
    write_tensor(dtype, halves, NUMBERS);
    assert_ok(io_context, thaw_safetensors_open(io_context, io_path, &file));
    assert_ok(io_context, thaw_safetensors_read(&file, thaw_safetensors_find(&file, "x"), values));
    thaw_safetensors_close(&file);
    for (unsigned i = 0; i < NUMBERS; i++) {
        const double wanted = value_of(i, exponents, mantissas), found = (double)values[i];
        cr_assert(isnan(wanted) ? isnan(found) : found == wanted, "%s %04x is %a, must be %a", dtype, i, found, wanted);
        cr_assert_eq(signbit(values[i]) != 0, i >> 15, "%s %04x has the wrong sign", dtype, i);
    }
}

Test(half_floats, of_ieee_754_are_exact)
{
    read_all("F16", 5, 10);
}

Test(half_floats, of_bfloat16_are_exact)
{
    read_all("BF16", 8, 7);
}

/* A model of one parameter "x" takes finite numbers alone. */
static thaw_status load(const char *dtype, uint16_t last, float loaded[2])
{
    thaw_model *model;
    const uint16_t halves[] = { 0, last };
    assert_ok(io_context, thaw_model_create(io_context, &model));
    thaw_node node;
    assert_ok(io_context, thaw_input(model, &(thaw_shape){ 1, { 2 } }, &node));
    assert_ok(io_context,
              thaw_layer_scale(model, node, &(thaw_layer_scale_options){ .name = "scale", .parameter = "x" }, &node));
    write_tensor(dtype, halves, 2);
    const thaw_status status =
        thaw_weights_load(model, io_path, &(thaw_load_options){ .allow_unexpected = true }, NULL);
    memcpy(loaded, thaw_parameter_data(thaw_model_find_parameter(model, "x")), 2 * sizeof *loaded);
    thaw_model_destroy(model);
    return status;
}

Test(half_floats, become_parameters)
{
    float values[2];
    assert_ok(io_context, load("F16", 0xC100, values));
    cr_assert(values[0] == 0 && values[1] == -2.5F);
    assert_ok(io_context, load("BF16", 0xC020, values));
    cr_assert(values[0] == 0 && values[1] == -2.5F);
}

Test(half_floats, that_are_not_finite_are_refused)
{
    float values[2];
    assert_fails(io_context, load("F16", 0x7C00, values), THAW_NOT_FINITE, "element 1 of tensor \"x\" is inf");
    assert_fails(io_context, load("BF16", 0xFF80, values), THAW_NOT_FINITE, "element 1 of tensor \"x\" is -inf");
    assert_fails(io_context, load("F16", 0x7E00, values), THAW_NOT_FINITE, "element 1 of tensor \"x\" is nan");
    cr_assert(values[0] != 0, "the parameter has changed");
    assert_fails(io_context, load("I16", 1, values), THAW_UNSUPPORTED, "has dtype I16, must be F32, F16 or BF16");
}
