/* Data sets whose samples have several fields. */
#include <string.h>

#include "support/support.h"

enum { COUNT = 4 };

static const int32_t ids[COUNT * 3] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, 0, 1 << 24 };
static const uint8_t pixels[COUNT * 4] = { 0, 51, 102, 255, 0, 0, 0, 0, 255, 255, 255, 255, 51, 51, 51, 51 };
static const float numbers[COUNT] = { 0.5F, -0.5F, 2, 4 };
static const int32_t labels[COUNT] = { 0, 1, 1, 0 };
static const char *const names[] = { "ids", "image", "number" };

static thaw_tensor input(size_t index)
{
    if (index == 0)
        return thaw_view_i32(ids, 2, (int64_t[]){ COUNT, 3 });
    if (index == 1)
        return (thaw_tensor){ THAW_U8, { 4, { COUNT, 2, 2, 1 } }, (void *)(uintptr_t)pixels };
    return thaw_view_f32(numbers, 1, (int64_t[]){ COUNT });
}

Test(fields, are_read_one_behind_the_other)
{
    thaw_context *context = support_context(1);
    const thaw_tensor inputs[] = { input(0), input(1), input(2) };
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ COUNT });
    thaw_dataset *data = NULL;
    thaw_field field;
    assert_ok(context, thaw_dataset_from_fields(context, inputs, names, 3, &targets, 2, &data));
    cr_assert_eq(thaw_dataset_field_count(data), 3);
    assert_ok(context, thaw_dataset_field_at(data, 0, &field));
    cr_assert_str_eq(field.name, "ids");
    cr_assert_eq(field.dtype, THAW_I32);
    assert_ok(context, thaw_dataset_field_at(data, 1, &field));
    cr_assert_eq(field.dtype, THAW_F32);
    cr_assert(thaw_shape_equal(&field.shape, &(thaw_shape){ 3, { 2, 2, 1 } }));
    assert_ok(context, thaw_dataset_field_at(data, 2, &field));
    cr_assert(thaw_shape_equal(&field.shape, &(thaw_shape){ 1, { 1 } }));
    assert_fails(context, thaw_dataset_field_at(data, 3, &field), THAW_INVALID_ARGUMENT, "field is 3");
    cr_assert(thaw_shape_equal(thaw_dataset_sample_shape(data), &(thaw_shape){ 1, { 8 } }));
    float samples[2 * 8];
    int32_t found[2];
    assert_ok(context, thaw_dataset_read(data, (size_t[]){ 3, 0 }, 2, samples, found));
    const float expected[2 * 8] = { -1, 0, 16777216, 0.2F, 0.2F, 0.2F, 0.2F, 4, 1, 2, 3, 0, 0.2F, 0.4F, 1, 0.5F };
    assert_close(samples, expected, THAW_COUNT(expected), 1e-7, "samples");
    cr_assert_arr_eq(found, ((int32_t[]){ 0, 0 }), sizeof found);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

/* A data set without fields has one, which has no name. */
Test(fields, of_a_single_array_are_one)
{
    thaw_context *context = support_context(1);
    const thaw_tensor inputs = input(1), targets = thaw_view_i32(labels, 1, (int64_t[]){ COUNT });
    thaw_dataset *data = NULL;
    thaw_field field;
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, 2, &data));
    cr_assert_eq(thaw_dataset_field_count(data), 1);
    assert_ok(context, thaw_dataset_field_at(data, 0, &field));
    cr_assert_null(field.name);
    cr_assert(thaw_shape_equal(&field.shape, &(thaw_shape){ 3, { 2, 2, 1 } }));
    thaw_dataset_destroy(data);
    assert_ok(context, thaw_dataset_from_fields(context, &inputs, (const char *[]){ "image" }, 1, &targets, 2, &data));
    assert_ok(context, thaw_dataset_field_at(data, 0, &field));
    cr_assert_str_eq(field.name, "image");
    cr_assert(thaw_shape_equal(thaw_dataset_sample_shape(data), &(thaw_shape){ 3, { 2, 2, 1 } }));
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

/* Names stay with a selection, which has a copy of them. */
Test(fields, stay_with_what_is_made_of_a_data_set)
{
    thaw_context *context = support_context(1);
    char name[] = "number";
    const char *const changing[] = { name };
    const thaw_tensor inputs = input(2), targets = thaw_view_i32(labels, 1, (int64_t[]){ COUNT });
    thaw_dataset *data = NULL, *selected = NULL;
    thaw_field field;
    assert_ok(context, thaw_dataset_from_fields(context, &inputs, changing, 1, &targets, 2, &data));
    name[0] = 'x';
    assert_ok(context, thaw_dataset_select(context, data, &(thaw_dataset_selection){ .per_class = 1 }, &selected));
    assert_ok(context, thaw_dataset_field_at(selected, 0, &field));
    cr_assert_str_eq(field.name, "number");
    thaw_dataset_destroy(selected);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

Test(fields, are_refused_where_they_do_not_fit)
{
    thaw_context *context = support_context(1);
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ COUNT });
    const int32_t beyond[COUNT] = { 0, 0, -(1 << 24) - 1, 0 };
    const thaw_tensor twice[] = { input(0), input(0) };
    const thaw_tensor wide[] = { input(0), thaw_view_i32(beyond, 1, (int64_t[]){ COUNT }) };
    const thaw_tensor shorter[] = { input(0), thaw_view_f32(numbers, 1, (int64_t[]){ COUNT - 1 }) };
    thaw_dataset *data = NULL;
    assert_fails(context, thaw_dataset_from_fields(context, twice, NULL, 0, &targets, 2, &data), THAW_INVALID_ARGUMENT,
                 "there are 0 inputs");
    assert_fails(context, thaw_dataset_from_fields(context, twice, (const char *[]){ "a", "a" }, 2, &targets, 2, &data),
                 THAW_INVALID_ARGUMENT, "fields 0 and 1 are both called \"a\"");
    assert_fails(context, thaw_dataset_from_fields(context, wide, names, 2, &targets, 2, &data), THAW_INVALID_ARGUMENT,
                 "image of sample 2 is -16777217");
    assert_fails(context, thaw_dataset_from_fields(context, shorter, names, 2, &targets, 2, &data), THAW_SHAPE_MISMATCH,
                 "[3] do not match targets of shape [4]");
    cr_assert_null(data);
    thaw_context_destroy(context);
}

static bool read_nothing(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)user, (void)indices, (void)count, (void)samples, (void)targets, (void)message, (void)capacity;
    return true;
}

Test(fields, of_a_source_are_checked)
{
    static const struct {
        thaw_field field;
        const char *message;
    } cases[] = {
        { { "a", THAW_U8, { 1, { 2 } } }, "field 0 must be of f32 or i32" },
        { { "a", THAW_F32, { 1, { 0 } } }, "field 0 has the invalid shape [0]" },
        { { "a", THAW_F32, { 9, { 0 } } }, "field 0 has the invalid shape" },
    };
    thaw_context *context = support_context(1);
    thaw_dataset *data = NULL;
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const thaw_source source = {
            .count = 1, .fields = &cases[i].field, .field_count = 1, .target_dtype = THAW_F32, .read = read_nothing
        };
        assert_fails(context, thaw_dataset_create(context, &source, &data), THAW_INVALID_ARGUMENT, cases[i].message);
    }
    const thaw_source many = { .count = 1,
                               .fields = &cases[0].field,
                               .field_count = THAW_MOST_FIELDS + 1,
                               .target_dtype = THAW_F32,
                               .read = read_nothing };
    assert_fails(context, thaw_dataset_create(context, &many, &data), THAW_INVALID_ARGUMENT, "must have at most 16");
    thaw_context_destroy(context);
}
