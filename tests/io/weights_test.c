/* Saving and loading the parameters of a model by name. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/safetensors.h"
#include "params/parameter.h"
#include "support/files.h"
#include "support/holder.h"
#include "support/support.h"

static thaw_context *context;
static thaw_model *model;
static float before[HOLDER_FLOATS];
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(1);
    model = support_holder(context);
    support_holder_fill(model, 1);
    support_holder_copy(model, before);
    support_make_directory(directory);
    support_path(path, directory, "file.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static const float *values_of(const char *name)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    cr_assert_not_null(parameter, "%s", name);
    return thaw_parameter_data(parameter);
}

static void assert_unchanged(void)
{
    float now[HOLDER_FLOATS];
    support_holder_copy(model, now);
    cr_assert_eq(memcmp(now, before, sizeof now), 0, "the model has changed");
}

static void assert_all(const char *name, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(values_of(name)[i], value, "%s[%zu] is %g, wanted %g", name, i, (double)values_of(name)[i],
                     (double)value);
}

enum { MOST_FLOATS = 24 };

static const float ones[MOST_FLOATS] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

/* What the model wants, full of ones. */
static const thaw_named_tensor whole[HOLDER_PARAMETERS] = {
    { "first.weight", { 2, { 3, 2 } }, ones, THAW_F32 }, { "first.bias", { 1, { 3 } }, ones, THAW_F32 },
    { "first.mean", { 1, { 3 } }, ones, THAW_F32 },      { "second.weight", { 2, { 2, 3 } }, ones, THAW_F32 },
    { "second.bias", { 1, { 2 } }, ones, THAW_F32 },     { "second.mean", { 1, { 3 } }, ones, THAW_F32 },
};

/* Writes some of them, and one more unless it is NULL. */
static void write_some(size_t first, size_t count, const thaw_named_tensor *more)
{
    thaw_named_tensor tensors[HOLDER_PARAMETERS + 1];
    memcpy(tensors, &whole[first], count * sizeof *tensors);
    if (more)
        tensors[count] = *more;
    assert_ok(context, thaw_safetensors_write(context, path, tensors, count + (more != NULL), NULL, 0, NULL));
}

/* Loads and takes the result apart; the lists are compared as texts. */
static thaw_status load(const thaw_load_options *options, size_t loaded, const char *missing, const char *unexpected,
                        const char *misshaped)
{
    thaw_load_result result;
    const thaw_status status = thaw_weights_load(model, path, options, &result);
    cr_assert_eq(result.loaded, loaded, "%zu loaded, wanted %zu", result.loaded, loaded);
    cr_assert_str_eq(result.missing_names, missing);
    cr_assert_str_eq(result.unexpected_names, unexpected);
    cr_assert_str_eq(result.misshaped_names, misshaped);
    thaw_load_result_destroy(context, &result);
    cr_assert_null(result.missing_names);
    if (status != THAW_OK)
        assert_unchanged();
    return status;
}

Test(weights, what_was_saved_is_loaded, .init = begin, .fini = end)
{
    float after[HOLDER_FLOATS];
    const uint64_t version = thaw_model_parameter(model, 0)->version;
    assert_ok(context, thaw_weights_save(model, path));
    support_holder_fill(model, 2);
    assert_ok(context, load(NULL, HOLDER_PARAMETERS, "", "", ""));
    support_holder_copy(model, after);
    cr_assert_eq(memcmp(after, before, sizeof after), 0);
    cr_assert_gt(thaw_model_parameter(model, 0)->version, version + 1, "copies that kernels hold would be old");
    cr_assert_eq(support_count_entries(directory), 1);
}

Test(weights, a_file_of_another_writer_loads, .init = begin, .fini = end)
{
    write_some(0, HOLDER_PARAMETERS, NULL);
    assert_ok(context, thaw_weights_load(model, path, NULL, NULL));
    for (size_t i = 0; i < HOLDER_PARAMETERS; i++)
        assert_all(whole[i].name, thaw_shape_count(&whole[i].shape), 1);
}

Test(weights, missing, .init = begin, .fini = end)
{
    const thaw_load_options allow = { .allow_missing = true };
    write_some(1, 3, NULL);
    assert_fails(context, load(NULL, 0, "first.weight, second.bias, second.mean", "", ""), THAW_NOT_FOUND,
                 "missing from the file: first.weight, second.bias, second.mean; unexpected in the file: nothing");
    assert_ok(context, load(&allow, 3, "first.weight, second.bias, second.mean", "", ""));
    assert_all("first.bias", 3, 1);
    assert_all("second.weight", 6, 1);
    cr_assert_eq(memcmp(values_of("first.weight"), before, 6 * sizeof(float)), 0);
}

Test(weights, unexpected, .init = begin, .fini = end)
{
    const thaw_load_options allow = { .allow_unexpected = true };
    const thaw_named_tensor third = { "third.bias", { 1, { 1 } }, ones, THAW_F32 };
    write_some(0, HOLDER_PARAMETERS, &third);
    assert_fails(context, load(NULL, 0, "", "third.bias", ""), THAW_NOT_FOUND, "unexpected in the file: third.bias");
    assert_ok(context, load(&allow, HOLDER_PARAMETERS, "", "third.bias", ""));
    assert_all("second.mean", 3, 1);
}

Test(weights, the_count_beside_running_statistics_is_passed_over, .init = begin, .fini = end)
{
    thaw_model *norm;
    thaw_node x;
    thaw_load_result result;
    assert_ok(context, thaw_model_create(context, &norm));
    assert_ok(context, thaw_input(norm, &(thaw_shape){ 1, { 3 } }, &x));
    assert_ok(context, thaw_batch_norm(norm, x, &(thaw_batch_norm_options){ .name = "norm" }, &x));
    char saved[SUPPORT_PATH_BYTES];
    support_path(saved, getenv("THAW_SOURCE_ROOT"), "tests/golden/batch_norm.safetensors");
    assert_ok(context, thaw_weights_load(norm, saved, NULL, &result));
    cr_assert_eq(result.loaded, 4);
    cr_assert_eq(result.unexpected, 0);
    thaw_load_result_destroy(context, &result);
    float inputs[15];
    support_fill(inputs, 15, 100);
    const float *mean = thaw_parameter_data(thaw_model_find_parameter(norm, "norm.running_mean"));
    for (size_t c = 0; c < 3; c++) {
        double sum = 0;
        for (size_t i = c; i < 15; i += 3)
            sum += (double)inputs[i];
        cr_assert_float_eq(mean[c], 0.1 * sum / 5, 1e-6);
    }
    thaw_model_destroy(norm);

    const thaw_named_tensor count = { "first.num_batches_tracked", { 1, { 1 } }, ones, THAW_F32 };
    write_some(0, HOLDER_PARAMETERS, &count);
    assert_fails(context, load(NULL, 0, "", "first.num_batches_tracked", ""), THAW_NOT_FOUND, "num_batches_tracked");
}

Test(weights, misshaped, .init = begin, .fini = end)
{
    const thaw_load_options allow = { .allow_misshaped = true };
    const thaw_named_tensor transposed = { "first.weight", { 2, { 2, 3 } }, ones, THAW_F32 };
    write_some(1, HOLDER_PARAMETERS - 1, &transposed);
    assert_fails(context, load(NULL, 0, "", "", "first.weight"), THAW_SHAPE_MISMATCH,
                 "\"first.weight\" has shape [2, 3], must have [3, 2]");
    assert_ok(context, load(&allow, HOLDER_PARAMETERS - 1, "", "", "first.weight"));
    cr_assert_eq(memcmp(values_of("first.weight"), before, 6 * sizeof(float)), 0);
    assert_all("first.bias", 3, 1);
}

Test(weights, everything_wrong_is_reported_at_once, .init = begin, .fini = end)
{
    const thaw_named_tensor tensors[] = {
        { "first.weight", { 1, { 6 } }, ones, THAW_F32 }, { "first.bias", { 1, { 3 } }, ones, THAW_F32 },
        { "First.bias", { 1, { 3 } }, ones, THAW_F32 },   { "second.weight", { 3, { 1, 2, 3 } }, ones, THAW_F32 },
        { "second.bias", { 0, { 0 } }, ones, THAW_F32 },  { "second.mean", { 1, { 3 } }, ones, THAW_F32 },
    };
    const char *misshaped = "first.weight, second.weight, second.bias";
    const thaw_load_options some = { .allow_missing = true, .allow_unexpected = true };
    const thaw_load_options all = { .allow_missing = true, .allow_unexpected = true, .allow_misshaped = true };
    assert_ok(context, thaw_safetensors_write(context, path, tensors, THAW_COUNT(tensors), NULL, 0, NULL));
    assert_fails(context, load(NULL, 0, "first.mean", "First.bias", misshaped), THAW_NOT_FOUND, "first.mean");
    assert_fails(
        context, load(&some, 0, "first.mean", "First.bias", misshaped), THAW_SHAPE_MISMATCH,
        "\"first.weight\" has shape [6], must have [3, 2]; all wrong shapes: first.weight, second.weight, second");
    assert_ok(context, load(&all, 2, "first.mean", "First.bias", misshaped));
    assert_all("first.bias", 3, 1);
    assert_all("second.mean", 3, 1);
}

Test(weights, a_pattern_loads_a_group_alone, .init = begin, .fini = end)
{
    const thaw_load_options first = { .pattern = "first" };
    write_some(0, HOLDER_PARAMETERS, NULL);
    assert_ok(context, load(&first, 3, "", "", ""));
    assert_all("first.weight", 6, 1);
    assert_all("first.mean", 3, 1);
    cr_assert_eq(memcmp(values_of("second.weight"), before + 12, 6 * sizeof(float)), 0);
    cr_assert_eq(memcmp(values_of("second.mean"), before + 20, 3 * sizeof(float)), 0);
}

Test(weights, a_pattern_loads_single_parameters, .init = begin, .fini = end)
{
    const thaw_load_options biases = { .pattern = "*.bias" };
    write_some(0, HOLDER_PARAMETERS, NULL);
    assert_ok(context, load(&biases, 2, "", "", ""));
    assert_all("first.bias", 3, 1);
    assert_all("second.bias", 2, 1);
    cr_assert_eq(memcmp(values_of("first.weight"), before, 6 * sizeof(float)), 0);
}

Test(weights, what_a_pattern_leaves_out_is_never_wrong, .init = begin, .fini = end)
{
    static const float broken[] = { 0, NAN, 0 };
    const thaw_load_options first = { .pattern = "first" }, second = { .pattern = "second" };
    const thaw_named_tensor other_shape = { "second.bias", { 1, { 7 } }, ones, THAW_F32 };
    const thaw_named_tensor not_finite = { "second.mean", { 1, { 3 } }, broken, THAW_F32 };
    write_some(0, 3, &other_shape);
    assert_ok(context, load(&first, 3, "", "", ""));
    support_holder_copy(model, before);
    assert_fails(context, load(&second, 0, "second.weight, second.mean", "", "second.bias"), THAW_NOT_FOUND,
                 "second.weight");
    write_some(0, 5, &not_finite);
    assert_ok(context, load(&first, 3, "", "", ""));
}

Test(weights, a_pattern_that_means_nothing, .init = begin, .fini = end)
{
    write_some(0, HOLDER_PARAMETERS, NULL);
    assert_fails(context, load(&(thaw_load_options){ .pattern = "third*" }, 0, "", "", ""), THAW_NOT_FOUND,
                 "\"third*\" matches no group");
    assert_fails(context, thaw_weights_load(model, path, &(thaw_load_options){ .pattern = "[a" }, NULL),
                 THAW_INVALID_ARGUMENT, "[a");
    assert_unchanged();
}

/* Two dense layers of one weight each, the first of which computes with the second's. */
static thaw_model *tied_layers(void)
{
    thaw_model *tied;
    thaw_node x;
    thaw_expression *shared;
    assert_ok(context, thaw_model_create(context, &tied));
    assert_ok(context, thaw_input(tied, &(thaw_shape){ .rank = 1, .dims = { 2 } }, &x));
    assert_ok(context, thaw_dense(tied, x, &(thaw_dense_options){ .name = "a", .units = 2, .no_bias = true }, &x));
    assert_ok(context, thaw_dense(tied, x, &(thaw_dense_options){ .name = "b", .units = 2, .no_bias = true }, &x));
    assert_ok(context, thaw_expression_of(tied, thaw_model_find_parameter(tied, "b.weight"), &shared));
    assert_ok(context, thaw_parameter_bind(tied, thaw_model_find_parameter(tied, "a.weight"), shared));
    return tied;
}

Test(weights, a_pattern_of_what_is_bound_to_others_loads_nothing_and_is_no_error, .init = begin, .fini = end)
{
    static const char *const patterns[] = { "a", "a.*", "a|b" };
    thaw_model *tied = tied_layers();
    assert_ok(context, thaw_weights_save(tied, path));
    for (size_t i = 0; i < THAW_COUNT(patterns); i++) {
        thaw_load_result result;
        assert_ok(context, thaw_weights_load(tied, path, &(thaw_load_options){ .pattern = patterns[i] }, &result));
        cr_assert_eq(result.loaded, i == 2, "\"%s\" loads %zu", patterns[i], result.loaded);
        cr_assert_eq(result.missing, 0);
        thaw_load_result_destroy(context, &result);
    }
    assert_fails(context, thaw_weights_load(tied, path, &(thaw_load_options){ .pattern = "c" }, NULL), THAW_NOT_FOUND,
                 "\"c\" matches no group");
    thaw_model_destroy(tied);
}

Test(weights, a_tensor_that_is_not_finite, .init = begin, .fini = end)
{
    static const float broken[] = { NAN, INFINITY, -INFINITY };
    for (size_t i = 0; i < THAW_COUNT(broken); i++) {
        const float values[] = { 0, 0, broken[i] };
        const thaw_named_tensor last = { "second.mean", { 1, { 3 } }, values, THAW_F32 };
        thaw_load_result result;
        write_some(0, HOLDER_PARAMETERS - 1, &last);
        assert_fails(context, thaw_weights_load(model, path, NULL, &result), THAW_NOT_FINITE,
                     "element 2 of tensor \"second.mean\"");
        cr_assert_null(result.missing_names);
        assert_unchanged();
    }
}

Test(weights, a_tensor_of_another_type, .init = begin, .fini = end)
{
    static const char header[] = "{\"first.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
                                 "\"second.bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[12,28]}}";
    const uint64_t length = strlen(header);
    const thaw_load_options biases = { .pattern = "*.bias" };
    char file[256] = { 0 };
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    support_write_file(path, file, 8 + length + 28);
    assert_fails(context, thaw_weights_load(model, path, &biases, NULL), THAW_UNSUPPORTED,
                 "\"second.bias\" has dtype F64, must be F32");
    assert_unchanged();
}

Test(weights, no_file_and_no_path, .init = begin, .fini = end)
{
    assert_fails(context, thaw_weights_load(model, path, NULL, NULL), THAW_IO_ERROR, "No such file");
    assert_fails(context, thaw_weights_load(model, NULL, NULL, NULL), THAW_INVALID_ARGUMENT, "path");
    assert_fails(context, thaw_weights_save(model, NULL), THAW_INVALID_ARGUMENT, "path");
    assert_unchanged();
}

/* Whatever bit of a file flips: either the load fails and nothing has changed, or it is whole. */
Test(weights, every_bit_of_a_file_flipped, .init = begin, .fini = end)
{
    char bytes[1024], changed[SUPPORT_PATH_BYTES];
    assert_ok(context, thaw_weights_save(model, path));
    const size_t count = (size_t)support_read_file(path, bytes, sizeof bytes);
    const int memory = support_memory_file(changed, bytes, count);
    size_t whole_loads = 0;
    for (size_t bit = 0; bit < 8 * count; bit++) {
        thaw_load_result result;
        const char flipped = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        cr_assert_eq(pwrite(memory, &flipped, 1, (off_t)(bit / 8)), 1);
        if (thaw_weights_load(model, changed, NULL, &result) != THAW_OK)
            assert_unchanged();
        else
            whole_loads += result.loaded == HOLDER_PARAMETERS;
        cr_assert_eq(pwrite(memory, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
        thaw_load_result_destroy(context, &result);
        support_holder_fill(model, 1);
    }
    cr_assert_gt(whole_loads, HOLDER_FLOATS, "bits of mantissas flip without being noticed");
    close(memory);
}
