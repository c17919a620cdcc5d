#include "io/loading.h"

#include <string.h>

#include "params/parameter.h"

thaw_model *loading_model;
float loading_before[HOLDER_FLOATS];

const float loading_ones[LOADING_MOST_FLOATS] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
};

const thaw_named_tensor loading_whole[HOLDER_PARAMETERS] = {
    { "first.weight", { 2, { 3, 2 } }, loading_ones, THAW_F32 },
    { "first.bias", { 1, { 3 } }, loading_ones, THAW_F32 },
    { "first.mean", { 1, { 3 } }, loading_ones, THAW_F32 },
    { "second.weight", { 2, { 2, 3 } }, loading_ones, THAW_F32 },
    { "second.bias", { 1, { 2 } }, loading_ones, THAW_F32 },
    { "second.mean", { 1, { 3 } }, loading_ones, THAW_F32 },
};

void loading_begin(void)
{
    io_begin();
    loading_model = support_holder(io_context);
    support_holder_fill(loading_model, 1);
    support_holder_copy(loading_model, loading_before);
}

void loading_end(void)
{
    thaw_model_destroy(loading_model);
    io_end();
}

const float *loading_values_of(const char *name)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(loading_model, name);
    cr_assert_not_null(parameter, "%s", name);
    return thaw_parameter_data(parameter);
}

void loading_assert_unchanged(void)
{
    float now[HOLDER_FLOATS];
    support_holder_copy(loading_model, now);
    cr_assert_eq(memcmp(now, loading_before, sizeof now), 0, "the model has changed");
}

void loading_assert_all(const char *name, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(loading_values_of(name)[i], value, "%s[%zu] is %g, wanted %g", name, i,
                     (double)loading_values_of(name)[i], (double)value);
}

void loading_write_some(size_t first, size_t count, const thaw_named_tensor *more)
{
    thaw_named_tensor tensors[HOLDER_PARAMETERS + 1];
    memcpy(tensors, &loading_whole[first], count * sizeof *tensors);
    if (more)
        tensors[count] = *more;
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, tensors, count + (more != NULL), NULL, 0, NULL));
}

thaw_status loading_try(const thaw_load_options *options, size_t loaded, const char *missing, const char *unexpected,
                        const char *misshaped)
{
    thaw_load_result result;
    const thaw_status status = thaw_weights_load(loading_model, io_path, options, &result);
    cr_assert_eq(result.loaded, loaded, "%zu loaded, wanted %zu", result.loaded, loaded);
    cr_assert_str_eq(result.missing_names, missing);
    cr_assert_str_eq(result.unexpected_names, unexpected);
    cr_assert_str_eq(result.misshaped_names, misshaped);
    thaw_load_result_destroy(io_context, &result);
    cr_assert_null(result.missing_names);
    if (status != THAW_OK)
        loading_assert_unchanged();
    return status;
}
