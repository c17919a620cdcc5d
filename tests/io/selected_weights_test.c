/* Loading a part of a file: what the pattern does not select is not looked at. */
#include <string.h>

#include "io/fixture.h"
#include "io/safetensors.h"
#include "support/holder.h"

static thaw_model *model;

static const float ones[24] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

/* All of "first", a head that the model does not have, and nothing of "second". */
static const thaw_named_tensor backbone[] = {
    { "first.weight", { 2, { 3, 2 } }, ones, THAW_F32 }, { "first.bias", { 1, { 3 } }, ones, THAW_F32 },
    { "first.mean", { 1, { 3 } }, ones, THAW_F32 },      { "head.weight", { 2, { 4, 3 } }, ones, THAW_F32 },
    { "head.bias", { 1, { 4 } }, ones, THAW_F32 },       { "nameless", { 1, { 1 } }, ones, THAW_F32 },
};

static void begin(void)
{
    io_begin();
    model = support_holder(io_context);
    support_holder_fill(model, 1);
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, backbone, THAW_COUNT(backbone), NULL, 0, NULL));
}

static void end(void)
{
    thaw_model_destroy(model);
    io_end();
}

TestSuite(selected_weights, .init = begin, .fini = end);

Test(selected_weights, are_loaded_whatever_else_the_file_has)
{
    static const char *const patterns[] = { "first", "first*", "first.weight|first.bias|first.mean" };
    for (size_t i = 0; i < THAW_COUNT(patterns); i++) {
        thaw_load_result result;
        const thaw_load_options options = { .pattern = patterns[i] };
        support_holder_fill(model, 2);
        assert_ok(io_context, thaw_weights_load(model, io_path, &options, &result));
        cr_assert(result.loaded == 3 && result.unexpected == 0 && result.missing == 0, "%s: %s", patterns[i],
                  result.unexpected_names);
        cr_assert_str_empty(result.unexpected_names);
        cr_assert_eq(thaw_parameter_data(thaw_model_find_parameter(model, "first.bias"))[0], 1);
        cr_assert_neq(thaw_parameter_data(thaw_model_find_parameter(model, "second.bias"))[0], 1);
        thaw_load_result_destroy(io_context, &result);
    }
}

Test(selected_weights, must_all_be_in_the_model)
{
    static const struct {
        const char *pattern, *unexpected;
    } cases[] = {
        { "first|head", "head.bias, head.weight" },
        { "first|head.bias", "head.bias" },
        { "first|name*", "nameless" },
        { NULL, "head.bias, head.weight, nameless" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_load_result result;
        const thaw_load_options options = { .pattern = cases[i].pattern };
        assert_fails(io_context, thaw_weights_load(model, io_path, &options, &result), THAW_NOT_FOUND,
                     "unexpected in the file");
        cr_assert_str_eq(result.unexpected_names, cases[i].unexpected, "%s", result.unexpected_names);
        thaw_load_result_destroy(io_context, &result);
    }
}
