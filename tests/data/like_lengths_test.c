/* Batches of samples of like lengths. */
#include "data/like_lengths.h"

#include <stdlib.h>
#include <string.h>

#include "data/loader.h"
#include "data/numbers.h"
#include "data/shuffle.h"
#include "support/support.h"

enum { COUNT = 997, BATCH = 7, FULL = COUNT / BATCH, WINDOW = 100 * BATCH, SEED = 5 };

static int32_t lengths[COUNT];

static void fill_lengths(void)
{
    float values[COUNT];
    support_fill(values, COUNT, 1);
    for (int i = 0; i < COUNT; i++)
        lengths[i] = (int32_t)((values[i] + 1) * 20);
}

static thaw_loader *open_loader(thaw_context *context, thaw_dataset *dataset, thaw_loader_options options)
{
    thaw_loader *loader;
    options.batch = BATCH;
    options.seed = SEED;
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    return loader;
}

/* The order of an epoch in a context of so many threads. */
static void read_with(int threads, thaw_loader_options options, uint64_t epoch, size_t order[COUNT])
{
    thaw_context *context = support_context(threads);
    numbers from = { .count = COUNT };
    thaw_dataset *dataset = numbers_open(context, &from);
    assert_ok(context, thaw_dataset_set_lengths(dataset, lengths));
    thaw_loader *loader = open_loader(context, dataset, options);
    cr_assert_eq(numbers_read_epoch(context, loader, epoch, order), COUNT);
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

static void read_order(int threads, bool shuffle, uint64_t epoch, size_t order[COUNT])
{
    read_with(threads, (thaw_loader_options){ .shuffle = shuffle }, epoch, order);
}

static size_t places[COUNT]; /* of samples in the shuffled order */

static int by_length(const void *left, const void *right)
{
    const size_t one = *(const size_t *)left, other = *(const size_t *)right;
    if (lengths[one] != lengths[other])
        return lengths[one] < lengths[other] ? -1 : 1;
    return places[one] < places[other] ? -1 : 1;
}

static int by_samples(const void *left, const void *right)
{
    return memcmp(left, right, BATCH * sizeof(size_t));
}

/* The batches that thaw/data.h promises, as a set. */
Test(like_lengths, batches_are_cut_from_sorted_windows)
{
    static size_t shuffled[COUNT], order[COUNT];
    fill_lengths();
    read_order(2, true, 3, order);
    thaw_context *context = support_context(1);
    thaw_shuffle(context, SEED, 3, shuffled, COUNT);
    thaw_context_destroy(context);
    cr_assert_arr_eq(order + FULL * BATCH, shuffled + FULL * BATCH, (COUNT - FULL * BATCH) * sizeof *order);
    for (size_t i = 0; i < COUNT; i++)
        places[shuffled[i]] = i;
    for (size_t first = 0; first < FULL * BATCH; first += WINDOW) {
        const size_t left = FULL * BATCH - first;
        qsort(shuffled + first, left < WINDOW ? left : WINDOW, sizeof *shuffled, by_length);
    }
    cr_assert(memcmp(order, shuffled, FULL * BATCH * sizeof *order) != 0, "batches come in the order of lengths");
    qsort(order, FULL, BATCH * sizeof *order, by_samples);
    qsort(shuffled, FULL, BATCH * sizeof *order, by_samples);
    cr_assert_arr_eq(order, shuffled, FULL * BATCH * sizeof *order);
}

Test(like_lengths, follow_seed_and_epoch_alone)
{
    static size_t one[COUNT], other[COUNT];
    fill_lengths();
    read_order(1, true, 3, one);
    read_order(5, true, 3, other);
    cr_assert_arr_eq(one, other, sizeof one);
    read_order(1, true, 4, other);
    cr_assert(memcmp(one, other, sizeof one) != 0);
}

Test(like_lengths, leave_an_order_that_is_not_shuffled)
{
    static size_t order[COUNT];
    fill_lengths();
    read_order(1, false, 3, order);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(order[i], i);
}

Test(like_lengths, sort_all_samples)
{
    static size_t order[COUNT], wanted[COUNT];
    fill_lengths();
    read_with(2, (thaw_loader_options){ .by_length = true }, 3, order);
    for (size_t i = 0; i < COUNT; i++)
        wanted[i] = places[i] = i;
    qsort(wanted, COUNT, sizeof *wanted, by_length);
    cr_assert_arr_eq(order, wanted, sizeof order);
}

/* ---- where lengths come from ---- */

static bool read_labels(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    (void)user, (void)message, (void)capacity;
    for (size_t i = 0; i < count; i++) {
        samples[i] = 0;
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % 3);
    }
    return true;
}

static size_t tell_length(void *user, size_t index)
{
    (void)user;
    return 100 + index;
}

Test(like_lengths, pass_through_what_is_made_of_a_data_set)
{
    static const char *const names[] = { "a", "b", "c" };
    const thaw_source source = { .count = 9,
                                 .sample_shape = { 1, { 1 } },
                                 .target_dtype = THAW_I32,
                                 .classes = 3,
                                 .class_names = names,
                                 .read = read_labels,
                                 .length = tell_length };
    thaw_context *context = support_context(1);
    thaw_dataset *data = NULL, *selected = NULL, *matched = NULL, *plain = NULL;
    size_t found[2];
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    assert_ok(context, thaw_dataset_select(context, data,
                                           &(thaw_dataset_selection){ .first_class = 2, .last_class = 2, .repeat = 2 },
                                           &selected));
    assert_ok(context, thaw_dataset_match_names(context, selected, names, 3, &matched));
    cr_assert(thaw_dataset_has_lengths(matched));
    thaw_dataset_lengths(matched, 0, (size_t[]){ 1, 5 }, 2, found); /* samples 5 and 8 */
    cr_assert_arr_eq(found, ((size_t[]){ 105, 108 }), sizeof found);
    thaw_source without = source;
    without.length = NULL;
    assert_ok(context, thaw_dataset_create(context, &without, &plain));
    cr_assert_not(thaw_dataset_has_lengths(plain));
    thaw_dataset_destroy(plain);
    thaw_dataset_destroy(matched);
    thaw_dataset_destroy(selected);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

Test(like_lengths, must_not_be_negative)
{
    thaw_context *context = support_context(1);
    numbers from = { .count = 3 };
    thaw_dataset *dataset = numbers_open(context, &from);
    assert_fails(context, thaw_dataset_set_lengths(dataset, (int32_t[]){ 1, 0, -4 }), THAW_INVALID_ARGUMENT,
                 "the length of sample 2 is -4");
    cr_assert_not(thaw_dataset_has_lengths(dataset));
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
