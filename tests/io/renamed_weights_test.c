/* Loading tensors that other programs have named otherwise. */
#include <string.h>

#include "io/fixture.h"
#include "io/safetensors.h"
#include "support/holder.h"

static thaw_model *model;

static const float values[] = { 1, 2, 3, 4, 5, 6 };

/* The model's parameters in other words, in an order that is not the model's. */
static const thaw_named_tensor wrapped[] = {
    { "module.body.weight", { 2, { 3, 2 } }, values, THAW_F32 },
    { "module.body.bias", { 1, { 3 } }, values, THAW_F32 },
    { "module.body.mean", { 1, { 3 } }, values, THAW_F32 },
    { "module.a.weight", { 2, { 2, 3 } }, values, THAW_F32 },
    { "module.a.bias", { 1, { 2 } }, values + 4, THAW_F32 },
    { "module.a.mean", { 1, { 3 } }, values, THAW_F32 },
};

static void begin(void)
{
    io_begin();
    model = support_holder(io_context);
    support_holder_fill(model, 1);
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, wrapped, THAW_COUNT(wrapped), NULL, 0, NULL));
}

static void end(void)
{
    thaw_model_destroy(model);
    io_end();
}

TestSuite(renamed_weights, .init = begin, .fini = end);

static thaw_status load(const thaw_renaming *renamings, size_t count, thaw_load_result *result)
{
    const thaw_load_options options = { .renamings = renamings, .renaming_count = count };
    return thaw_weights_load(model, io_path, &options, result);
}

static float first_value(const char *name)
{
    return thaw_parameter_data(thaw_model_find_parameter(model, name))[0];
}

Test(renamed_weights, are_found_under_their_new_names)
{
    static const thaw_renaming renamings[] = { { "module.", "" }, { "body.", "first." }, { "a.", "second." } };
    thaw_load_result result;
    assert_ok(io_context, load(renamings, THAW_COUNT(renamings), &result));
    cr_assert_eq(result.loaded, THAW_COUNT(wrapped));
    cr_assert(first_value("first.weight") == 1 && first_value("second.weight") == 1);
    cr_assert_eq(first_value("second.bias"), 5);
    thaw_load_result_destroy(io_context, &result);
}

/* Each renaming sees what those before it gave. */
Test(renamed_weights, are_renamed_in_order)
{
    static const thaw_renaming renamings[] = { { "module.a.", "second." }, { "module.body", "first" } };
    static const thaw_renaming reversed[] = { { "", "x." },
                                              { "x.module.a.", "second." },
                                              { "x.module.body", "first" } };
    assert_ok(io_context, load(renamings, 2, NULL));
    assert_ok(io_context, load(reversed, 3, NULL));
}

Test(renamed_weights, say_what_does_not_work)
{
    static const thaw_renaming nothing[] = { { "modul.", "" } }, one_name[] = { { "module.body.", "module.a." } };
    thaw_load_result result;
    const float before = first_value("second.bias");
    assert_fails(io_context, load(nothing, 1, &result), THAW_NOT_FOUND,
                 "no tensor has a name that begins with \"modul.\", the first is \"module.a.bias\"");
    cr_assert_null(result.missing_names);
    assert_fails(io_context, load(one_name, 1, &result), THAW_DUPLICATE,
                 "two tensors are named \"module.a.bias\" after \"module.body.=module.a.\"");
    assert_fails(io_context, load(NULL, 0, &result), THAW_NOT_FOUND, "unexpected in the file: module.a.bias");
    thaw_load_result_destroy(io_context, &result);
    cr_assert_eq(first_value("second.bias"), before);
}
