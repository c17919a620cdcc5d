/* Elements of a parameter that keep their bytes: masked ones, and slices. */
#include <stdlib.h>
#include <string.h>

#include "graph/adapted_network.h"
#include "support/max_cpu.h"

static const char *const optimizers[] = {
    "sgd:lr=0.1,weight_decay=0.1",
    "sgd:lr=0.1,momentum=0.9,weight_decay=0.1,nesterov=1",
    "adam:lr=0.01,weight_decay=0.1,amsgrad=1",
    "adamw:lr=0.01,weight_decay=0.1",
    "rmsprop:lr=0.01,weight_decay=0.1,momentum=0.9,centered=1",
    "adan:lr=0.01,weight_decay=0.1",
    "lamb:lr=0.01,weight_decay=0.1",
    "prodigy:d0=1e-3,weight_decay=0.1",
    "lookahead:k=2/adamw:lr=0.01",
};

static bool is_masked(size_t index)
{
    return index % 5 == 0 || (index > 700 && index < 1400);
}

Test(mask, masked_elements_keep_their_bytes)
{
    for (size_t k = 0; k < THAW_COUNT(optimizers); k++) {
        adapted_begin();
        support_optimize(adapted_model, optimizers[k]);
        adapted_step(3); /* so that there is momentum */
        thaw_parameter *weight = adapted_find("dense1.weight");
        const size_t count = thaw_shape_count(thaw_parameter_shape(weight));
        unsigned char *mask = malloc(count);
        size_t free_count = 0;
        for (size_t i = 0; i < count; i++)
            free_count += mask[i] = !is_masked(i);
        assert_ok(adapted_context, thaw_mask(adapted_model, "dense1.weight",
                                             &(thaw_tensor){ THAW_U8, *thaw_parameter_shape(weight), mask }));
        float *before = adapted_copy("dense1.weight");
        for (uint32_t i = 0; i < 10; i++)
            assert_ok(adapted_context,
                      support_step(adapted_model, ADAPTED_BATCH, i, &(thaw_step_options){ .clip_norm = 0.5 }, NULL));
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
        adapted_end();
    }
}

Test(mask, keeps_zeros_where_there_are_some, .init = adapted_begin, .fini = adapted_end)
{
    thaw_parameter *weight = adapted_find("dense1.weight");
    const size_t count = thaw_shape_count(thaw_parameter_shape(weight));
    float *values = thaw_parameter_edit(weight);
    for (size_t i = 0; i < count; i += 3)
        values[i] = 0;
    const double before = adapted_loss(4);
    assert_ok(adapted_context, thaw_mask(adapted_model, "dense1", NULL));
    cr_assert_eq(adapted_loss(4), before);
    adapted_step(5);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(thaw_parameter_data(weight)[i] == 0, i % 3 == 0, "element %zu", i);
    const double trained = adapted_loss(4);
    assert_ok(adapted_context, thaw_merge(adapted_model, "dense1"));
    cr_assert_eq(adapted_loss(4), trained);
}

Test(mask, refuses_other_values_and_shapes, .init = adapted_begin, .fini = adapted_end)
{
    const float values[11] = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0.5F };
    assert_fails(adapted_context,
                 thaw_mask(adapted_model, "dense1", &(thaw_tensor){ THAW_F32, { 2, { 11, 1 } }, (void *)values }),
                 THAW_INVALID_ARGUMENT, "element 10");
    assert_fails(adapted_context,
                 thaw_mask(adapted_model, "dense1", &(thaw_tensor){ THAW_F32, { 1, { 10 } }, (void *)values }),
                 THAW_SHAPE_MISMATCH, "[10]");
    assert_fails(adapted_context,
                 thaw_mask(adapted_model, "dense1", &(thaw_tensor){ THAW_I32, { 2, { 11, 1 } }, (void *)values }),
                 THAW_INVALID_ARGUMENT, "floats or bytes");
    cr_assert_null(thaw_parameter_binding(adapted_find("dense1.weight")));
    assert_ok(adapted_context,
              thaw_mask(adapted_model, "dense1", &(thaw_tensor){ THAW_F32, { 2, { 10 + 1, 1 } }, (float[11]){ 1 } }));
    adapted_step(1);
}

Test(freeze_slice, keeps_the_bytes_of_rows_and_channels)
{
    for (size_t k = 0; k < THAW_COUNT(optimizers); k++) {
        adapted_begin();
        support_optimize(adapted_model, optimizers[k]);
        adapted_step(3);
        assert_ok(adapted_context, thaw_freeze_slice(adapted_model, "dense1|dense2", 0, 1, 4));
        assert_ok(adapted_context, thaw_freeze_slice(adapted_model, "conv2.weight", 1, 2, 3));
        assert_ok(adapted_context, thaw_freeze_slice(adapted_model, "conv2.weight", 0, 0, 1));
        cr_assert_eq(thaw_parameter_trainability(adapted_find("conv2.weight")), THAW_PARTIAL);
        float *dense = adapted_copy("dense1.weight"), *bias = adapted_copy("dense1.bias"),
              *conv = adapted_copy("conv2.weight");
        adapted_step(10);
        const size_t inputs = (size_t)thaw_parameter_shape(adapted_find("dense1.weight"))->dims[1];
        const float *now = thaw_parameter_data(adapted_find("dense1.weight"));
        cr_assert_eq(memcmp(now + inputs, dense + inputs, 3 * inputs * sizeof *now), 0, "%s", optimizers[k]);
        cr_assert_neq(memcmp(now, dense, inputs * sizeof *now), 0);
        cr_assert_neq(memcmp(now + 4 * inputs, dense + 4 * inputs, 7 * inputs * sizeof *now), 0);
        cr_assert_eq(adapted_count_moved("dense1.bias", bias), 11 - 3);
        now = thaw_parameter_data(adapted_find("conv2.weight"));
        const float *gradient = thaw_parameter_gradient(adapted_find("conv2.weight"));
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
        adapted_end();
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
                                        &adapted_context));
    adapted_model = support_network(adapted_context, false);
    support_optimize(adapted_model, "sgd");
    assert_ok(adapted_context, thaw_freeze_slice(adapted_model, "dense1.bias", 0, 0, 7));
    cr_assert(!warned);
    assert_ok(adapted_context, thaw_freeze_slice(adapted_model, "dense1.bias", 0, 7, 11));
    cr_assert(warned);
    cr_assert(!thaw_parameter_trainable(adapted_find("dense1.bias")));
    assert_ok(adapted_context, thaw_model_unfreeze(adapted_model, "dense1.bias"));
    cr_assert_eq(thaw_parameter_trainability(adapted_find("dense1.bias")), THAW_TRAINABLE);
    assert_ok(adapted_context, thaw_freeze_slice(adapted_model, "dense1.bias", 0, 2, 3));
    assert_ok(adapted_context, thaw_unfreeze_slice(adapted_model, "dense1.bias", 0, 1, 11));
    cr_assert_eq(thaw_parameter_trainability(adapted_find("dense1.bias")), THAW_TRAINABLE);
    assert_fails(adapted_context, thaw_freeze_slice(adapted_model, "dense1", 0, 3, 12), THAW_INVALID_ARGUMENT,
                 "3 to 12");
    assert_fails(adapted_context, thaw_freeze_slice(adapted_model, "dense1", 0, 3, 3), THAW_INVALID_ARGUMENT, "3 to 3");
    assert_fails(adapted_context, thaw_freeze_slice(adapted_model, "dense1", 1, 0, 1), THAW_INVALID_ARGUMENT,
                 "axis is 1");
    cr_assert_eq(thaw_parameter_trainability(adapted_find("dense1.weight")), THAW_TRAINABLE);
    adapted_end();
}
