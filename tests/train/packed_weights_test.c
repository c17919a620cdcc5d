/* Frozen weights that exist only in packed form: they leave memory, and everyone who reads them gets the same bits. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "graph/model.h"
#include "params/keeping.h"
#include "support/files.h"
#include "train/packed_network.h"

Test(packed_weights, leave_memory_once_packed_and_are_the_same_when_asked_for)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context), *untouched = packed_build(context);
    packed_step(model, PACKED_BATCH, 1);
    packed_assert_absent(model, true);
    for (size_t i = 0; i < PACKED_LARGE; i++) {
        thaw_parameter *parameter = thaw_model_find_parameter(model, packed_large[i]);
        const float *wanted = thaw_parameter_data(thaw_model_find_parameter(untouched, packed_large[i]));
        float some[100];
        for (size_t first = 0; first + 100 <= parameter->count; first += parameter->count / 7) {
            thaw_parameter_read(parameter, first, 100, some);
            cr_assert(memcmp(some, wanted + first, sizeof some) == 0, "%s from %zu on", packed_large[i], first);
        }
        cr_assert_eq(packed_resident_pages(parameter), 0);
        cr_assert(memcmp(thaw_parameter_data(parameter), wanted, parameter->count * sizeof(float)) == 0, "%s",
                  packed_large[i]);
    }
    packed_destroy(model, untouched);
}

Test(packed_weights, stay_where_the_host_has_a_pointer)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context);
    const thaw_parameter *held = thaw_model_find_parameter(model, "conv1.weight");
    const float *values = thaw_parameter_data(held);
    float before[8], now[8];
    memcpy(before, values + 1000, sizeof before);
    packed_step(model, PACKED_BATCH, 1);
    packed_predict(model, 3, (float[3 * PACKED_CLASSES]){ 0 });
    memcpy(now, values + 1000, sizeof now);
    cr_assert(memcmp(before, now, sizeof now) == 0);
    cr_assert_not(held->absent);
    cr_assert(thaw_model_find_parameter(model, "conv2.weight")->absent);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Values whose scaling cannot be undone, or only just. */
Test(packed_weights, survive_values_and_scales_of_all_kinds)
{
    static const float odd[] = { 0,      -0.0F,   0x1p-149F, -0x1p-130F,    FLT_MIN,      0x1.fffffep-100F,
                                 1e-30F, FLT_MAX, -FLT_MAX,  0x1.000002p0F, 0x1.fffffep0F };
    static const float scales[] = { 0, -0.0F, 1, -1, 3, 1.0F / 3, -1e-20F, 1e20F, FLT_MIN, 0x1p-140F, FLT_MAX, 0.7F };
    thaw_context *context = support_context(2);
    thaw_model *models[2];
    for (int i = 0; i < 2; i++) {
        models[i] = packed_build(context);
        float *weight = thaw_parameter_edit(thaw_model_find_parameter(models[i], "conv1.weight"));
        for (size_t k = 0; k < PACKED_FILTERS * PACKED_CHANNELS * 25; k++)
            if (k % 5 == 0 && k / (PACKED_CHANNELS * 25) % 4 != 3)
                weight[k] = odd[k / 5 % THAW_COUNT(odd)];
        float *scale = thaw_parameter_edit(thaw_model_find_parameter(models[i], "norm1.weight"));
        for (size_t k = 0; k < PACKED_FILTERS; k += 2)
            scale[k] = scales[k / 2 % THAW_COUNT(scales)];
        for (size_t k = 0; k < PACKED_FILTERS; k++) /* an ordinary scale, but 0 in every ninth row */
            thaw_parameter_edit(thaw_model_find_parameter(models[i], "norm2.weight"))[k] = k % 9 ? 1.7F : 0;
    }
    packed_predict(models[0], PACKED_BATCH, (float[PACKED_BATCH * PACKED_CLASSES]){ 0 });
    packed_assert_same(models[0], models[1]);
    for (int i = 0; i < 3; i++)
        thaw_parameter_data(thaw_model_find_parameter(models[0], packed_large[i]));
    packed_assert_same(models[0], models[1]);
    packed_destroy(models[0], models[1]);
}

/* A weight that was packed with the old scale must not be restored with the new one. */
Test(packed_weights, are_packed_again_when_their_scale_changes)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context), *fresh = packed_build(context);
    float found[PACKED_BATCH * PACKED_CLASSES], wanted[PACKED_BATCH * PACKED_CLASSES];
    packed_predict(model, PACKED_BATCH, found);
    support_fill(thaw_parameter_edit(thaw_model_find_parameter(model, "norm1.weight")), PACKED_FILTERS, 99);
    support_fill(thaw_parameter_edit(thaw_model_find_parameter(fresh, "norm1.weight")), PACKED_FILTERS, 99);
    packed_predict(model, PACKED_BATCH, found);
    packed_predict(fresh, PACKED_BATCH, wanted);
    cr_assert(memcmp(found, wanted, sizeof found) == 0);
    packed_assert_absent(model, true);
    packed_assert_same(model, fresh);
    packed_destroy(model, fresh);
}

Test(packed_weights, are_counted_by_the_plan)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context);
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = PACKED_BATCH }, &plan));
    size_t bytes = 0;
    for (size_t i = 0; i < thaw_plan_saving_count(plan); i++) {
        thaw_plan_saving row;
        assert_ok(context, thaw_plan_saving_at(plan, i, &row));
        bytes += strcmp(row.pass, "weights") == 0 ? row.bytes : 0;
    }
    cr_assert_eq(bytes,
                 (PACKED_FILTERS * (PACKED_CHANNELS + PACKED_FILTERS / 2) * 25 + 600 * PACKED_FILTERS) * sizeof(float),
                 "%zu bytes", bytes);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Freezes and thaws in both models; in `pinned` the host has a pointer to all values, so that none ever leaves. */
Test(packed_weights, train_like_weights_that_never_left)
{
    static const char *const first_trained[] = { "head", "conv2", "dense", "conv1", "head", "norm2", "head" };
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context), *pinned = packed_build(context);
    for (size_t i = 0; i < thaw_model_parameter_count(pinned); i++)
        thaw_parameter_data(thaw_model_parameter(pinned, i));
    for (uint32_t i = 0; i < THAW_COUNT(first_trained); i++) {
        assert_ok(context, thaw_model_freeze_before(model, first_trained[i]));
        assert_ok(context, thaw_model_freeze_before(pinned, first_trained[i]));
        for (uint32_t k = 0; k < 3; k++) {
            const float loss = packed_step(model, PACKED_BATCH - k % 2, 10 * i + k),
                        wanted = packed_step(pinned, PACKED_BATCH - k % 2, 10 * i + k);
            cr_assert(loss == wanted, "from %s: step %u: %.9g, wanted %.9g", first_trained[i], k, (double)loss,
                      (double)wanted);
        }
    }
    packed_assert_absent(model, true);
    packed_assert_same(model, pinned);
    packed_destroy(model, pinned);
}

/* A frozen layer above trained ones: it has a second copy, for backward. */
Test(packed_weights, leave_inside_the_live_part)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context), *pinned = packed_build(context);
    thaw_parameter_data(thaw_model_find_parameter(pinned, "conv2.weight"));
    for (int i = 0; i < 2; i++) {
        thaw_model *changed = i ? pinned : model;
        assert_ok(context, thaw_model_unfreeze(changed, "conv1|norm1"));
    }
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(packed_step(model, PACKED_BATCH, i), packed_step(pinned, PACKED_BATCH, i));
    cr_assert(thaw_model_find_parameter(model, "conv2.weight")->absent);
    cr_assert_not(thaw_model_find_parameter(model, "conv1.weight")->absent);
    packed_assert_same(model, pinned);
    packed_destroy(model, pinned);
}

/* Their layers pack in each step. Prediction packs once, and lets go of them until the next step. */
Test(packed_weights, stay_beside_a_bias_that_trains)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context), *pinned = packed_build(context);
    for (size_t i = 0; i < thaw_model_parameter_count(pinned); i++)
        thaw_parameter_data(thaw_model_parameter(pinned, i));
    assert_ok(context, thaw_model_unfreeze(model, "*.bias"));
    assert_ok(context, thaw_model_unfreeze(pinned, "*.bias"));
    for (uint32_t i = 0; i < 4; i++) {
        float scores[2][PACKED_BATCH * PACKED_CLASSES];
        const float loss = packed_step(model, PACKED_BATCH, i), wanted = packed_step(pinned, PACKED_BATCH, i);
        cr_assert(loss == wanted, "step %u: %.9g, wanted %.9g", i, (double)loss, (double)wanted);
        if (i % 2 == 0)
            continue;
        packed_predict(model, PACKED_BATCH, scores[0]);
        packed_predict(pinned, PACKED_BATCH, scores[1]);
        cr_assert_arr_eq(scores[0], scores[1], sizeof scores[0]);
    }
    packed_assert_same(model, pinned);
    packed_destroy(model, pinned);
}

/* More plans than a model remembers, each with a copy of its own. */
Test(packed_weights, outlive_the_plan_that_keeps_them)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context), *untouched = packed_build(context);
    for (int64_t batch = 1; batch <= 10; batch++)
        packed_predict(model, batch, (float[10 * PACKED_CLASSES]){ 0 });
    packed_assert_absent(model, true);
    packed_assert_same(model, untouched);
    packed_destroy(model, untouched);
}

static size_t save(thaw_model *model, const char *path, char *bytes, size_t capacity)
{
    assert_ok(thaw_model_context(model), thaw_weights_save(model, path));
    const long length = support_read_file(path, bytes, capacity);
    cr_assert(length > 0 && (size_t)length <= capacity);
    return (size_t)length;
}

Test(packed_weights, are_saved_from_where_they_are)
{
    enum { CAPACITY = 1 << 22 };
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context);
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    char *before = malloc(CAPACITY), *after = malloc(CAPACITY);
    support_make_directory(directory);
    support_path(path, directory, "weights.safetensors");
    const size_t bytes = save(model, path, before, CAPACITY);
    packed_predict(model, PACKED_BATCH, (float[PACKED_BATCH * PACKED_CLASSES]){ 0 });
    packed_assert_absent(model, true);
    cr_assert_eq(save(model, path, after, CAPACITY), bytes);
    cr_assert(memcmp(before, after, bytes) == 0);
    packed_assert_absent(model, true);
    support_remove_directory(directory);
    free(before);
    free(after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Expressions and merges read the stored tensor; a reset writes it. */
Test(packed_weights, take_part_in_expressions)
{
    thaw_context *context = support_context(2);
    thaw_model *model = packed_build(context), *untouched = packed_build(context);
    float *values[2];
    for (int i = 0; i < 2; i++) {
        thaw_model *changed = i ? untouched : model;
        if (!i)
            packed_predict(model, PACKED_BATCH, (float[PACKED_BATCH * PACKED_CLASSES]){ 0 });
        thaw_parameter *parameter = thaw_model_find_parameter(changed, "dense.weight");
        thaw_expression *stored, *doubled;
        assert_ok(context, thaw_expression_of(changed, parameter, &stored));
        assert_ok(context, thaw_expression_add(stored, stored, &doubled));
        values[i] = malloc(parameter->count * sizeof(float));
        assert_ok(context, thaw_expression_evaluate(doubled, &(thaw_tensor){ THAW_F32, parameter->shape, values[i] }));
        if (i)
            cr_assert(memcmp(values[0], values[1], parameter->count * sizeof(float)) == 0);
        if (!i)
            packed_predict(model, PACKED_BATCH, (float[PACKED_BATCH * PACKED_CLASSES]){ 0 });
        assert_ok(context, thaw_parameter_bind(changed, parameter, doubled));
        assert_ok(context, thaw_merge(changed, "dense.weight"));
        if (!i)
            packed_predict(model, PACKED_BATCH, (float[PACKED_BATCH * PACKED_CLASSES]){ 0 });
        assert_ok(context, thaw_model_reset(changed, "conv1"));
    }
    packed_assert_same(model, untouched);
    free(values[0]);
    free(values[1]);
    packed_destroy(model, untouched);
}
