/* Sums over shards: the tree, and its memory. */
#include "update/shard_sum.h"

#include <stdlib.h>
#include <string.h>

#include "support/allocator.h"
#include "support/parameters.h"

static const size_t sizes[] = { 1, 17, 5000 };
enum { PARAMETERS = THAW_COUNT(sizes), STATISTICS = 2, MOST_SHARDS = 40, LARGEST = 3 };
static const size_t statistic_sizes[STATISTICS] = { 3, 16 };

typedef struct fixture {
    support_allocator allocator;
    thaw_context *context;
    thaw_parameter_set set;
    thaw_update_list *list;
    float statistics[STATISTICS][16];
    float *places[STATISTICS];
} fixture;

static void open_fixture(fixture *made)
{
    *made = (fixture){ 0 };
    made->context = support_context_on(&made->allocator);
    made->set = parameters_create(made->context, sizes, PARAMETERS);
    made->list = parameters_list(&made->set, 0, PARAMETERS);
    for (size_t i = 0; i < STATISTICS; i++)
        made->places[i] = made->statistics[i];
}

static void close_fixture(fixture *made)
{
    thaw_update_list_release(made->list);
    thaw_set_release(&made->set);
    thaw_context_destroy(made->context);
    cr_assert_eq(made->allocator.live, 0);
}

/* What shard `shard` gives for element `index` of tensor `tensor`: magnitudes so different that the order of additions
   shows. */
static float given(size_t shard, size_t tensor, size_t index)
{
    const unsigned mixed = (unsigned)(shard * 2654435761U + tensor * 40503U + index * 9176U);
    return (float)(mixed % 20011U) / 7919.0F * ((mixed >> 7) % 3 == 0 ? 1000.0F : 1.0F) * (mixed % 2 ? 1.0F : -1.0F);
}

static float factor_of(size_t shard)
{
    return 0.3F + (float)(shard % 5) / 7;
}

/* The left part of a tree has the largest power of two of shards that is less than all of them. */
static float tree(size_t first, size_t count, size_t tensor, size_t index)
{
    if (count == 1)
        return tensor < PARAMETERS ? factor_of(first) * given(first, tensor, index) : given(first, tensor, index);
    size_t left = 1;
    while (2 * left < count)
        left *= 2;
    return tree(first, left, tensor, index) + tree(first + left, count - left, tensor, index);
}

static float *place_of(fixture *f, size_t tensor)
{
    return tensor < PARAMETERS ? f->set.parameters[tensor]->gradient : f->places[tensor - PARAMETERS];
}

static size_t size_of(size_t tensor)
{
    return tensor < PARAMETERS ? sizes[tensor] : statistic_sizes[tensor - PARAMETERS];
}

static void give(fixture *f, thaw_shard_sum *sum, size_t shard)
{
    for (size_t tensor = 0; tensor < PARAMETERS + STATISTICS; tensor++)
        for (size_t i = 0; i < size_of(tensor); i++)
            place_of(f, tensor)[i] = given(shard, tensor, i);
    thaw_shard_sum_outcomes(sum)[shard] = (thaw_shard_outcome){ .weight = 2, .samples = 1 };
    thaw_shard_sum_add(sum, f->places, factor_of(shard));
}

/* To the bit. Twice, as two steps do. */
Test(shard_sum, adds_up_in_a_tree_over_the_indices)
{
    fixture f;
    open_fixture(&f);
    for (size_t shards = 2; shards <= MOST_SHARDS; shards++) {
        thaw_shard_sum *sum;
        assert_ok(f.context, thaw_shard_sum_create(f.context, f.list, statistic_sizes, STATISTICS,
                                                   (thaw_shard_range){ shards, 0, shards }, &sum));
        for (int step = 0; step < 2; step++) {
            f.set.parameters[1]->gradient_rows.known = true;
            thaw_shard_sum_begin(sum, LARGEST, false);
            for (size_t shard = 0; shard < shards; shard++)
                give(&f, sum, shard);
            thaw_shard_sum_store(sum, f.places);
        }
        for (size_t tensor = 0; tensor < PARAMETERS + STATISTICS; tensor++)
            for (size_t i = 0; i < size_of(tensor); i += i < 40 ? 1 : 97) {
                const double factor = (tensor < PARAMETERS ? LARGEST / 2.0 : 1.0) / (double)shards;
                const float wanted = (float)factor * tree(0, shards, tensor, i);
                const float found = place_of(&f, tensor)[i];
                cr_assert(memcmp(&found, &wanted, sizeof found) == 0,
                          "%zu shards, tensor %zu, element %zu: %a, wanted %a", shards, tensor, i, (double)found,
                          (double)wanted);
            }
        cr_assert(!f.set.parameters[1]->gradient_rows.known);
        thaw_shard_sum_release(sum);
    }
    close_fixture(&f);
}

/* Zeros, without looking at gradients, which may be anything. */
Test(shard_sum, shards_without_samples_add_nothing)
{
    fixture f;
    open_fixture(&f);
    thaw_shard_sum *sum;
    assert_ok(f.context, thaw_shard_sum_create(f.context, f.list, statistic_sizes, STATISTICS,
                                               (thaw_shard_range){ 4, 0, 4 }, &sum));
    thaw_shard_sum_begin(sum, 2, false);
    give(&f, sum, 0);
    memset(f.set.parameters[2]->gradient, 0xFF, sizes[2] * sizeof(float));
    for (int i = 0; i < 3; i++)
        thaw_shard_sum_add_nothing(sum);
    thaw_shard_sum_store(sum, f.places);
    for (size_t i = 0; i < sizes[2]; i++)
        cr_assert_eq(f.set.parameters[2]->gradient[i], factor_of(0) * given(0, 2, i));
    thaw_shard_sum_release(sum);
    close_fixture(&f);
}

Test(shard_sum, takes_a_level_for_each_digit)
{
    static const struct {
        size_t shards, levels;
    } cases[] = { { 1, 1 }, { 2, 1 }, { 3, 2 },  { 4, 2 },  { 5, 2 },    { 6, 2 },    { 7, 3 },
                  { 8, 3 }, { 9, 3 }, { 64, 6 }, { 65, 6 }, { 1000, 9 }, { 4096, 12 } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const size_t levels = thaw_shard_levels((thaw_shard_range){ cases[i].shards, 0, cases[i].shards });
        cr_assert_eq(levels, cases[i].levels, "%zu shards: %zu levels", cases[i].shards, levels);
    }
}

/* Every allocation fails once. */
Test(shard_sum, gives_all_back_without_memory)
{
    fixture f;
    open_fixture(&f);
    const size_t live = f.allocator.live;
    thaw_shard_sum *sum;
    size_t failed = 0;
    for (size_t at = 1;; at++) {
        f.allocator.fail_at = f.allocator.calls + at;
        const thaw_status status =
            thaw_shard_sum_create(f.context, f.list, statistic_sizes, STATISTICS, (thaw_shard_range){ 8, 0, 8 }, &sum);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY);
        cr_assert_null(sum);
        cr_assert_eq(f.allocator.live, live);
        failed++;
    }
    cr_assert_geq(failed, 5);
    thaw_shard_sum_release(sum);
    cr_assert_eq(f.allocator.live, live);
    close_fixture(&f);
}
