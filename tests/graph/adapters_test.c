/* Ready-made combinations: adapters, masks, biases, slices, and merging. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/allocator.h"
#include "support/files.h"
#include "support/max_cpu.h"
#include "support/network.h"

enum { BATCH = 5 };

static thaw_context *context;
static thaw_model *model;

static void begin(void)
{
    context = support_context(2);
    model = support_network(context, false);
    support_optimize(model, "adamw:lr=0.01,weight_decay=0.1");
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_parameter *find(const char *name)
{
    thaw_parameter *found = thaw_model_find_parameter(model, name);
    cr_assert_not_null(found, "%s", name);
    return found;
}

static void step(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_ok(context, support_step(model, BATCH, i + 1, NULL, NULL));
}

static double loss_of(uint32_t seed)
{
    thaw_step_result result;
    assert_ok(context, support_step(model, BATCH, seed, &(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

static float *copy_of(const char *name)
{
    const thaw_parameter *parameter = find(name);
    const size_t bytes = thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float);
    float *copy = malloc(bytes);
    memcpy(copy, thaw_parameter_data(parameter), bytes);
    return copy;
}

static size_t count_moved(const char *name, const float *before)
{
    const thaw_parameter *parameter = find(name);
    const float *now = thaw_parameter_data(parameter);
    size_t moved = 0;
    for (size_t i = 0; i < thaw_shape_count(thaw_parameter_shape(parameter)); i++)
        moved += memcmp(&now[i], &before[i], sizeof *now) != 0;
    return moved;
}

/* ---- low rank ---- */

Test(lora, begins_where_the_network_is, .init = begin, .fini = end)
{
    const double before = loss_of(3);
    assert_ok(context, thaw_lora(model, "dense1|conv2.weight", 2, 4));
    cr_assert(fabs(loss_of(3) - before) < 1e-6, "%.9g became %.9g", before, loss_of(3));
    cr_assert(!thaw_parameter_trainable(find("dense1.weight")));
    cr_assert(thaw_parameter_trainable(find("dense1.bias")));
    cr_assert_eq(thaw_parameter_trainability(find("dense1.weight")), THAW_PARTIAL);
    cr_assert_null(thaw_model_find_parameter(model, "dense1.bias.lora_A"));
    cr_assert(thaw_shape_equal(thaw_parameter_shape(find("conv2.weight.lora_A")), &(thaw_shape){ 2, { 2, 27 } }));
    cr_assert(thaw_shape_equal(thaw_parameter_shape(find("conv2.weight.lora_B")), &(thaw_shape){ 2, { 5, 2 } }));
}

Test(lora, starts_with_zero_and_uniform_numbers, .init = begin, .fini = end)
{
    assert_ok(context, thaw_lora(model, "dense1.weight", 8, 16));
    const thaw_parameter *a = find("dense1.weight.lora_A"), *b = find("dense1.weight.lora_B");
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

Test(lora, trains_the_adapters_and_keeps_the_base, .init = begin, .fini = end)
{
    assert_ok(context, thaw_model_freeze(model, "*"));
    assert_ok(context, thaw_lora(model, "dense*.weight", 2, 4));
    float *base = copy_of("dense2.weight"), *bias = copy_of("dense2.bias");
    float *a = copy_of("dense2.weight.lora_A"), *b = copy_of("dense2.weight.lora_B");
    const double before = loss_of(1);
    step(10);
    cr_assert_eq(count_moved("dense2.weight", base), 0);
    cr_assert_eq(count_moved("dense2.bias", bias), 0);
    cr_assert_eq(count_moved("dense2.weight.lora_A", a), 2 * 11);
    cr_assert_eq(count_moved("dense2.weight.lora_B", b), 2 * 6);
    cr_assert_lt(loss_of(1), before);
    free(base);
    free(bias);
    free(a);
    free(b);
}

Test(lora, merged_computes_what_it_did, .init = begin, .fini = end)
{
    const size_t parameters = thaw_model_parameter_count(model), groups = thaw_model_group_count(model);
    assert_ok(context, thaw_lora(model, "dense*|conv2", 2, 4));
    thaw_parameter *a = find("dense1.weight.lora_A");
    step(10);
    float samples[BATCH * NETWORK_SAMPLE], apart[BATCH * NETWORK_CLASSES], merged[BATCH * NETWORK_CLASSES];
    support_fill(samples, THAW_COUNT(samples), 3);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ BATCH, 9, 7, 2 });
    assert_ok(context, thaw_predict(model, &inputs, &(thaw_tensor){ THAW_F32, { 2, { BATCH, 4 } }, apart }));
    assert_ok(context, thaw_merge(model, "*"));
    assert_ok(context, thaw_predict(model, &inputs, &(thaw_tensor){ THAW_F32, { 2, { BATCH, 4 } }, merged }));
    assert_close(merged, apart, BATCH * NETWORK_CLASSES, 1e-6, "outputs");
    cr_assert_eq(thaw_model_parameter_count(model), parameters);
    cr_assert_eq(thaw_model_group_count(model), groups);
    cr_assert_null(thaw_parameter_binding(find("dense1.weight")));
    thaw_expression *expression;
    assert_fails(context, thaw_expression_of(model, a, &expression), THAW_INVALID_ARGUMENT, "removed");
    assert_fails(context, thaw_merge(model, "*"), THAW_NOT_FOUND, "bound");
    assert_ok(context, thaw_model_unfreeze(model, "*"));
    step(2);
}

Test(lora, is_saved_beside_its_base_and_comes_back, .init = begin, .fini = end)
{
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_path(path, directory, "adapters.safetensors");
    assert_ok(context, thaw_lora(model, "dense1", 2, 4));
    step(5);
    assert_ok(context, thaw_weights_save(model, path));
    thaw_model *other = support_network(context, false);
    thaw_load_result result;
    cr_assert_eq(thaw_weights_load(other, path, NULL, &result), THAW_NOT_FOUND);
    cr_assert_str_eq(result.unexpected_names, "dense1.weight.lora_A, dense1.weight.lora_B");
    thaw_load_result_destroy(context, &result);
    assert_ok(context, thaw_lora(other, "dense1", 2, 4));
    assert_ok(context, thaw_weights_load(other, path, NULL, NULL));
    const double expected = loss_of(9);
    thaw_step_result found;
    support_optimize(other, "sgd");
    assert_ok(context, support_step(other, BATCH, 9, &(thaw_step_options){ .gradients_only = true }, &found));
    cr_assert_eq(found.loss, expected);
    thaw_model_destroy(other);
    support_remove_directory(directory);
}

Test(lora, takes_the_optimizer_of_its_layer, .init = begin, .fini = end)
{
    assert_ok(context, thaw_lora(model, "dense1", 2, 4));
    const thaw_group *group = thaw_model_find_group(model, "dense1.weight.lora");
    cr_assert_not_null(group);
    cr_assert_eq(thaw_group_optimizer(group), thaw_group_optimizer(thaw_model_find_group(model, "dense1")));
    assert_ok(context, thaw_select_learning_rate(model, "*.lora", 0.5));
    cr_assert_eq(thaw_group_learning_rate(group), 0.5);
    assert_ok(context, thaw_model_freeze(model, "*.lora_A"));
    cr_assert(!thaw_parameter_trainable(find("dense1.weight.lora_A")));
    step(1);
}

Test(lora, refuses_what_does_not_fit, .init = begin, .fini = end)
{
    const size_t parameters = thaw_model_parameter_count(model);
    assert_fails(context, thaw_lora(model, "dense1", 0, 1), THAW_INVALID_ARGUMENT, "rank is 0");
    assert_fails(context, thaw_lora(model, "dense*", 5, 1), THAW_INVALID_ARGUMENT, "1 to 4");
    assert_fails(context, thaw_lora(model, "dense1", 1, NAN), THAW_INVALID_ARGUMENT, "alpha");
    assert_fails(context, thaw_lora(model, "*.bias", 1, 1), THAW_NOT_FOUND, "no weight matrix");
    assert_fails(context, thaw_lora(model, "nothing", 1, 1), THAW_NOT_FOUND, "nothing");
    assert_ok(context, thaw_lora(model, "dense2", 1, 1));
    assert_fails(context, thaw_lora(model, "dense*", 1, 1), THAW_DUPLICATE, "dense2.weight.lora_A");
    cr_assert_eq(thaw_model_parameter_count(model), parameters + 2);
    cr_assert_null(thaw_parameter_binding(find("dense1.weight")));
    cr_assert(thaw_parameter_trainable(find("dense1.weight")));
    step(1);
}

/* ---- scaling ---- */

Test(scale_adapter, has_a_factor_for_each_output_or_input, .init = begin, .fini = end)
{
    const double before = loss_of(2);
    assert_ok(context, thaw_scale_adapter(model, "conv2.weight", 0));
    assert_ok(context, thaw_scale_adapter(model, "dense1", 1));
    cr_assert(fabs(loss_of(2) - before) < 1e-6);
    cr_assert(thaw_shape_equal(thaw_parameter_shape(find("conv2.weight.ia3_l")), &(thaw_shape){ 4, { 5, 1, 1, 1 } }));
    cr_assert_eq(thaw_parameter_shape(find("dense1.weight.ia3_l"))->dims[0], 1);
    float *base = copy_of("conv2.weight"), *factors = copy_of("conv2.weight.ia3_l");
    step(5);
    cr_assert_eq(count_moved("conv2.weight", base), 0);
    cr_assert_eq(count_moved("conv2.weight.ia3_l", factors), 5);
    assert_fails(context, thaw_scale_adapter(model, "dense2", 2), THAW_INVALID_ARGUMENT, "axis is 2");
    free(base);
    free(factors);
}

/* ---- biases ---- */

Test(bias_only, trains_the_biases_of_what_is_selected, .init = begin, .fini = end)
{
    assert_ok(context, thaw_model_freeze(model, "conv1"));
    assert_ok(context, thaw_bias_only(model, "conv2|dense*"));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const bool expected =
            thaw_parameter_role(parameter) == THAW_BIAS && strncmp(thaw_parameter_name(parameter), "conv1", 5) != 0;
        cr_assert_eq(thaw_parameter_trainable(parameter), expected, "%s", thaw_parameter_name(parameter));
    }
    thaw_trainability found;
    assert_ok(context, thaw_model_trainability(model, "conv*", &found));
    cr_assert_eq(found, THAW_PARTIAL);
    assert_ok(context, thaw_model_trainability(model, "conv1", &found));
    cr_assert_eq(found, THAW_FROZEN);
    assert_ok(context, thaw_model_trainability(model, "*.bias", &found));
    cr_assert_eq(found, THAW_PARTIAL);
    assert_ok(context, thaw_model_trainability(model, "dense1.bias", &found));
    cr_assert_eq(found, THAW_TRAINABLE);
    assert_fails(context, thaw_model_trainability(model, "conv9", &found), THAW_NOT_FOUND, "conv9");
    assert_fails(context, thaw_bias_only(model, "conv9"), THAW_NOT_FOUND, "conv9");
    step(2);
}

/* ---- held elements ---- */

static const char *const optimizers[] = {
    "sgd:lr=0.1,weight_decay=0.1",
    "sgd:lr=0.1,momentum=0.9,weight_decay=0.1,nesterov=1",
    "adam:lr=0.01,weight_decay=0.1,amsgrad=1",
    "adamw:lr=0.01,weight_decay=0.1",
    "rmsprop:lr=0.01,weight_decay=0.1,momentum=0.9,centered=1",
};

static bool is_masked(size_t index)
{
    return index % 5 == 0 || (index > 700 && index < 1400);
}

Test(mask, masked_elements_keep_their_bytes)
{
    for (size_t k = 0; k < THAW_COUNT(optimizers); k++) {
        begin();
        support_optimize(model, optimizers[k]);
        step(3); /* so that there is momentum */
        thaw_parameter *weight = find("dense1.weight");
        const size_t count = thaw_shape_count(thaw_parameter_shape(weight));
        unsigned char *mask = malloc(count);
        size_t free_count = 0;
        for (size_t i = 0; i < count; i++)
            free_count += mask[i] = !is_masked(i);
        assert_ok(context,
                  thaw_mask(model, "dense1.weight", &(thaw_tensor){ THAW_U8, *thaw_parameter_shape(weight), mask }));
        float *before = copy_of("dense1.weight");
        for (uint32_t i = 0; i < 10; i++)
            assert_ok(context, support_step(model, BATCH, i, &(thaw_step_options){ .clip_norm = 0.5 }, NULL));
        const float *now = thaw_parameter_data(weight);
        size_t moved = 0;
        for (size_t i = 0; i < count; i++) {
            const bool same = memcmp(&now[i], &before[i], sizeof *now) == 0;
            cr_assert(mask[i] || same, "%s: element %zu has moved", optimizers[k], i);
            cr_assert(mask[i] || thaw_parameter_gradient(weight)[i] == 0);
            moved += !same;
        }
        cr_assert_geq(moved, free_count * 9 / 10, "%s: %zu of %zu have moved", optimizers[k], moved, free_count);
        free(before);
        free(mask);
        end();
    }
}

Test(mask, keeps_zeros_where_there_are_some, .init = begin, .fini = end)
{
    thaw_parameter *weight = find("dense1.weight");
    const size_t count = thaw_shape_count(thaw_parameter_shape(weight));
    float *values = thaw_parameter_edit(weight);
    for (size_t i = 0; i < count; i += 3)
        values[i] = 0;
    const double before = loss_of(4);
    assert_ok(context, thaw_mask(model, "dense1", NULL));
    cr_assert_eq(loss_of(4), before);
    step(5);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(thaw_parameter_data(weight)[i] == 0, i % 3 == 0, "element %zu", i);
    const double trained = loss_of(4);
    assert_ok(context, thaw_merge(model, "dense1"));
    cr_assert_eq(loss_of(4), trained);
}

Test(mask, refuses_other_values_and_shapes, .init = begin, .fini = end)
{
    const float values[11] = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0.5F };
    assert_fails(context, thaw_mask(model, "dense1", &(thaw_tensor){ THAW_F32, { 2, { 11, 1 } }, (void *)values }),
                 THAW_INVALID_ARGUMENT, "element 10");
    assert_fails(context, thaw_mask(model, "dense1", &(thaw_tensor){ THAW_F32, { 1, { 10 } }, (void *)values }),
                 THAW_SHAPE_MISMATCH, "[10]");
    assert_fails(context, thaw_mask(model, "dense1", &(thaw_tensor){ THAW_I32, { 2, { 11, 1 } }, (void *)values }),
                 THAW_INVALID_ARGUMENT, "floats or bytes");
    cr_assert_null(thaw_parameter_binding(find("dense1.weight")));
    assert_ok(context, thaw_mask(model, "dense1", &(thaw_tensor){ THAW_F32, { 2, { 10 + 1, 1 } }, (float[11]){ 1 } }));
    step(1);
}

Test(freeze_slice, keeps_the_bytes_of_rows_and_channels)
{
    for (size_t k = 0; k < THAW_COUNT(optimizers); k++) {
        begin();
        support_optimize(model, optimizers[k]);
        step(3);
        assert_ok(context, thaw_freeze_slice(model, "dense1|dense2", 0, 1, 4));
        assert_ok(context, thaw_freeze_slice(model, "conv2.weight", 1, 2, 3));
        assert_ok(context, thaw_freeze_slice(model, "conv2.weight", 0, 0, 1));
        cr_assert_eq(thaw_parameter_trainability(find("conv2.weight")), THAW_PARTIAL);
        float *dense = copy_of("dense1.weight"), *bias = copy_of("dense1.bias"), *conv = copy_of("conv2.weight");
        step(10);
        const size_t inputs = (size_t)thaw_parameter_shape(find("dense1.weight"))->dims[1];
        const float *now = thaw_parameter_data(find("dense1.weight"));
        cr_assert_eq(memcmp(now + inputs, dense + inputs, 3 * inputs * sizeof *now), 0, "%s", optimizers[k]);
        cr_assert_neq(memcmp(now, dense, inputs * sizeof *now), 0);
        cr_assert_neq(memcmp(now + 4 * inputs, dense + 4 * inputs, 7 * inputs * sizeof *now), 0);
        cr_assert_eq(count_moved("dense1.bias", bias), 11 - 3);
        now = thaw_parameter_data(find("conv2.weight"));
        const float *gradient = thaw_parameter_gradient(find("conv2.weight"));
        size_t reached = 0;
        for (size_t i = 0; i < 5 * 3 * 9; i++) {
            const bool frozen = i / 9 % 3 == 2 || i / 27 == 0;
            cr_assert(!frozen || (now[i] == conv[i] && gradient[i] == 0), "%s: element %zu", optimizers[k], i);
            reached += !frozen && gradient[i] != 0;
        }
        cr_assert_geq(reached, 18, "%zu elements have a gradient", reached);
        free(dense);
        free(bias);
        free(conv);
        end();
    }
}

static void note_warning(void *user, thaw_log_level level, const char *message)
{
    if (level == THAW_LOG_WARNING)
        *(bool *)user = *(bool *)user || strstr(message, "dense1.bias") != NULL;
}

Test(freeze_slice, freezes_what_is_sliced_to_the_last_element_and_says_so)
{
    bool warned = false;
    assert_ok(NULL, thaw_context_create(&(thaw_context_options){ .threads = 1,
                                                                 .max_cpu = support_max_cpu(),
                                                                 .log = note_warning,
                                                                 .log_user = &warned },
                                        &context));
    model = support_network(context, false);
    support_optimize(model, "sgd");
    assert_ok(context, thaw_freeze_slice(model, "dense1.bias", 0, 0, 7));
    cr_assert(!warned);
    assert_ok(context, thaw_freeze_slice(model, "dense1.bias", 0, 7, 11));
    cr_assert(warned);
    cr_assert(!thaw_parameter_trainable(find("dense1.bias")));
    assert_ok(context, thaw_model_unfreeze(model, "dense1.bias"));
    cr_assert_eq(thaw_parameter_trainability(find("dense1.bias")), THAW_TRAINABLE);
    assert_ok(context, thaw_freeze_slice(model, "dense1.bias", 0, 2, 3));
    assert_ok(context, thaw_unfreeze_slice(model, "dense1.bias", 0, 1, 11));
    cr_assert_eq(thaw_parameter_trainability(find("dense1.bias")), THAW_TRAINABLE);
    assert_fails(context, thaw_freeze_slice(model, "dense1", 0, 3, 12), THAW_INVALID_ARGUMENT, "3 to 12");
    assert_fails(context, thaw_freeze_slice(model, "dense1", 0, 3, 3), THAW_INVALID_ARGUMENT, "3 to 3");
    assert_fails(context, thaw_freeze_slice(model, "dense1", 1, 0, 1), THAW_INVALID_ARGUMENT, "axis is 1");
    cr_assert_eq(thaw_parameter_trainability(find("dense1.weight")), THAW_TRAINABLE);
    end();
}

/* ---- memory that runs out ---- */

static thaw_status add_low_rank(void)
{
    return thaw_lora(model, "dense*", 1, 1);
}

static thaw_status add_scaling(void)
{
    return thaw_scale_adapter(model, "conv*|dense2", 1);
}

static thaw_status add_masks(void)
{
    return thaw_mask(model, "dense*", NULL);
}

static thaw_status freeze_rows(void)
{
    return thaw_freeze_slice(model, "dense*", 0, 1, 3);
}

static thaw_status merge_all(void)
{
    return thaw_merge(model, "*");
}

/* Calls with one more allocation before the first that fails, until there are none; whatever fails has changed
   nothing. */
static void survive(support_allocator *allocator, thaw_status (*call)(void), size_t least)
{
    const size_t parameters = thaw_model_parameter_count(model), groups = thaw_model_group_count(model);
    const double before = loss_of(1);
    for (size_t failures = 0;; failures++) {
        const bool bound = thaw_parameter_binding(find("dense1.weight")) != NULL;
        allocator->fail_at = allocator->calls + failures + 1;
        const thaw_status status = call();
        allocator->fail_at = 0;
        if (status == THAW_OK) {
            cr_assert_geq(failures, least, "%zu failures", failures);
            break;
        }
        cr_assert_eq(status, THAW_OUT_OF_MEMORY);
        cr_assert_eq(thaw_model_parameter_count(model), parameters);
        cr_assert_eq(thaw_model_group_count(model), groups);
        cr_assert_eq(thaw_parameter_binding(find("dense1.weight")) != NULL, bound);
        cr_assert_eq(thaw_parameter_trainability(find("dense2.bias")), THAW_TRAINABLE);
        cr_assert_eq(loss_of(1), before);
    }
    cr_assert(fabs(loss_of(1) - before) < 1e-6);
}

Test(adapters, leave_nothing_when_memory_runs_out)
{
    support_allocator allocator = { 0 };
    context = support_context_on(&allocator);
    model = support_network(context, false);
    support_optimize(model, "sgd");
    survive(&allocator, add_low_rank, 20);
    survive(&allocator, add_scaling, 10);
    survive(&allocator, add_masks, 6);
    survive(&allocator, merge_all, 4);
    survive(&allocator, freeze_rows, 4);
    end();
    cr_assert_eq(allocator.live, 0);
}
