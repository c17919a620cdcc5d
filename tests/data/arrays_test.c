#include <stdio.h>
#include <string.h>

#include "support/support.h"

Test(arrays, bytes_are_divided_by_255_and_floats_are_copied)
{
    thaw_context *context = support_context(1);
    uint8_t bytes[256];
    float floats[256];
    for (int i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        floats[i] = (float)i * 0.37F;
    }
    const int32_t labels[] = { 3, 1 };
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ 2 });
    const thaw_tensor inputs[] = {
        { .dtype = THAW_U8, .shape = { .rank = 3, .dims = { 2, 8, 16 } }, .data = bytes },
        thaw_view_f32(floats, 3, (const int64_t[]){ 2, 8, 16 }),
    };
    for (int kind = 0; kind < 2; kind++) {
        thaw_dataset *dataset;
        assert_ok(context, thaw_dataset_from_arrays(context, &inputs[kind], &targets, 4, &dataset));
        cr_assert_eq(thaw_dataset_count(dataset), 2);
        cr_assert_eq(thaw_dataset_classes(dataset), 4);
        const thaw_shape *shape = thaw_dataset_sample_shape(dataset);
        cr_assert(shape->rank == 2 && shape->dims[0] == 8 && shape->dims[1] == 16);
        float samples[3 * 128];
        int32_t found[3];
        assert_ok(context, thaw_dataset_read(dataset, (const size_t[]){ 1, 0, 1 }, 3, samples, found));
        cr_assert(found[0] == 1 && found[1] == 3 && found[2] == 1);
        for (int i = 0; i < 128; i++) {
            const float first = kind ? floats[i] : (float)i / 255.0F;
            const float second = kind ? floats[128 + i] : (float)(128 + i) / 255.0F;
            cr_assert(samples[128 + i] == first && samples[i] == second && samples[256 + i] == second);
        }
        assert_fails(context, thaw_dataset_read(dataset, (const size_t[]){ 0, 2 }, 2, samples, found),
                     THAW_INVALID_ARGUMENT, "sample is 2, must be below 2");
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(arrays, float_targets_of_any_shape)
{
    thaw_context *context = support_context(1);
    const float inputs[] = { 1, 2, 3 }, values[] = { 10, 11, 20, 21, 30, 31 };
    const thaw_tensor input = thaw_view_f32(inputs, 2, (const int64_t[]){ 3, 1 });
    const thaw_tensor target = thaw_view_f32(values, 2, (const int64_t[]){ 3, 2 });
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_from_arrays(context, &input, &target, 0, &dataset));
    cr_assert_eq(thaw_dataset_classes(dataset), 0);
    float samples[2], targets[4];
    assert_ok(context, thaw_dataset_read(dataset, (const size_t[]){ 2, 0 }, 2, samples, targets));
    cr_assert(samples[0] == 3 && samples[1] == 1);
    cr_assert(targets[0] == 30 && targets[1] == 31 && targets[2] == 10 && targets[3] == 11);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(arrays, what_does_not_go_together_is_refused)
{
    thaw_context *context = support_context(1);
    float floats[4] = { 0 };
    int32_t labels[] = { 0, 1, 2, -1 };
    const thaw_tensor two = thaw_view_f32(floats, 2, (const int64_t[]){ 2, 2 });
    const thaw_tensor four = thaw_view_f32(floats, 1, (const int64_t[]){ 4 });
    const thaw_tensor labels_2 = thaw_view_i32(labels, 1, (const int64_t[]){ 2 });
    const thaw_tensor labels_4 = thaw_view_i32(labels, 1, (const int64_t[]){ 4 });
    const thaw_tensor labels_22 = thaw_view_i32(labels, 2, (const int64_t[]){ 2, 2 });
    const thaw_tensor nothing = { .dtype = THAW_F32, .shape = { .rank = 1, .dims = { 2 } } };
    const thaw_tensor none = thaw_view_f32(floats, 1, (const int64_t[]){ 0 });
    const thaw_tensor deep = { .dtype = THAW_F32, .shape = { .rank = 77, .dims = { 2 } }, .data = floats };
    const struct {
        const char *name;
        const thaw_tensor *inputs, *targets;
        size_t classes;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "counts differ", &two, &labels_4, 3, THAW_SHAPE_MISMATCH, "[2, 2] do not match targets of shape [4]" },
        { "two labels of tokens outside", &two, &labels_22, 2, THAW_INVALID_ARGUMENT,
          "label 2 of sample 1 and label -1 of sample 1 are not in [0, 2)" },
        { "two labels outside", &four, &labels_4, 2, THAW_INVALID_ARGUMENT,
          "label 2 of sample 2 and label -1 of sample 3 are not in [0, 2)" },
        { "labels without classes", &two, &labels_2, 0, THAW_INVALID_ARGUMENT, "targets must be" },
        { "floats with classes", &two, &two, 2, THAW_INVALID_ARGUMENT, "targets must be" },
        { "labels as inputs", &labels_2, &labels_2, 3, THAW_INVALID_ARGUMENT, "inputs must be" },
        { "no data", &nothing, &labels_2, 3, THAW_INVALID_ARGUMENT, "missing" },
        { "no samples", &none, &none, 0, THAW_SHAPE_MISMATCH, "do not match" },
        { "rank out of bounds", &deep, &labels_2, 3, THAW_SHAPE_MISMATCH, "do not match" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_dataset *dataset = (thaw_dataset *)floats;
        const thaw_status status =
            thaw_dataset_from_arrays(context, cases[i].inputs, cases[i].targets, cases[i].classes, &dataset);
        cr_assert_eq(status, cases[i].status, "%s: %s", cases[i].name, thaw_status_name(status));
        cr_assert_not_null(strstr(thaw_context_message(context), cases[i].message), "%s: %s", cases[i].name,
                           thaw_context_message(context));
        cr_assert_null(dataset, "%s", cases[i].name);
    }
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- sources of the caller's */

static bool fail_to_read(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)indices, (void)count, (void)samples, (void)targets;
    if (*(int *)user == 0)
        snprintf(message, capacity, "the tape has come off");
    return false;
}

static void count_release(void *user)
{
    ++*(int *)user;
}

static const thaw_source failing = {
    .count = 5,
    .sample_shape = { .rank = 1, .dims = { 2 } },
    .target_dtype = THAW_I32,
    .classes = 3,
    .read = fail_to_read,
    .release = count_release,
};

Test(source, a_failure_carries_its_reason)
{
    thaw_context *context = support_context(1);
    int released = 0;
    thaw_source source = failing;
    source.user = &released;
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_create(context, &source, &dataset));
    float samples[2];
    int32_t labels[1];
    assert_fails(context, thaw_dataset_read(dataset, (const size_t[]){ 4 }, 1, samples, labels), THAW_IO_ERROR,
                 "the tape has come off");
    released = 1;
    assert_fails(context, thaw_dataset_read(dataset, (const size_t[]){ 4 }, 1, samples, labels), THAW_IO_ERROR,
                 "gave no reason");
    released = 0;
    thaw_dataset_destroy(dataset);
    cr_assert_eq(released, 1);
    thaw_context_destroy(context);
}

static void no_read(thaw_source *source)
{
    source->read = NULL;
}
static void no_samples(thaw_source *source)
{
    source->count = 0;
}
static void zero_dimension(thaw_source *source)
{
    source->sample_shape.dims[0] = 0;
}
static void rank_too_high(thaw_source *source)
{
    source->sample_shape.rank = THAW_MAX_RANK + 1;
}
static void byte_targets(thaw_source *source)
{
    source->target_dtype = THAW_U8;
}
static void labels_without_classes(thaw_source *source)
{
    source->classes = 0;
}
static void floats_with_classes(thaw_source *source)
{
    source->target_dtype = THAW_F32;
}
static void too_many(thaw_source *source)
{
    source->count = SIZE_MAX;
}

Test(source, a_bad_description_is_refused_and_still_released)
{
    static const struct {
        void (*spoil)(thaw_source *source);
        const char *message;
    } cases[] = {
        { no_read, "no read function" },
        { no_samples, "no samples" },
        { zero_dimension, "samples have the invalid shape [0]" },
        { rank_too_high, "samples have the invalid shape" },
        { byte_targets, "targets must be int32" },
        { labels_without_classes, "at least one class" },
        { floats_with_classes, "3 classes, must be 0" },
        { too_many, "overflow" },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        int released = 0;
        thaw_source source = failing;
        source.user = &released;
        cases[i].spoil(&source);
        thaw_dataset *dataset;
        assert_fails(context, thaw_dataset_create(context, &source, &dataset), THAW_INVALID_ARGUMENT, cases[i].message);
        cr_assert_null(dataset);
        cr_assert_eq(released, 1, "case %zu: released %d times", i, released);
    }
    thaw_context_destroy(context);
}
