/* Loading the parameters alone that a pattern names. */
#include <math.h>
#include <string.h>

#include "io/loading.h"

Test(weights_patterns, a_pattern_loads_a_group_alone, .init = loading_begin, .fini = loading_end)
{
    const thaw_load_options first = { .pattern = "first" };
    loading_write_some(0, HOLDER_PARAMETERS, NULL);
    assert_ok(io_context, loading_try(&first, 3, "", "", ""));
    loading_assert_all("first.weight", 6, 1);
    loading_assert_all("first.mean", 3, 1);
    cr_assert_eq(memcmp(loading_values_of("second.weight"), loading_before + 12, 6 * sizeof(float)), 0);
    cr_assert_eq(memcmp(loading_values_of("second.mean"), loading_before + 20, 3 * sizeof(float)), 0);
}

Test(weights_patterns, a_pattern_loads_single_parameters, .init = loading_begin, .fini = loading_end)
{
    const thaw_load_options biases = { .pattern = "*.bias" };
    loading_write_some(0, HOLDER_PARAMETERS, NULL);
    assert_ok(io_context, loading_try(&biases, 2, "", "", ""));
    loading_assert_all("first.bias", 3, 1);
    loading_assert_all("second.bias", 2, 1);
    cr_assert_eq(memcmp(loading_values_of("first.weight"), loading_before, 6 * sizeof(float)), 0);
}

Test(weights_patterns, what_a_pattern_leaves_out_is_never_wrong, .init = loading_begin, .fini = loading_end)
{
    static const float broken[] = { 0, NAN, 0 };
    const thaw_load_options first = { .pattern = "first" }, second = { .pattern = "second" };
    const thaw_named_tensor other_shape = { "second.bias", { 1, { 7 } }, loading_ones, THAW_F32 };
    const thaw_named_tensor not_finite = { "second.mean", { 1, { 3 } }, broken, THAW_F32 };
    loading_write_some(0, 3, &other_shape);
    assert_ok(io_context, loading_try(&first, 3, "", "", ""));
    support_holder_copy(loading_model, loading_before);
    assert_fails(io_context, loading_try(&second, 0, "second.weight, second.mean", "", "second.bias"), THAW_NOT_FOUND,
                 "second.weight");
    loading_write_some(0, 5, &not_finite);
    assert_ok(io_context, loading_try(&first, 3, "", "", ""));
}

Test(weights_patterns, a_pattern_that_means_nothing, .init = loading_begin, .fini = loading_end)
{
    loading_write_some(0, HOLDER_PARAMETERS, NULL);
    assert_fails(io_context, loading_try(&(thaw_load_options){ .pattern = "third*" }, 0, "", "", ""), THAW_NOT_FOUND,
                 "\"third*\" matches no group");
    assert_fails(io_context, thaw_weights_load(loading_model, io_path, &(thaw_load_options){ .pattern = "[a" }, NULL),
                 THAW_INVALID_ARGUMENT, "[a");
    loading_assert_unchanged();
}

/* Two dense layers of one weight each, the first of which computes with the second's. */
static thaw_model *tied_layers(void)
{
    thaw_model *tied;
    thaw_node x;
    thaw_expression *shared;
    assert_ok(io_context, thaw_model_create(io_context, &tied));
    assert_ok(io_context, thaw_input(tied, &(thaw_shape){ .rank = 1, .dims = { 2 } }, &x));
    assert_ok(io_context, thaw_dense(tied, x, &(thaw_dense_options){ .name = "a", .units = 2, .no_bias = true }, &x));
    assert_ok(io_context, thaw_dense(tied, x, &(thaw_dense_options){ .name = "b", .units = 2, .no_bias = true }, &x));
    assert_ok(io_context, thaw_expression_of(tied, thaw_model_find_parameter(tied, "b.weight"), &shared));
    assert_ok(io_context, thaw_parameter_bind(tied, thaw_model_find_parameter(tied, "a.weight"), shared));
    return tied;
}

Test(weights_patterns, a_pattern_of_what_is_bound_to_others_loads_nothing_and_is_no_error, .init = loading_begin,
     .fini = loading_end)
{
    static const char *const patterns[] = { "a", "a.*", "a|b" };
    thaw_model *tied = tied_layers();
    assert_ok(io_context, thaw_weights_save(tied, io_path));
    for (size_t i = 0; i < THAW_COUNT(patterns); i++) {
        thaw_load_result result;
        assert_ok(io_context,
                  thaw_weights_load(tied, io_path, &(thaw_load_options){ .pattern = patterns[i] }, &result));
        cr_assert_eq(result.loaded, i == 2, "\"%s\" loads %zu", patterns[i], result.loaded);
        cr_assert_eq(result.missing, 0);
        thaw_load_result_destroy(io_context, &result);
    }
    assert_fails(io_context, thaw_weights_load(tied, io_path, &(thaw_load_options){ .pattern = "c" }, NULL),
                 THAW_NOT_FOUND, "\"c\" matches no group");
    thaw_model_destroy(tied);
}
