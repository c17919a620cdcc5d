/* Adapters of low rank and of scaling, and biases alone: begun, trained, saved, merged, refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/adapted_network.h"
#include "support/allocator.h"
#include "support/files.h"

/* ---- low rank ---- */

Test(lora, begins_where_the_network_is, .init = adapted_begin, .fini = adapted_end)
{
    const double before = adapted_loss(3);
    assert_ok(adapted_context, thaw_lora(adapted_model, "dense1|conv2.weight", 2, 4));
    cr_assert(fabs(adapted_loss(3) - before) < 1e-6, "%.9g became %.9g", before, adapted_loss(3));
    cr_assert(!thaw_parameter_trainable(adapted_find("dense1.weight")));
    cr_assert(thaw_parameter_trainable(adapted_find("dense1.bias")));
    cr_assert_eq(thaw_parameter_trainability(adapted_find("dense1.weight")), THAW_PARTIAL);
    cr_assert_null(thaw_model_find_parameter(adapted_model, "dense1.bias.lora_A"));
    cr_assert(
        thaw_shape_equal(thaw_parameter_shape(adapted_find("conv2.weight.lora_A")), &(thaw_shape){ 2, { 2, 27 } }));
    cr_assert(
        thaw_shape_equal(thaw_parameter_shape(adapted_find("conv2.weight.lora_B")), &(thaw_shape){ 2, { 5, 2 } }));
}

Test(lora, starts_with_zero_and_uniform_numbers, .init = adapted_begin, .fini = adapted_end)
{
    assert_ok(adapted_context, thaw_lora(adapted_model, "dense1.weight", 8, 16));
    const thaw_parameter *a = adapted_find("dense1.weight.lora_A"), *b = adapted_find("dense1.weight.lora_B");
    const int64_t inputs = thaw_parameter_shape(a)->dims[1];
    const float bound = 1 / sqrtf((float)inputs);
    float most = 0, sum = 0;
    for (int64_t i = 0; i < 8 * inputs; i++) {
        most = fmaxf(most, fabsf(thaw_parameter_data(a)[i]));
        sum += thaw_parameter_data(a)[i];
    }
    cr_assert(most <= bound && most > 0.95F * bound, "%g of %g", (double)most, (double)bound);
    cr_assert(fabsf(sum) < bound * sqrtf(8 * (float)inputs), "they sum to %g", (double)sum);
    for (int64_t i = 0; i < 11 * 8; i++)
        cr_assert_eq(thaw_parameter_data(b)[i], 0);
}

Test(lora, trains_the_adapters_and_keeps_the_base, .init = adapted_begin, .fini = adapted_end)
{
    assert_ok(adapted_context, thaw_model_freeze(adapted_model, "*"));
    assert_ok(adapted_context, thaw_lora(adapted_model, "dense*.weight", 2, 4));
    float *base = adapted_copy("dense2.weight"), *bias = adapted_copy("dense2.bias");
    float *a = adapted_copy("dense2.weight.lora_A"), *b = adapted_copy("dense2.weight.lora_B");
    const double before = adapted_loss(1);
    adapted_step(10);
    cr_assert_eq(adapted_count_moved("dense2.weight", base), 0);
    cr_assert_eq(adapted_count_moved("dense2.bias", bias), 0);
    cr_assert_eq(adapted_count_moved("dense2.weight.lora_A", a), 2 * 11);
    cr_assert_eq(adapted_count_moved("dense2.weight.lora_B", b), 2 * 6);
    cr_assert_lt(adapted_loss(1), before);
    free(base);
    free(bias);
    free(a);
    free(b);
}

Test(lora, merged_computes_what_it_did, .init = adapted_begin, .fini = adapted_end)
{
    const size_t parameters = thaw_model_parameter_count(adapted_model), groups = thaw_model_group_count(adapted_model);
    assert_ok(adapted_context, thaw_lora(adapted_model, "dense*|conv2", 2, 4));
    thaw_parameter *a = adapted_find("dense1.weight.lora_A");
    adapted_step(10);
    float samples[ADAPTED_BATCH * NETWORK_SAMPLE], apart[ADAPTED_BATCH * NETWORK_CLASSES],
        merged[ADAPTED_BATCH * NETWORK_CLASSES];
    support_fill(samples, THAW_COUNT(samples), 3);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ ADAPTED_BATCH, 9, 7, 2 });
    assert_ok(adapted_context,
              thaw_predict(adapted_model, &inputs, &(thaw_tensor){ THAW_F32, { 2, { ADAPTED_BATCH, 4 } }, apart }));
    assert_ok(adapted_context, thaw_merge(adapted_model, "*"));
    assert_ok(adapted_context,
              thaw_predict(adapted_model, &inputs, &(thaw_tensor){ THAW_F32, { 2, { ADAPTED_BATCH, 4 } }, merged }));
    assert_close(merged, apart, ADAPTED_BATCH * NETWORK_CLASSES, 1e-6, "outputs");
    cr_assert_eq(thaw_model_parameter_count(adapted_model), parameters);
    cr_assert_eq(thaw_model_group_count(adapted_model), groups);
    cr_assert_null(thaw_parameter_binding(adapted_find("dense1.weight")));
    thaw_expression *expression;
    assert_fails(adapted_context, thaw_expression_of(adapted_model, a, &expression), THAW_INVALID_ARGUMENT, "removed");
    assert_fails(adapted_context, thaw_merge(adapted_model, "*"), THAW_NOT_FOUND, "bound");
    assert_ok(adapted_context, thaw_model_unfreeze(adapted_model, "*"));
    adapted_step(2);
}

Test(lora, is_saved_beside_its_base_and_comes_back, .init = adapted_begin, .fini = adapted_end)
{
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_path(path, directory, "adapters.safetensors");
    assert_ok(adapted_context, thaw_lora(adapted_model, "dense1", 2, 4));
    adapted_step(5);
    assert_ok(adapted_context, thaw_weights_save(adapted_model, path));
    thaw_model *other = support_network(adapted_context, false);
    thaw_load_result result;
    cr_assert_eq(thaw_weights_load(other, path, NULL, &result), THAW_NOT_FOUND);
    cr_assert_str_eq(result.unexpected_names, "dense1.weight.lora_A, dense1.weight.lora_B");
    thaw_load_result_destroy(adapted_context, &result);
    assert_ok(adapted_context, thaw_lora(other, "dense1", 2, 4));
    assert_ok(adapted_context, thaw_weights_load(other, path, NULL, NULL));
    const double expected = adapted_loss(9);
    thaw_step_result found;
    support_optimize(other, "sgd");
    assert_ok(adapted_context,
              support_step(other, ADAPTED_BATCH, 9, &(thaw_step_options){ .gradients_only = true }, &found));
    cr_assert_eq(found.loss, expected);
    thaw_model_destroy(other);
    support_remove_directory(directory);
}

Test(lora, takes_the_optimizer_of_its_layer, .init = adapted_begin, .fini = adapted_end)
{
    assert_ok(adapted_context, thaw_lora(adapted_model, "dense1", 2, 4));
    const thaw_group *group = thaw_model_find_group(adapted_model, "dense1.weight.lora");
    cr_assert_not_null(group);
    cr_assert_eq(thaw_group_optimizer(group), thaw_group_optimizer(thaw_model_find_group(adapted_model, "dense1")));
    assert_ok(adapted_context, thaw_select_learning_rate(adapted_model, "*.lora", 0.5));
    cr_assert_eq(thaw_group_learning_rate(group), 0.5);
    assert_ok(adapted_context, thaw_model_freeze(adapted_model, "*.lora_A"));
    cr_assert(!thaw_parameter_trainable(adapted_find("dense1.weight.lora_A")));
    adapted_step(1);
}

Test(lora, refuses_what_does_not_fit, .init = adapted_begin, .fini = adapted_end)
{
    const size_t parameters = thaw_model_parameter_count(adapted_model);
    assert_fails(adapted_context, thaw_lora(adapted_model, "dense1", 0, 1), THAW_INVALID_ARGUMENT, "rank is 0");
    assert_fails(adapted_context, thaw_lora(adapted_model, "dense*", 5, 1), THAW_INVALID_ARGUMENT, "1 to 4");
    assert_fails(adapted_context, thaw_lora(adapted_model, "dense1", 1, NAN), THAW_INVALID_ARGUMENT, "alpha");
    assert_fails(adapted_context, thaw_lora(adapted_model, "*.bias", 1, 1), THAW_NOT_FOUND, "no weight matrix");
    assert_fails(adapted_context, thaw_lora(adapted_model, "nothing", 1, 1), THAW_NOT_FOUND, "nothing");
    assert_ok(adapted_context, thaw_lora(adapted_model, "dense2", 1, 1));
    assert_fails(adapted_context, thaw_lora(adapted_model, "dense*", 1, 1), THAW_DUPLICATE, "dense2.weight.lora_A");
    cr_assert_eq(thaw_model_parameter_count(adapted_model), parameters + 2);
    cr_assert_null(thaw_parameter_binding(adapted_find("dense1.weight")));
    cr_assert(thaw_parameter_trainable(adapted_find("dense1.weight")));
    adapted_step(1);
}

/* ---- scaling ---- */

Test(scale_adapter, has_a_factor_for_each_output_or_input, .init = adapted_begin, .fini = adapted_end)
{
    const double before = adapted_loss(2);
    assert_ok(adapted_context, thaw_scale_adapter(adapted_model, "conv2.weight", 0));
    assert_ok(adapted_context, thaw_scale_adapter(adapted_model, "dense1", 1));
    cr_assert(fabs(adapted_loss(2) - before) < 1e-6);
    cr_assert(
        thaw_shape_equal(thaw_parameter_shape(adapted_find("conv2.weight.ia3_l")), &(thaw_shape){ 4, { 5, 1, 1, 1 } }));
    cr_assert_eq(thaw_parameter_shape(adapted_find("dense1.weight.ia3_l"))->dims[0], 1);
    float *base = adapted_copy("conv2.weight"), *factors = adapted_copy("conv2.weight.ia3_l");
    adapted_step(5);
    cr_assert_eq(adapted_count_moved("conv2.weight", base), 0);
    cr_assert_eq(adapted_count_moved("conv2.weight.ia3_l", factors), 5);
    assert_fails(adapted_context, thaw_scale_adapter(adapted_model, "dense2", 2), THAW_INVALID_ARGUMENT, "axis is 2");
    free(base);
    free(factors);
}

/* ---- biases ---- */

Test(bias_only, trains_the_biases_of_what_is_selected, .init = adapted_begin, .fini = adapted_end)
{
    assert_ok(adapted_context, thaw_model_freeze(adapted_model, "conv1"));
    assert_ok(adapted_context, thaw_bias_only(adapted_model, "conv2|dense*"));
    for (size_t i = 0; i < thaw_model_parameter_count(adapted_model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(adapted_model, i);
        const bool expected =
            thaw_parameter_role(parameter) == THAW_BIAS && strncmp(thaw_parameter_name(parameter), "conv1", 5) != 0;
        cr_assert_eq(thaw_parameter_trainable(parameter), expected, "%s", thaw_parameter_name(parameter));
    }
    thaw_trainability found;
    assert_ok(adapted_context, thaw_model_trainability(adapted_model, "conv*", &found));
    cr_assert_eq(found, THAW_PARTIAL);
    assert_ok(adapted_context, thaw_model_trainability(adapted_model, "conv1", &found));
    cr_assert_eq(found, THAW_FROZEN);
    assert_ok(adapted_context, thaw_model_trainability(adapted_model, "*.bias", &found));
    cr_assert_eq(found, THAW_PARTIAL);
    assert_ok(adapted_context, thaw_model_trainability(adapted_model, "dense1.bias", &found));
    cr_assert_eq(found, THAW_TRAINABLE);
    assert_fails(adapted_context, thaw_model_trainability(adapted_model, "conv9", &found), THAW_NOT_FOUND, "conv9");
    assert_fails(adapted_context, thaw_bias_only(adapted_model, "conv9"), THAW_NOT_FOUND, "conv9");
    adapted_step(2);
}

/* ---- memory that runs out ---- */

static thaw_status add_low_rank(void)
{
    return thaw_lora(adapted_model, "dense*", 1, 1);
}

static thaw_status add_scaling(void)
{
    return thaw_scale_adapter(adapted_model, "conv*|dense2", 1);
}

static thaw_status add_masks(void)
{
    return thaw_mask(adapted_model, "dense*", NULL);
}

static thaw_status freeze_rows(void)
{
    return thaw_freeze_slice(adapted_model, "dense*", 0, 1, 3);
}

static thaw_status merge_all(void)
{
    return thaw_merge(adapted_model, "*");
}

/* Calls with one more allocation before the first that fails, until there are none; whatever fails has changed
   nothing. */
static void survive(support_allocator *allocator, thaw_status (*call)(void), size_t least)
{
    const size_t parameters = thaw_model_parameter_count(adapted_model), groups = thaw_model_group_count(adapted_model);
    const double before = adapted_loss(1);
    for (size_t failures = 0;; failures++) {
        const bool bound = thaw_parameter_binding(adapted_find("dense1.weight")) != NULL;
        allocator->fail_at = allocator->calls + failures + 1;
        const thaw_status status = call();
        allocator->fail_at = 0;
        if (status == THAW_OK) {
            cr_assert_geq(failures, least, "%zu failures", failures);
            break;
        }
        cr_assert_eq(status, THAW_OUT_OF_MEMORY);
        cr_assert_eq(thaw_model_parameter_count(adapted_model), parameters);
        cr_assert_eq(thaw_model_group_count(adapted_model), groups);
        cr_assert_eq(thaw_parameter_binding(adapted_find("dense1.weight")) != NULL, bound);
        cr_assert_eq(thaw_parameter_trainability(adapted_find("dense2.bias")), THAW_TRAINABLE);
        cr_assert_eq(adapted_loss(1), before);
    }
    cr_assert(fabs(adapted_loss(1) - before) < 1e-6);
}

Test(adapters, leave_nothing_when_memory_runs_out)
{
    support_allocator allocator = { 0 };
    adapted_context = support_context_on(&allocator);
    adapted_model = support_network(adapted_context, false);
    support_optimize(adapted_model, "sgd");
    survive(&allocator, add_low_rank, 20);
    survive(&allocator, add_scaling, 10);
    survive(&allocator, add_masks, 6);
    survive(&allocator, merge_all, 4);
    survive(&allocator, freeze_rows, 4);
    adapted_end();
    cr_assert_eq(allocator.live, 0);
}
