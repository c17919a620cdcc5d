/* Saving and loading the parameters of a model by name. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/loading.h"
#include "params/parameter.h"

Test(weights, what_was_saved_is_loaded, .init = loading_begin, .fini = loading_end)
{
    float after[HOLDER_FLOATS];
    const uint64_t version = thaw_model_parameter(loading_model, 0)->version;
    assert_ok(io_context, thaw_weights_save(loading_model, io_path));
    support_holder_fill(loading_model, 2);
    assert_ok(io_context, loading_try(NULL, HOLDER_PARAMETERS, "", "", ""));
    support_holder_copy(loading_model, after);
    cr_assert_eq(memcmp(after, loading_before, sizeof after), 0);
    cr_assert_gt(thaw_model_parameter(loading_model, 0)->version, version + 1, "copies that kernels hold would be old");
    cr_assert_eq(support_count_entries(io_directory), 1);
}

Test(weights, a_file_of_another_writer_loads, .init = loading_begin, .fini = loading_end)
{
    loading_write_some(0, HOLDER_PARAMETERS, NULL);
    assert_ok(io_context, thaw_weights_load(loading_model, io_path, NULL, NULL));
    for (size_t i = 0; i < HOLDER_PARAMETERS; i++)
        loading_assert_all(loading_whole[i].name, thaw_shape_count(&loading_whole[i].shape), 1);
}

Test(weights, missing, .init = loading_begin, .fini = loading_end)
{
    const thaw_load_options allow = { .allow_missing = true };
    loading_write_some(1, 3, NULL);
    assert_fails(io_context, loading_try(NULL, 0, "first.weight, second.bias, second.mean", "", ""), THAW_NOT_FOUND,
                 "missing from the file: first.weight, second.bias, second.mean; unexpected in the file: nothing");
    assert_ok(io_context, loading_try(&allow, 3, "first.weight, second.bias, second.mean", "", ""));
    loading_assert_all("first.bias", 3, 1);
    loading_assert_all("second.weight", 6, 1);
    cr_assert_eq(memcmp(loading_values_of("first.weight"), loading_before, 6 * sizeof(float)), 0);
}

Test(weights, unexpected, .init = loading_begin, .fini = loading_end)
{
    const thaw_load_options allow = { .allow_unexpected = true };
    const thaw_named_tensor third = { "third.bias", { 1, { 1 } }, loading_ones, THAW_F32 };
    loading_write_some(0, HOLDER_PARAMETERS, &third);
    assert_fails(io_context, loading_try(NULL, 0, "", "third.bias", ""), THAW_NOT_FOUND,
                 "unexpected in the file: third.bias");
    assert_ok(io_context, loading_try(&allow, HOLDER_PARAMETERS, "", "third.bias", ""));
    loading_assert_all("second.mean", 3, 1);
}

Test(weights, the_count_beside_running_statistics_is_passed_over, .init = loading_begin, .fini = loading_end)
{
    thaw_model *norm;
    thaw_node x;
    thaw_load_result result;
    assert_ok(io_context, thaw_model_create(io_context, &norm));
    assert_ok(io_context, thaw_input(norm, &(thaw_shape){ 1, { 3 } }, &x));
    assert_ok(io_context, thaw_batch_norm(norm, x, &(thaw_batch_norm_options){ .name = "norm" }, &x));
    char saved[SUPPORT_PATH_BYTES];
    support_path(saved, getenv("THAW_SOURCE_ROOT"), "tests/golden/batch_norm.safetensors");
    assert_ok(io_context, thaw_weights_load(norm, saved, NULL, &result));
    cr_assert_eq(result.loaded, 4);
    cr_assert_eq(result.unexpected, 0);
    thaw_load_result_destroy(io_context, &result);
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

    const thaw_named_tensor count = { "first.num_batches_tracked", { 1, { 1 } }, loading_ones, THAW_F32 };
    loading_write_some(0, HOLDER_PARAMETERS, &count);
    assert_fails(io_context, loading_try(NULL, 0, "", "first.num_batches_tracked", ""), THAW_NOT_FOUND,
                 "num_batches_tracked");
}

Test(weights, misshaped, .init = loading_begin, .fini = loading_end)
{
    const thaw_load_options allow = { .allow_misshaped = true };
    const thaw_named_tensor transposed = { "first.weight", { 2, { 2, 3 } }, loading_ones, THAW_F32 };
    loading_write_some(1, HOLDER_PARAMETERS - 1, &transposed);
    assert_fails(io_context, loading_try(NULL, 0, "", "", "first.weight"), THAW_SHAPE_MISMATCH,
                 "\"first.weight\" has shape [2, 3], must have [3, 2]");
    assert_ok(io_context, loading_try(&allow, HOLDER_PARAMETERS - 1, "", "", "first.weight"));
    cr_assert_eq(memcmp(loading_values_of("first.weight"), loading_before, 6 * sizeof(float)), 0);
    loading_assert_all("first.bias", 3, 1);
}

Test(weights, everything_wrong_is_reported_at_once, .init = loading_begin, .fini = loading_end)
{
    const thaw_named_tensor tensors[] = {
        { "first.weight", { 1, { 6 } }, loading_ones, THAW_F32 },
        { "first.bias", { 1, { 3 } }, loading_ones, THAW_F32 },
        { "First.bias", { 1, { 3 } }, loading_ones, THAW_F32 },
        { "second.weight", { 3, { 1, 2, 3 } }, loading_ones, THAW_F32 },
        { "second.bias", { 0, { 0 } }, loading_ones, THAW_F32 },
        { "second.mean", { 1, { 3 } }, loading_ones, THAW_F32 },
    };
    const char *misshaped = "first.weight, second.weight, second.bias";
    const thaw_load_options some = { .allow_missing = true, .allow_unexpected = true };
    const thaw_load_options all = { .allow_missing = true, .allow_unexpected = true, .allow_misshaped = true };
    assert_ok(io_context, thaw_safetensors_write(io_context, io_path, tensors, THAW_COUNT(tensors), NULL, 0, NULL));
    assert_fails(io_context, loading_try(NULL, 0, "first.mean", "First.bias", misshaped), THAW_NOT_FOUND, "first.mean");
    assert_fails(
        io_context, loading_try(&some, 0, "first.mean", "First.bias", misshaped), THAW_SHAPE_MISMATCH,
        "\"first.weight\" has shape [6], must have [3, 2]; all wrong shapes: first.weight, second.weight, second");
    assert_ok(io_context, loading_try(&all, 2, "first.mean", "First.bias", misshaped));
    loading_assert_all("first.bias", 3, 1);
    loading_assert_all("second.mean", 3, 1);
}

Test(weights, a_tensor_that_is_not_finite, .init = loading_begin, .fini = loading_end)
{
    static const float broken[] = { NAN, INFINITY, -INFINITY };
    for (size_t i = 0; i < THAW_COUNT(broken); i++) {
        const float values[] = { 0, 0, broken[i] };
        const thaw_named_tensor last = { "second.mean", { 1, { 3 } }, values, THAW_F32 };
        thaw_load_result result;
        loading_write_some(0, HOLDER_PARAMETERS - 1, &last);
        assert_fails(io_context, thaw_weights_load(loading_model, io_path, NULL, &result), THAW_NOT_FINITE,
                     "element 2 of tensor \"second.mean\"");
        cr_assert_null(result.missing_names);
        loading_assert_unchanged();
    }
}

Test(weights, a_tensor_of_another_type, .init = loading_begin, .fini = loading_end)
{
    static const char header[] = "{\"first.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},"
                                 "\"second.bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[12,28]}}";
    const uint64_t length = strlen(header);
    const thaw_load_options biases = { .pattern = "*.bias" };
    char file[256] = { 0 };
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    support_write_file(io_path, file, 8 + length + 28);
    assert_fails(io_context, thaw_weights_load(loading_model, io_path, &biases, NULL), THAW_UNSUPPORTED,
                 "\"second.bias\" has dtype F64, must be F32");
    loading_assert_unchanged();
}

Test(weights, no_file_and_no_path, .init = loading_begin, .fini = loading_end)
{
    assert_fails(io_context, thaw_weights_load(loading_model, io_path, NULL, NULL), THAW_IO_ERROR, "No such file");
    assert_fails(io_context, thaw_weights_load(loading_model, NULL, NULL, NULL), THAW_INVALID_ARGUMENT, "path");
    assert_fails(io_context, thaw_weights_save(loading_model, NULL), THAW_INVALID_ARGUMENT, "path");
    loading_assert_unchanged();
}

/* Whatever bit of a file flips: either the load fails and nothing has changed, or it is whole. */
Test(weights, every_bit_of_a_file_flipped, .init = loading_begin, .fini = loading_end)
{
    char bytes[1024], changed[SUPPORT_PATH_BYTES];
    assert_ok(io_context, thaw_weights_save(loading_model, io_path));
    const size_t count = (size_t)support_read_file(io_path, bytes, sizeof bytes);
    const int memory = support_memory_file(changed, bytes, count);
    size_t whole_loads = 0;
    for (size_t bit = 0; bit < 8 * count; bit++) {
        thaw_load_result result;
        const char flipped = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        cr_assert_eq(pwrite(memory, &flipped, 1, (off_t)(bit / 8)), 1);
        if (thaw_weights_load(loading_model, changed, NULL, &result) != THAW_OK)
            loading_assert_unchanged();
        else
            whole_loads += result.loaded == HOLDER_PARAMETERS;
        cr_assert_eq(pwrite(memory, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
        thaw_load_result_destroy(io_context, &result);
        support_holder_fill(loading_model, 1);
    }
    cr_assert_gt(whole_loads, HOLDER_FLOATS, "bits of mantissas flip without being noticed");
    close(memory);
}
