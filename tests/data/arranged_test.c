/* Data sets of some fields of another, in another order. */
#include "data/fields.h"
#include "support/allocator.h"
#include "support/support.h"

enum { SAMPLES = 70 /* more than are read at a time */, IDS = 3 };

static float weights[SAMPLES];
static int32_t ids[SAMPLES][IDS], labels[SAMPLES], lengths[SAMPLES];

static thaw_dataset *open_fields(thaw_context *context)
{
    thaw_dataset *dataset;
    for (int i = 0; i < SAMPLES; i++) {
        weights[i] = (float)i / 4;
        labels[i] = i % 2;
        lengths[i] = 1 + i % IDS;
        for (int k = 0; k < IDS; k++)
            ids[i][k] = 10 * i + k;
    }
    const thaw_tensor inputs[] = {
        { THAW_F32, { 2, { SAMPLES, 1 } }, weights },
        { THAW_I32, { 2, { SAMPLES, IDS } }, ids },
    };
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ SAMPLES });
    assert_ok(context, thaw_dataset_from_fields(context, inputs, (const char *const[]){ "weight", "ids" }, 2, &targets,
                                                2, &dataset));
    return dataset;
}

Test(arranged, fields_come_in_the_wanted_order_and_absent_ones_are_zero)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *from = open_fields(context), *dataset;
    assert_ok(context, thaw_dataset_set_lengths(from, lengths));
    const thaw_field absent[] = { { 0 }, { .name = "types", .dtype = THAW_I32, .shape = { 1, { 2 } } }, { 0 } };
    assert_ok(context, thaw_dataset_arrange(from, (const size_t[]){ 1, THAW_NO_FIELD, 0 }, absent, 3, &dataset));
    cr_assert_eq(thaw_dataset_count(dataset), SAMPLES);
    cr_assert_eq(thaw_dataset_field_count(dataset), 3);
    thaw_field field;
    assert_ok(context, thaw_dataset_field_at(dataset, 1, &field));
    cr_assert_str_eq(field.name, "types");
    size_t indices[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++)
        indices[i] = SAMPLES - 1 - i;
    float samples[SAMPLES][IDS + 2 + 1];
    int32_t found[SAMPLES];
    thaw_dataset_start_epoch(dataset, 1);
    assert_ok(context, thaw_dataset_read(dataset, indices, SAMPLES, samples[0], found));
    for (size_t i = 0; i < SAMPLES; i++) {
        const size_t index = indices[i];
        for (int k = 0; k < IDS; k++)
            cr_assert_eq(samples[i][k], (float)(10 * (int)index + k));
        cr_assert(samples[i][IDS] == 0 && samples[i][IDS + 1] == 0);
        cr_assert_eq(samples[i][IDS + 2], (float)index / 4);
        cr_assert_eq(found[i], (int)index % 2);
    }
    thaw_dataset_destroy(dataset);
    thaw_dataset_destroy(from);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}

Test(arranged, a_failed_read_says_why)
{
    thaw_context *context = support_context(1);
    thaw_dataset *from = open_fields(context), *dataset;
    float sample;
    int32_t label;
    assert_ok(context, thaw_dataset_arrange(from, (const size_t[]){ 0 }, (const thaw_field[]){ { 0 } }, 1, &dataset));
    assert_fails(context, thaw_dataset_read(dataset, &(size_t){ SAMPLES }, 1, &sample, &label), THAW_INVALID_ARGUMENT,
                 "70");
    thaw_dataset_destroy(dataset);
    thaw_dataset_destroy(from);
    thaw_context_destroy(context);
}

static thaw_status arrange_and_destroy(void *user)
{
    thaw_dataset *dataset;
    const thaw_status status =
        thaw_dataset_arrange(user, (const size_t[]){ 1 }, (const thaw_field[]){ { 0 } }, 1, &dataset);
    thaw_dataset_destroy(dataset);
    return status;
}

Test(arranged, runs_out_of_memory_without_a_leak)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *from = open_fields(context);
    cr_assert_geq(support_fail_each(&allocator, arrange_and_destroy, from), 3);
    thaw_dataset_destroy(from);
    thaw_context_destroy(context);
}
