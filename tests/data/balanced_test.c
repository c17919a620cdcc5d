/* Samples drawn anew in each epoch, each class equally often. */
#include <string.h>

#include "data/dataset.h"
#include "support/support.h"

enum { SAMPLES = 900 };

static float inputs[SAMPLES];
static int32_t labels[SAMPLES];

/* 800 samples of class 0, 99 of class 2 and one of class 3; none of class 1. */
static thaw_dataset *open_uneven(thaw_context *context)
{
    thaw_dataset *dataset;
    for (size_t i = 0; i < SAMPLES; i++) {
        inputs[i] = (float)i;
        labels[i] = i == 333 ? 3 : i % 9 == 4 ? 2 : 0;
    }
    const thaw_tensor x = thaw_view_f32(inputs, 2, (const int64_t[]){ SAMPLES, 1 });
    const thaw_tensor y = thaw_view_i32(labels, 1, (const int64_t[]){ SAMPLES });
    assert_ok(context, thaw_dataset_from_arrays(context, &x, &y, 4, &dataset));
    return dataset;
}

static void read_epoch(thaw_context *context, thaw_dataset *dataset, uint64_t epoch, float *samples)
{
    static size_t indices[SAMPLES];
    static int32_t found[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++)
        indices[i] = i;
    thaw_dataset_start_epoch(dataset, epoch);
    assert_ok(context, thaw_dataset_read(dataset, indices, SAMPLES, samples, found));
    for (size_t i = 0; i < SAMPLES; i++)
        cr_assert_eq(found[i], labels[(size_t)samples[i]], "a label goes with its sample");
}

Test(balanced, classes_come_equally_often)
{
    static float samples[SAMPLES];
    thaw_context *context = support_context(1);
    thaw_dataset *from = open_uneven(context), *dataset;
    size_t counts[4] = { 0 }, distinct = 0;
    bool seen[SAMPLES] = { false };
    assert_ok(context, thaw_dataset_balance(context, from, 7, &dataset));
    cr_assert_eq(thaw_dataset_count(dataset), SAMPLES);
    cr_assert(thaw_dataset_is_random(dataset));
    for (uint64_t epoch = 0; epoch < 10; epoch++) {
        read_epoch(context, dataset, epoch, samples);
        for (size_t i = 0; i < SAMPLES; i++) {
            counts[labels[(size_t)samples[i]]]++;
            distinct += !seen[(size_t)samples[i]];
            seen[(size_t)samples[i]] = true;
        }
    }
    /* 9000 draws of three classes: 3000 each, with a deviation of 45. */
    cr_assert_eq(counts[1], 0);
    for (int class = 0; class < 4; class += class == 0 ? 2 : 1)
        cr_assert(counts[class] > 2770 && counts[class] < 3230, "class %d: %zu", class, counts[class]);
    cr_assert_gt(distinct, 850, "%zu of the samples were ever drawn", distinct);
    thaw_dataset_destroy(dataset);
    thaw_dataset_destroy(from);
    thaw_context_destroy(context);
}

Test(balanced, a_draw_depends_on_seed_epoch_and_place_alone)
{
    static float first[SAMPLES], again[SAMPLES], other[SAMPLES];
    for (int threads = 1; threads < 4; threads += 2) {
        thaw_context *context = support_context(threads);
        thaw_dataset *from = open_uneven(context), *dataset, *reseeded;
        assert_ok(context, thaw_dataset_balance(context, from, 7, &dataset));
        assert_ok(context, thaw_dataset_balance(context, from, 8, &reseeded));
        read_epoch(context, dataset, 3, threads == 1 ? first : again);
        cr_assert(threads == 1 || memcmp(first, again, sizeof first) == 0);
        float one;
        int32_t label;
        for (size_t i = SAMPLES; i-- > 880;) {
            assert_ok(context, thaw_dataset_read(dataset, &i, 1, &one, &label));
            cr_assert(one == first[i], "place %zu alone", i);
        }
        read_epoch(context, dataset, 4, other);
        cr_assert_neq(memcmp(first, other, sizeof first), 0, "epochs differ");
        read_epoch(context, reseeded, 3, other);
        cr_assert_neq(memcmp(first, other, sizeof first), 0, "seeds differ");
        thaw_digest plain = { 0 }, drawn = { 0 }, drawn_otherwise = { 0 };
        assert_ok(context, thaw_dataset_identify(from, &plain));
        assert_ok(context, thaw_dataset_identify(dataset, &drawn));
        assert_ok(context, thaw_dataset_identify(reseeded, &drawn_otherwise));
        cr_assert(drawn.lane[0] != plain.lane[0] && drawn.lane[0] != drawn_otherwise.lane[0]);
        thaw_dataset_destroy(reseeded);
        thaw_dataset_destroy(dataset);
        thaw_dataset_destroy(from);
        thaw_context_destroy(context);
    }
}

Test(balanced, numbers_cannot_be)
{
    thaw_context *context = support_context(1);
    const thaw_tensor x = thaw_view_f32(inputs, 2, (const int64_t[]){ 4, 1 });
    thaw_dataset *from, *dataset;
    assert_ok(context, thaw_dataset_from_arrays(context, &x, &x, 0, &from));
    assert_fails(context, thaw_dataset_balance(context, from, 0, &dataset), THAW_INVALID_ARGUMENT, "it has no labels");
    cr_assert_null(dataset);
    thaw_dataset_destroy(from);
    thaw_context_destroy(context);
}
