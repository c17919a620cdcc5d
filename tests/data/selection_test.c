#include <stdio.h>

#include "support/allocator.h"
#include "support/support.h"

/* Sample i is (i, -i); these are the labels. */
static const int32_t labels[] = { 2, 0, 1, 2, 2, 3, 1, 0, 3, 2, 1, 1 };
enum { COUNT = THAW_COUNT(labels), CLASSES = 5 };

static bool read_numbers(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)user;
    for (size_t i = 0; i < count; i++) {
        if (indices[i] >= COUNT) {
            snprintf(message, capacity, "asked for %zu", indices[i]);
            return false;
        }
        samples[2 * i] = (float)indices[i];
        samples[2 * i + 1] = -(float)indices[i];
        ((int32_t *)targets)[i] = labels[indices[i]];
    }
    return true;
}

static thaw_dataset *numbers(thaw_context *context)
{
    const thaw_source source = {
        .count = COUNT,
        .sample_shape = { .rank = 1, .dims = { 2 } },
        .target_dtype = THAW_I32,
        .classes = CLASSES,
        .random = true,
        .read = read_numbers,
    };
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_create(context, &source, &dataset));
    return dataset;
}

static thaw_dataset *numbers_in_memory(thaw_context *context)
{
    static float values[2 * COUNT];
    for (int i = 0; i < COUNT; i++) {
        values[2 * i] = (float)i;
        values[2 * i + 1] = -(float)i;
    }
    const thaw_tensor inputs = thaw_view_f32(values, 2, (const int64_t[]){ COUNT, 2 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ COUNT });
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, CLASSES, &dataset));
    return dataset;
}

static thaw_dataset *named(thaw_context *context, const char *const *names, size_t classes)
{
    const thaw_source source = {
        .count = COUNT,
        .sample_shape = { .rank = 1, .dims = { 2 } },
        .target_dtype = THAW_I32,
        .classes = classes,
        .class_names = names,
        .read = read_numbers,
    };
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_create(context, &source, &dataset));
    return dataset;
}

/* Classes 0 to 3 of `labels` are "c" to "f"; the reference has them elsewhere, and more. */
Test(selection, classes_are_matched_by_name)
{
    thaw_context *context = support_context(1);
    char copied[] = "c";
    const char *names[] = { copied, "d", "e", "f" };
    static const char *const others[] = { "f", "b", "e", "d", "c", "a" };
    static const int32_t places[] = { 4, 3, 2, 0 };
    thaw_dataset *from = named(context, names, 4), *reference = named(context, others, 6), *matched, *part;
    copied[0] = 'x';
    assert_ok(context, thaw_dataset_match_classes(context, from, reference, &matched));
    cr_assert_eq(thaw_dataset_classes(matched), 6);
    cr_assert_str_eq(thaw_dataset_class_name(from, 0), "c");
    cr_assert_str_eq(thaw_dataset_class_name(matched, 4), "c");
    cr_assert_null(thaw_dataset_class_name(matched, 6));
    size_t indices[COUNT];
    float samples[2 * COUNT];
    int32_t found[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        indices[i] = COUNT - 1 - i;
    assert_ok(context, thaw_dataset_read(matched, indices, COUNT, samples, found));
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(samples[2 * i], (float)indices[i]);
        cr_assert_eq(found[i], places[labels[indices[i]]]);
    }
    /* Selected classes keep their names. */
    assert_ok(context, thaw_dataset_select(context, from,
                                           &(thaw_dataset_selection){ .first_class = 2, .last_class = 3 }, &part));
    cr_assert_str_eq(thaw_dataset_class_name(part, 0), "e");
    cr_assert_str_eq(thaw_dataset_class_name(part, 1), "f");
    thaw_dataset_destroy(part);
    thaw_dataset_destroy(matched);
    /* An unknown name is an error, and so are classes without names. */
    cr_assert_eq(thaw_dataset_match_classes(context, reference, from, &matched), THAW_NOT_FOUND);
    cr_assert_null(matched);
    cr_assert_not_null(strstr(thaw_context_message(context), "class \"b\" is none of the 4 classes"));
    thaw_dataset *nameless = numbers(context);
    cr_assert_null(thaw_dataset_class_name(nameless, 0));
    cr_assert_eq(thaw_dataset_match_classes(context, nameless, reference, &matched), THAW_INVALID_ARGUMENT);
    thaw_dataset_destroy(nameless);
    thaw_dataset_destroy(from);
    thaw_dataset_destroy(reference);
    thaw_context_destroy(context);
}

typedef struct selection_case {
    thaw_dataset_selection selection;
    size_t classes, count;
    int32_t indices[COUNT * 3]; /* of the samples that must come, in order */
} selection_case;

static const selection_case cases[] = {
    { { 0 }, CLASSES, 12, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } },
    { { .first_class = 1, .last_class = 2 }, 2, 8, { 0, 2, 3, 4, 6, 9, 10, 11 } },
    { { .first_class = 3, .last_class = 3 }, 1, 2, { 5, 8 } },
    { { .per_class = 1 }, CLASSES, 4, { 0, 1, 2, 5 } },
    { { .per_class = 3 }, CLASSES, 10, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 10 } },
    { { .first_class = 2, .last_class = 4, .per_class = 2 }, 3, 4, { 0, 3, 5, 8 } },
    { { .first_class = 3, .last_class = 3, .repeat = 3 }, 1, 6, { 5, 8, 5, 8, 5, 8 } },
    { { .repeat = 2, .per_class = 1 }, CLASSES, 8, { 0, 1, 2, 5, 0, 1, 2, 5 } },
};

static void check_case(thaw_context *context, thaw_dataset *from, const selection_case *wanted)
{
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_select(context, from, &wanted->selection, &dataset));
    cr_assert_eq(thaw_dataset_classes(dataset), wanted->classes);
    cr_assert_eq(thaw_dataset_count(dataset), wanted->count);
    for (size_t i = 0; i < wanted->count; i++) {
        float sample[2];
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, &label));
        const int32_t index = wanted->indices[i];
        cr_assert(sample[0] == (float)index && sample[1] == -(float)index, "sample %zu is %g, wanted %d", i,
                  (double)sample[0], index);
        cr_assert_eq(label, labels[index] - (int32_t)wanted->selection.first_class);
    }
    thaw_dataset_destroy(dataset);
}

Test(selection, keeps_what_was_asked_for_in_order)
{
    thaw_context *context = support_context(1);
    thaw_dataset *from[] = { numbers(context), numbers_in_memory(context) };
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        for (size_t j = 0; j < THAW_COUNT(from); j++)
            check_case(context, from[j], &cases[i]);
    thaw_dataset_destroy(from[0]);
    thaw_dataset_destroy(from[1]);
    thaw_context_destroy(context);
}

Test(selection, of_a_selection)
{
    thaw_context *context = support_context(1);
    thaw_dataset *from = numbers_in_memory(context), *middle, *last;
    assert_ok(context, thaw_dataset_select(context, from,
                                           &(thaw_dataset_selection){ .first_class = 1, .last_class = 3 }, &middle));
    assert_ok(context, thaw_dataset_select(context, middle,
                                           &(thaw_dataset_selection){ .first_class = 2, .last_class = 2 }, &last));
    cr_assert_eq(thaw_dataset_count(last), 2);
    float samples[4];
    int32_t found[2];
    assert_ok(context, thaw_dataset_read(last, (const size_t[]){ 1, 0 }, 2, samples, found));
    cr_assert(samples[0] == 8 && samples[2] == 5 && found[0] == 0 && found[1] == 0);
    thaw_dataset_destroy(last);
    thaw_dataset_destroy(middle);
    thaw_dataset_destroy(from);
    thaw_context_destroy(context);
}

Test(selection, long_reads_are_whole)
{
    thaw_context *context = support_context(1);
    thaw_dataset *from = numbers_in_memory(context), *dataset;
    enum { LONG = 1000 };
    assert_ok(context, thaw_dataset_select(context, from, &(thaw_dataset_selection){ .repeat = LONG }, &dataset));
    static size_t indices[LONG];
    static float samples[2 * LONG];
    static int32_t found[LONG];
    for (size_t i = 0; i < LONG; i++)
        indices[i] = i * 7 % thaw_dataset_count(dataset);
    assert_ok(context, thaw_dataset_read(dataset, indices, LONG, samples, found));
    for (size_t i = 0; i < LONG; i++) {
        cr_assert(samples[2 * i] == (float)(indices[i] % COUNT), "sample %zu", i);
        cr_assert_eq(found[i], labels[indices[i] % COUNT]);
    }
    thaw_dataset_destroy(dataset);
    thaw_dataset_destroy(from);
    thaw_context_destroy(context);
}

Test(selection, refuses_what_is_not_there)
{
    thaw_context *context = support_context(1);
    thaw_dataset *from = numbers(context), *dataset;
    const float value = 1;
    const thaw_tensor view = thaw_view_f32(&value, 1, (const int64_t[]){ 1 });
    thaw_dataset *unlabelled;
    assert_ok(context, thaw_dataset_from_arrays(context, &view, &view, 0, &unlabelled));
    const struct {
        thaw_dataset *from;
        thaw_dataset_selection selection;
        thaw_status status;
        const char *message;
    } bad[] = {
        { from,
          { .first_class = 2, .last_class = 5 },
          THAW_INVALID_ARGUMENT,
          "classes are 2 to 5, must be within 0 to 4" },
        { from, { .first_class = 3, .last_class = 2 }, THAW_INVALID_ARGUMENT, "classes are 3 to 2" },
        { from, { .first_class = 4, .last_class = 4 }, THAW_NOT_FOUND, "no sample has a class from 4 to 4" },
        { from, { .repeat = SIZE_MAX }, THAW_INVALID_ARGUMENT, "overflow" },
        { unlabelled, { .per_class = 1 }, THAW_INVALID_ARGUMENT, "no labels" },
    };
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        assert_fails(context, thaw_dataset_select(context, bad[i].from, &bad[i].selection, &dataset), bad[i].status,
                     bad[i].message);
        cr_assert_null(dataset);
    }
    thaw_dataset_destroy(unlabelled);
    thaw_dataset_destroy(from);
    thaw_context_destroy(context);
}

typedef struct selecting {
    thaw_context *context;
    thaw_dataset *from, *dataset;
} selecting;

static thaw_status select_again(void *user)
{
    selecting *now = user;
    return thaw_dataset_select(now->context, now->from, &(thaw_dataset_selection){ .per_class = 1 }, &now->dataset);
}

Test(selection, every_failing_allocation_is_reported_and_leaks_nothing)
{
    support_allocator allocator = { 0 };
    selecting now = { .context = support_context_on(&allocator) };
    now.from = numbers(now.context);
    cr_assert_geq(support_fail_each(&allocator, select_again, &now), 5);
    thaw_dataset_destroy(now.dataset);
    thaw_dataset_destroy(now.from);
    thaw_context_destroy(now.context);
}
