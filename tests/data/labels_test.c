/* The labels of all samples, and how many each class has. */
#include <string.h>

#include "data/dataset.h"
#include "data/numbers.h"
#include "support/support.h"

static const float inputs[6] = { 0, 1, 2, 3, 4, 5 };
static const int32_t labels[6] = { 2, 0, 2, 2, 1, 0 };

Test(labels, classes_are_counted)
{
    thaw_context *context = support_context(1);
    const thaw_tensor x = thaw_view_f32(inputs, 2, (const int64_t[]){ 6, 1 });
    const thaw_tensor y = thaw_view_i32(labels, 1, (const int64_t[]){ 6 });
    thaw_dataset *dataset, *selected;
    size_t counts[4] = { 9, 9, 9, 9 };
    assert_ok(context, thaw_dataset_from_arrays(context, &x, &y, 4, &dataset));
    assert_ok(context, thaw_dataset_count_classes(dataset, counts));
    cr_assert(counts[0] == 2 && counts[1] == 1 && counts[2] == 3 && counts[3] == 0);
    assert_ok(context, thaw_dataset_select(context, dataset,
                                           &(thaw_dataset_selection){ .first_class = 1, .last_class = 2, .repeat = 2 },
                                           &selected));
    assert_ok(context, thaw_dataset_count_classes(selected, counts));
    cr_assert(counts[0] == 2 && counts[1] == 6);
    thaw_dataset_destroy(selected);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

/* A source of the caller's has no array of labels: it is read, in several parts. */
Test(labels, a_source_is_read_for_them)
{
    enum { SAMPLES = 150 };
    numbers source = { .count = SAMPLES };
    thaw_context *context = support_context(1);
    thaw_dataset *dataset = numbers_open(context, &source);
    int32_t found[SAMPLES];
    size_t counts[4];
    assert_ok(context, thaw_dataset_collect_labels(dataset, found));
    for (int32_t i = 0; i < SAMPLES; i++)
        cr_assert_eq(found[i], i % 4);
    assert_ok(context, thaw_dataset_count_classes(dataset, counts));
    cr_assert(counts[0] == 38 && counts[1] == 38 && counts[2] == 37 && counts[3] == 37);
    source.fails = true;
    source.fails_at = 149;
    assert_fails(context, thaw_dataset_count_classes(dataset, counts), THAW_IO_ERROR, "the needle jumps");
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(labels, numbers_have_no_classes)
{
    thaw_context *context = support_context(1);
    const thaw_tensor x = thaw_view_f32(inputs, 2, (const int64_t[]){ 6, 1 });
    thaw_dataset *dataset;
    size_t count;
    assert_ok(context, thaw_dataset_from_arrays(context, &x, &x, 0, &dataset));
    cr_assert_eq(thaw_dataset_task(dataset), THAW_TASK_REGRESSION);
    cr_assert_eq(thaw_dataset_target_shape(dataset)->dims[0], 1);
    assert_fails(context, thaw_dataset_count_classes(dataset, &count), THAW_INVALID_ARGUMENT, "it has no labels");
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
