/* Training data of which a part is held out. */
#include <string.h>

#include "data/held_out.h"
#include "support/support.h"

enum { COUNT = 60, CLASSES = 4, VALUES = 2 };

static int32_t labels[COUNT];

/* Sample i is (i, -i). Of class 0 there are 30, of class 1 20, of class 2 9, and of class 3 one. */
static thaw_dataset *numbers(thaw_context *context)
{
    static float values[VALUES * COUNT];
    for (int i = 0; i < COUNT; i++) {
        values[VALUES * i] = (float)i;
        values[VALUES * i + 1] = -(float)i;
        labels[i] = i == 41 ? 3 : i % 2 == 0 ? 0 : i % 3 == 0 && i < 55 ? 2 : 1;
    }
    const thaw_tensor inputs = thaw_view_f32(values, 2, (const int64_t[]){ COUNT, VALUES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ COUNT });
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, CLASSES, &dataset));
    return dataset;
}

/* How often each sample of the whole is in the data set, and that its label is right. */
static void count(thaw_context *context, thaw_dataset *dataset, unsigned counts[COUNT])
{
    memset(counts, 0, COUNT * sizeof *counts);
    for (size_t i = 0; i < thaw_dataset_count(dataset); i++) {
        float sample[VALUES];
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, &label));
        cr_assert_eq(sample[0], -sample[1]);
        cr_assert_eq(label, labels[(int)sample[0]]);
        counts[(int)sample[0]]++;
    }
}

Test(held_out, no_sample_is_in_both_parts)
{
    thaw_context *context = support_context(1);
    thaw_dataset *whole = numbers(context), *rest, *held, *again, *other;
    unsigned kept[COUNT], out[COUNT], of_class[CLASSES] = { 0 }, size[CLASSES] = { 0 };
    assert_ok(context, thaw_dataset_hold_out(context, whole, 0.25, 3, &rest, &held));
    count(context, rest, kept);
    count(context, held, out);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(kept[i] + out[i], 1, "sample %d", i);
        of_class[labels[i]] += out[i];
        size[labels[i]]++;
    }
    for (int c = 0; c < CLASSES - 1; c++)
        cr_assert(of_class[c] >= 1 && 4 * of_class[c] + 2 >= size[c] && 4 * of_class[c] <= size[c] + 2, "class %d: %u",
                  c, of_class[c]);
    cr_assert_eq(of_class[3], 0);
    assert_ok(context, thaw_dataset_hold_out(context, whole, 0.25, 3, &again, &other));
    unsigned same[COUNT];
    count(context, other, same);
    cr_assert_arr_eq(out, same, sizeof out);
    thaw_dataset_destroy(again);
    thaw_dataset_destroy(other);
    assert_ok(context, thaw_dataset_hold_out(context, whole, 0.25, 4, &again, &other));
    count(context, other, same);
    cr_assert_arr_neq(out, same, sizeof out);
    thaw_dataset_destroy(again);
    thaw_dataset_destroy(other);
    thaw_dataset_destroy(rest);
    thaw_dataset_destroy(held);
    thaw_dataset_destroy(whole);
    thaw_context_destroy(context);
}

Test(held_out, a_repeated_sample_is_in_one_part)
{
    thaw_context *context = support_context(1);
    thaw_dataset *whole = numbers(context), *repeated, *rest, *held;
    unsigned kept[COUNT], out[COUNT];
    assert_ok(context,
              thaw_dataset_select(context, whole, &(thaw_dataset_selection){ .last_class = CLASSES - 1, .repeat = 3 },
                                  &repeated));
    assert_ok(context, thaw_dataset_hold_out(context, repeated, 0.5, 1, &rest, &held));
    count(context, rest, kept);
    count(context, held, out);
    for (int i = 0; i < COUNT; i++)
        cr_assert((kept[i] == 3 && out[i] == 0) || (kept[i] == 0 && out[i] == 1), "sample %d", i);
    thaw_dataset_destroy(rest);
    thaw_dataset_destroy(held);
    thaw_dataset_destroy(repeated);
    thaw_dataset_destroy(whole);
    thaw_context_destroy(context);
}

Test(held_out, says_why_not)
{
    thaw_context *context = support_context(1);
    thaw_dataset *whole = numbers(context), *drawn, *one, *rest, *held;
    assert_fails(context, thaw_dataset_hold_out(context, whole, 1, 0, &rest, &held), THAW_INVALID_ARGUMENT,
                 "1 of the samples, must be above 0 and below 1");
    assert_fails(context, thaw_dataset_hold_out(context, whole, 0, 0, &rest, &held), THAW_INVALID_ARGUMENT, "above 0");
    assert_ok(context, thaw_dataset_balance(context, whole, 1, &drawn));
    assert_fails(context, thaw_dataset_hold_out(context, drawn, 0.5, 0, &rest, &held), THAW_INVALID_ARGUMENT,
                 "its samples are drawn");
    assert_ok(context, thaw_dataset_select(context, whole, &(thaw_dataset_selection){ 3, 3, .per_class = 1 }, &one));
    assert_fails(context, thaw_dataset_hold_out(context, one, 0.5, 0, &rest, &held), THAW_INVALID_ARGUMENT,
                 "of 1 samples none can be held out");
    cr_assert(!rest && !held);
    thaw_dataset_destroy(one);
    thaw_dataset_destroy(drawn);
    thaw_dataset_destroy(whole);
    thaw_context_destroy(context);
}
