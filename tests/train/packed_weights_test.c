/* Frozen weights that exist only in packed form: they leave memory, and everyone who reads them gets the same bits. */
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "graph/model.h"
#include "params/keeping.h"
#include "support/files.h"
#include "support/support.h"

/* With this many filters, the rows of a convolution leave in two parts. */
enum { CHANNELS = 32, FILTERS = 160, SIDE = 6, CLASSES = 4, SAMPLE = SIDE * SIDE * CHANNELS, BATCH = 8 };

/* Weights that are large enough to leave: those of the convolutions, the second of which has two groups, and of a dense
   layer. None is 3x3 with one group, which could not be restored bit-exactly from Winograd's transform. */
static const char *const large[] = { "conv1.weight", "conv2.weight", "dense.weight" };

static void convolve(thaw_model *model, const char *name, const char *norm, int64_t groups, thaw_node *node)
{
    const thaw_conv2d_options options = {
        .name = name, .filters = FILTERS, .kernel = { 5, 5 }, .same = true, .groups = groups, .no_bias = groups == 1
    };
    thaw_context *context = thaw_model_context(model);
    assert_ok(context, thaw_conv2d(model, *node, &options, node));
    assert_ok(context, thaw_batch_norm(model, *node, &(thaw_batch_norm_options){ .name = norm }, node));
    assert_ok(context, thaw_relu(model, *node, NULL, node));
}

/* Frozen up to its head. */
static thaw_model *build(thaw_context *context)
{
    thaw_model *model;
    thaw_node node;
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &node));
    convolve(model, "conv1", "norm1", 1, &node);
    convolve(model, "conv2", "norm2", 2, &node);
    assert_ok(context, thaw_global_average_pool2d(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "dense", .units = 600 }, &node));
    assert_ok(context, thaw_relu(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &node));
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.1,momentum=0.9", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    for (uint32_t i = 0; i < 2; i++) { /* scales of all signs and sizes */
        const char *const scales[] = { "norm1.weight", "norm2.weight" };
        support_fill(thaw_parameter_edit(thaw_model_find_parameter(model, scales[i])), FILTERS, 70 + i);
    }
    assert_ok(context, thaw_model_freeze_before(model, "head"));
    return model;
}

/* Destroys two models and their context. */
static void destroy(thaw_model *model, thaw_model *other)
{
    thaw_context *context = thaw_model_context(model);
    thaw_model_destroy(model);
    thaw_model_destroy(other);
    thaw_context_destroy(context);
}

static float step(thaw_model *model, int64_t batch, uint32_t seed)
{
    float *samples = malloc((size_t)batch * SAMPLE * sizeof *samples);
    int32_t labels[64];
    support_fill(samples, (size_t)batch * SAMPLE, seed);
    for (int64_t i = 0; i < batch; i++)
        labels[i] = (int32_t)((i + seed) % CLASSES);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ batch, SIDE, SIDE, CHANNELS }),
                      targets = thaw_view_i32(labels, 1, &batch);
    thaw_step_result result;
    assert_ok(thaw_model_context(model), thaw_step(model, &inputs, &targets, NULL, &result));
    free(samples);
    return (float)result.loss;
}

static void predict(thaw_model *model, int64_t batch, float *scores)
{
    float *samples = malloc((size_t)batch * SAMPLE * sizeof *samples);
    support_fill(samples, (size_t)batch * SAMPLE, 5);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ batch, SIDE, SIDE, CHANNELS }),
                      outputs = thaw_view_f32(scores, 2, (int64_t[]){ batch, CLASSES });
    assert_ok(thaw_model_context(model), thaw_predict(model, &inputs, &outputs));
    free(samples);
}

/* Pages inside of the parameter's own memory that are in use. */
static size_t resident_pages(const thaw_parameter *parameter)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)parameter->data + page - 1) / page * page;
    const size_t count = ((uintptr_t)(parameter->data + parameter->count) / page * page - first) / page;
    unsigned char in_core[512];
    cr_assert(count > 0 && count <= sizeof in_core);
    cr_assert_eq(mincore((void *)first, count * page, in_core), 0);
    size_t resident = 0;
    for (size_t i = 0; i < count; i++)
        resident += in_core[i] & 1;
    return resident;
}

/* Asserts that the two models have the same values, which are read where they are. */
static void assert_same(const thaw_model *actual, const thaw_model *wanted)
{
    for (size_t i = 0; i < wanted->parameters.parameter_count; i++) {
        const thaw_parameter *a = actual->parameters.parameters[i], *b = wanted->parameters.parameters[i];
        float *values = malloc(2 * a->count * sizeof *values);
        thaw_parameter_read(a, 0, a->count, values);
        thaw_parameter_read(b, 0, b->count, values + a->count);
        cr_assert(memcmp(values, values + a->count, a->count * sizeof *values) == 0, "%s differs", a->name);
        free(values);
    }
}

static void assert_absent(thaw_model *model, bool absent)
{
    for (size_t i = 0; i < THAW_COUNT(large); i++) {
        const thaw_parameter *parameter = thaw_model_find_parameter(model, large[i]);
        cr_assert_eq(parameter->absent, absent, "%s", large[i]);
        if (absent)
            cr_assert_eq(resident_pages(parameter), 0, "%s: %zu pages", large[i], resident_pages(parameter));
    }
}

Test(packed_weights, leave_memory_once_packed_and_are_the_same_when_asked_for)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context), *untouched = build(context);
    step(model, BATCH, 1);
    assert_absent(model, true);
    for (size_t i = 0; i < THAW_COUNT(large); i++) {
        thaw_parameter *parameter = thaw_model_find_parameter(model, large[i]);
        const float *wanted = thaw_parameter_data(thaw_model_find_parameter(untouched, large[i]));
        float some[100];
        for (size_t first = 0; first + 100 <= parameter->count; first += parameter->count / 7) {
            thaw_parameter_read(parameter, first, 100, some);
            cr_assert(memcmp(some, wanted + first, sizeof some) == 0, "%s from %zu on", large[i], first);
        }
        cr_assert_eq(resident_pages(parameter), 0);
        cr_assert(memcmp(thaw_parameter_data(parameter), wanted, parameter->count * sizeof(float)) == 0, "%s",
                  large[i]);
    }
    destroy(model, untouched);
}

Test(packed_weights, stay_where_the_host_has_a_pointer)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    const thaw_parameter *held = thaw_model_find_parameter(model, "conv1.weight");
    const float *values = thaw_parameter_data(held);
    float before[8], now[8];
    memcpy(before, values + 1000, sizeof before);
    step(model, BATCH, 1);
    predict(model, 3, (float[3 * CLASSES]){ 0 });
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
        models[i] = build(context);
        float *weight = thaw_parameter_edit(thaw_model_find_parameter(models[i], "conv1.weight"));
        for (size_t k = 0; k < FILTERS * CHANNELS * 25; k++)
            if (k % 5 == 0 && k / (CHANNELS * 25) % 4 != 3)
                weight[k] = odd[k / 5 % THAW_COUNT(odd)];
        float *scale = thaw_parameter_edit(thaw_model_find_parameter(models[i], "norm1.weight"));
        for (size_t k = 0; k < FILTERS; k += 2)
            scale[k] = scales[k / 2 % THAW_COUNT(scales)];
        for (size_t k = 0; k < FILTERS; k++) /* an ordinary scale, but 0 in every ninth row */
            thaw_parameter_edit(thaw_model_find_parameter(models[i], "norm2.weight"))[k] = k % 9 ? 1.7F : 0;
    }
    predict(models[0], BATCH, (float[BATCH * CLASSES]){ 0 });
    assert_same(models[0], models[1]);
    for (int i = 0; i < 3; i++)
        thaw_parameter_data(thaw_model_find_parameter(models[0], large[i]));
    assert_same(models[0], models[1]);
    destroy(models[0], models[1]);
}

/* A weight that was packed with the old scale must not be restored with the new one. */
Test(packed_weights, are_packed_again_when_their_scale_changes)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context), *fresh = build(context);
    float found[BATCH * CLASSES], wanted[BATCH * CLASSES];
    predict(model, BATCH, found);
    support_fill(thaw_parameter_edit(thaw_model_find_parameter(model, "norm1.weight")), FILTERS, 99);
    support_fill(thaw_parameter_edit(thaw_model_find_parameter(fresh, "norm1.weight")), FILTERS, 99);
    predict(model, BATCH, found);
    predict(fresh, BATCH, wanted);
    cr_assert(memcmp(found, wanted, sizeof found) == 0);
    assert_absent(model, true);
    assert_same(model, fresh);
    destroy(model, fresh);
}

Test(packed_weights, are_counted_by_the_plan)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    size_t bytes = 0;
    for (size_t i = 0; i < thaw_plan_saving_count(plan); i++) {
        thaw_plan_saving row;
        assert_ok(context, thaw_plan_saving_at(plan, i, &row));
        bytes += strcmp(row.pass, "weights") == 0 ? row.bytes : 0;
    }
    cr_assert_eq(bytes, (FILTERS * (CHANNELS + FILTERS / 2) * 25 + 600 * FILTERS) * sizeof(float), "%zu bytes", bytes);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Freezes and thaws in both models; in `pinned` the host has a pointer to all values, so that none ever leaves. */
Test(packed_weights, train_like_weights_that_never_left)
{
    static const char *const first_trained[] = { "head", "conv2", "dense", "conv1", "head", "norm2", "head" };
    thaw_context *context = support_context(2);
    thaw_model *model = build(context), *pinned = build(context);
    for (size_t i = 0; i < thaw_model_parameter_count(pinned); i++)
        thaw_parameter_data(thaw_model_parameter(pinned, i));
    for (uint32_t i = 0; i < THAW_COUNT(first_trained); i++) {
        assert_ok(context, thaw_model_freeze_before(model, first_trained[i]));
        assert_ok(context, thaw_model_freeze_before(pinned, first_trained[i]));
        for (uint32_t k = 0; k < 3; k++) {
            const float loss = step(model, BATCH - k % 2, 10 * i + k), wanted = step(pinned, BATCH - k % 2, 10 * i + k);
            cr_assert(loss == wanted, "from %s: step %u: %.9g, wanted %.9g", first_trained[i], k, (double)loss,
                      (double)wanted);
        }
    }
    assert_absent(model, true);
    assert_same(model, pinned);
    destroy(model, pinned);
}

/* A frozen layer above trained ones: it has a second copy, for backward. */
Test(packed_weights, leave_inside_the_live_part)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context), *pinned = build(context);
    thaw_parameter_data(thaw_model_find_parameter(pinned, "conv2.weight"));
    for (int i = 0; i < 2; i++) {
        thaw_model *changed = i ? pinned : model;
        assert_ok(context, thaw_model_unfreeze(changed, "conv1|norm1"));
    }
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(step(model, BATCH, i), step(pinned, BATCH, i));
    cr_assert(thaw_model_find_parameter(model, "conv2.weight")->absent);
    cr_assert_not(thaw_model_find_parameter(model, "conv1.weight")->absent);
    assert_same(model, pinned);
    destroy(model, pinned);
}

/* More plans than a model remembers, each with a copy of its own. */
Test(packed_weights, outlive_the_plan_that_keeps_them)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context), *untouched = build(context);
    for (int64_t batch = 1; batch <= 10; batch++)
        predict(model, batch, (float[10 * CLASSES]){ 0 });
    assert_absent(model, true);
    assert_same(model, untouched);
    destroy(model, untouched);
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
    thaw_model *model = build(context);
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    char *before = malloc(CAPACITY), *after = malloc(CAPACITY);
    support_make_directory(directory);
    support_path(path, directory, "weights.safetensors");
    const size_t bytes = save(model, path, before, CAPACITY);
    predict(model, BATCH, (float[BATCH * CLASSES]){ 0 });
    assert_absent(model, true);
    cr_assert_eq(save(model, path, after, CAPACITY), bytes);
    cr_assert(memcmp(before, after, bytes) == 0);
    assert_absent(model, true);
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
    thaw_model *model = build(context), *untouched = build(context);
    float *values[2];
    for (int i = 0; i < 2; i++) {
        thaw_model *changed = i ? untouched : model;
        if (!i)
            predict(model, BATCH, (float[BATCH * CLASSES]){ 0 });
        thaw_parameter *parameter = thaw_model_find_parameter(changed, "dense.weight");
        thaw_expression *stored, *doubled;
        assert_ok(context, thaw_expression_of(changed, parameter, &stored));
        assert_ok(context, thaw_expression_add(stored, stored, &doubled));
        values[i] = malloc(parameter->count * sizeof(float));
        assert_ok(context, thaw_expression_evaluate(doubled, &(thaw_tensor){ THAW_F32, parameter->shape, values[i] }));
        if (i)
            cr_assert(memcmp(values[0], values[1], parameter->count * sizeof(float)) == 0);
        if (!i)
            predict(model, BATCH, (float[BATCH * CLASSES]){ 0 });
        assert_ok(context, thaw_parameter_bind(changed, parameter, doubled));
        assert_ok(context, thaw_merge(changed, "dense.weight"));
        if (!i)
            predict(model, BATCH, (float[BATCH * CLASSES]){ 0 });
        assert_ok(context, thaw_model_reset(changed, "conv1"));
    }
    assert_same(model, untouched);
    free(values[0]);
    free(values[1]);
    destroy(model, untouched);
}
