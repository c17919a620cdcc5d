/* What layers' parameters are bound to: tied weights, references, merges, trainability, what is saved. */
#include <math.h>
#include <string.h>

#include "params/chain.h"
#include "support/files.h"

Test(binding, gradients_of_tied_weights_add_up, .init = chain_begin, .fini = chain_end)
{
    assert_ok(chain_context,
              thaw_parameter_bind(chain_model, chain_find("third.weight"), chain_stored("first.weight")));
    chain_check_quotients("first.weight");
    chain_check_quotients("first.bias");
    cr_assert_null(thaw_parameter_gradient(chain_find("third.weight")));
    assert_ok(chain_context, thaw_model_freeze(chain_model, "third"));
    chain_check_quotients("first.weight");
    cr_assert_eq(thaw_parameter_trainability(chain_find("third.weight")), THAW_TRAINABLE);
    assert_ok(chain_context, thaw_model_freeze(chain_model, "first"));
    chain_gradients();
    cr_assert_null(thaw_parameter_gradient(chain_find("first.weight")));
}

Test(binding, three_uses_of_one_tensor_and_a_sum, .init = chain_begin, .fini = chain_end)
{
    thaw_expression *sum, *half;
    assert_ok(chain_context, thaw_expression_add(chain_stored("second.weight"), chain_stored("first.weight"), &sum));
    assert_ok(chain_context, thaw_expression_scale(chain_stored("first.weight"), 0.5, &half));
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("second.weight"), sum));
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("third.weight"), half));
    chain_check_quotients("first.weight");
    chain_check_quotients("second.weight");
    for (int i = 0; i < 10; i++)
        assert_ok(chain_context, chain_try_step(NULL, NULL));
    chain_check_quotients("first.weight");
    assert_ok(chain_context, thaw_model_freeze(chain_model, "first.weight"));
    chain_check_quotients("second.weight");
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("second.weight"), NULL));
    chain_check_quotients("second.weight");
}

Test(binding, a_reference_follows_what_is_bound, .init = chain_begin, .fini = chain_end)
{
    assert_ok(chain_context,
              thaw_parameter_bind(chain_model, chain_find("third.weight"), chain_bound("second.weight")));
    chain_check_quotients("second.weight");
    assert_ok(chain_context, thaw_lora(chain_model, "second", 2, 4));
    support_fill(thaw_parameter_edit(chain_find("second.weight.lora_B")), 2 * CHAIN_WIDTH, 8);
    chain_check_quotients("second.weight.lora_A");
    chain_check_quotients("second.weight.lora_B");
    const double before = chain_gradients();
    assert_ok(chain_context, thaw_merge(chain_model, "second"));
    cr_assert(fabs(chain_gradients() - before) < 1e-6);
    assert_ok(chain_context, thaw_model_unfreeze(chain_model, "*"));
    chain_check_quotients("second.weight");
}

Test(binding, added_parameters_are_named_and_checked, .init = chain_begin, .fini = chain_end)
{
    thaw_parameter *added;
    const thaw_parameter_specification one = { .name = "one",
                                               .shape = { 1, { CHAIN_WIDTH } },
                                               .initializer = THAW_INITIAL_ONE };
    const thaw_parameter_specification statistic = { .name = "s", .role = THAW_STATISTIC, .shape = { 1, { 1 } } };
    const thaw_parameter_specification without_fans = { .name = "f", .shape = { 1, { 1 } } };
    assert_ok(chain_context, thaw_model_add_parameter(chain_model, "extra", &one, &added));
    cr_assert_str_eq(thaw_parameter_name(added), "extra.one");
    cr_assert_eq(thaw_parameter_data(added)[CHAIN_WIDTH - 1], 1);
    assert_fails(chain_context, thaw_model_add_parameter(chain_model, "extra", &one, &added), THAW_DUPLICATE,
                 "extra.one");
    assert_fails(chain_context, thaw_model_add_parameter(chain_model, "first", &one, &added), THAW_DUPLICATE, "first");
    assert_fails(chain_context, thaw_model_add_parameter(chain_model, "extra", &statistic, &added),
                 THAW_INVALID_ARGUMENT, "statistic");
    assert_fails(chain_context, thaw_model_add_parameter(chain_model, "new", &without_fans, &added),
                 THAW_INVALID_ARGUMENT, "fans");
    cr_assert_null(thaw_model_find_group(chain_model, "new"));
    assert_fails(chain_context, thaw_parameter_bind(chain_model, chain_find("extra.one"), chain_stored("first.bias")),
                 THAW_INVALID_ARGUMENT, "belongs to no layer");
    chain_gradients();
    cr_assert_null(thaw_parameter_gradient(chain_find("extra.one")));
}

/* Nothing that no layer gets is counted or saved. */
Test(binding, what_is_bound_away_is_out_of_use, .init = chain_begin, .fini = chain_end)
{
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_path(path, directory, "tied.safetensors");
    const size_t before = thaw_model_summary_totals(chain_model).total_parameters;
    assert_ok(chain_context,
              thaw_parameter_bind(chain_model, chain_find("third.weight"), chain_stored("first.weight")));
    cr_assert_eq(thaw_model_summary_totals(chain_model).total_parameters, before - CHAIN_WIDTH * CHAIN_WIDTH);
    thaw_summary_entry row;
    assert_ok(chain_context, thaw_model_summary_entry(chain_model, 5, &row));
    cr_assert_str_eq(row.name, "third");
    cr_assert_eq(row.parameters, CHAIN_WIDTH * CHAIN_WIDTH + CHAIN_WIDTH);
    float kept[CHAIN_WIDTH * CHAIN_WIDTH];
    memcpy(kept, thaw_parameter_data(chain_find("third.weight")), sizeof kept);
    for (int i = 0; i < 3; i++)
        assert_ok(chain_context, chain_try_step(NULL, NULL));
    cr_assert_eq(memcmp(kept, thaw_parameter_data(chain_find("third.weight")), sizeof kept), 0);
    const double loss = chain_gradients();
    assert_ok(chain_context, thaw_weights_save(chain_model, path));
    thaw_model *first = chain_model;
    chain_build();
    thaw_load_result result;
    cr_assert_eq(thaw_weights_load(chain_model, path, NULL, &result), THAW_NOT_FOUND);
    cr_assert_str_eq(result.missing_names, "third.weight");
    thaw_load_result_destroy(chain_context, &result);
    assert_ok(chain_context,
              thaw_parameter_bind(chain_model, chain_find("third.weight"), chain_stored("first.weight")));
    assert_ok(chain_context, thaw_weights_load(chain_model, path, NULL, NULL));
    cr_assert_eq(chain_gradients(), loss);
    thaw_model_destroy(first);
    support_remove_directory(directory);
}

Test(binding, a_merge_that_would_change_another_layer_is_refused, .init = chain_begin, .fini = chain_end)
{
    thaw_expression *half;
    assert_ok(chain_context, thaw_expression_scale(chain_stored("first.weight"), 0.5, &half));
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("first.weight"), half));
    assert_ok(chain_context,
              thaw_parameter_bind(chain_model, chain_find("third.weight"), chain_stored("first.weight")));
    const double before = chain_gradients();
    assert_fails(chain_context, thaw_merge(chain_model, "first"), THAW_INVALID_ARGUMENT, "third.weight");
    cr_assert_eq(chain_gradients(), before);
    assert_ok(chain_context, thaw_merge(chain_model, "first|third"));
    cr_assert(fabs(chain_gradients() - before) < 1e-6);
    cr_assert_null(thaw_parameter_binding(chain_find("third.weight")));
}

Test(binding, formulas_read_as_they_were_written, .init = chain_begin, .fini = chain_end)
{
    thaw_expression *e, *f;
    char *text;
    assert_ok(chain_context, thaw_expression_add(chain_stored("first.weight"), chain_bound("second.weight"), &e));
    assert_ok(chain_context, thaw_expression_scale(e, 0.5, &e));
    assert_ok(chain_context, thaw_expression_slice(chain_stored("first.weight"), 1, 0, 3, &f));
    assert_ok(chain_context, thaw_expression_concatenate((thaw_expression *[]){ f, f }, 2, 1, &f));
    assert_ok(chain_context, thaw_expression_subtract(e, f, &e));
    assert_ok(chain_context, thaw_expression_describe(e, &text));
    cr_assert_str_eq(text, "0.5 * (first.weight + bound(second.weight)) - "
                           "(concatenate(first.weight[:, 0:3], first.weight[:, 0:3], axis 1))");
    thaw_text_destroy(chain_context, text);
    for (int i = 0; i < 40; i++)
        assert_ok(chain_context, thaw_expression_add(e, e, &e));
    assert_ok(chain_context, thaw_expression_describe(e, &text));
    cr_assert_lt(strlen(text), 2000);
    thaw_text_destroy(chain_context, text);
}
