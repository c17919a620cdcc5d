/* Gradients that travel in several buckets while backward goes on: the same bits, in time, and an end after
   failures. */
#include <string.h>

#include "support/network.h"
#include "train/watched_steps.h"

/* Each dense layer but the last has more gradients than a bucket needs. */
enum { LAYERS = 5, WIDTH = 600, CLASSES = 4, BATCH = 24, SHARDS = 12, STEPS = 2, FROZEN_STEPS = 1 };

typedef struct wishes {
    bool freezes;
    int spoiled; /* the rank whose samples are not numbers in the last step; -1: none */
} wishes;

static thaw_model *build(thaw_context *context, void *user, int rank)
{
    (void)user, (void)rank;
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { WIDTH } }, &x));
    for (int i = 0; i < LAYERS; i++) {
        assert_ok(context,
                  thaw_dense(model, x, &(thaw_dense_options){ .units = i < LAYERS - 1 ? WIDTH : CLASSES }, &x));
        if (i == 1)
            assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
        if (i < LAYERS - 1)
            assert_ok(context, thaw_relu(model, x, NULL, &x));
    }
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "adam:lr=0.001");
    return model;
}

static thaw_status step(thaw_model *model, uint32_t number, const thaw_communicator *communicator, void *user)
{
    static const watched_batch batch = { .batch = BATCH, .width = WIDTH, .classes = CLASSES };
    const wishes *wanted = user;
    const int own = communicator ? communicator->rank : 0;
    if (wanted->freezes) {
        const thaw_status status =
            (number <= FROZEN_STEPS ? thaw_model_freeze : thaw_model_unfreeze)(model, "dense[12]");
        cr_assert_eq(status, THAW_OK);
    }
    return watched_step(model, &batch, number, wanted->spoiled == own && number == STEPS,
                        &(thaw_step_options){ .shards = SHARDS, .clip_norm = 1, .communicator = communicator });
}

static watched_steps steps_of(wishes *wanted)
{
    return (watched_steps){ .build = build, .step = step, .user = wanted, .steps = STEPS };
}

/* Buckets are cut anew when layers thaw. */
Test(rank_buckets, any_number_of_ranks_gives_the_same_bits, .timeout = 300)
{
    static const int numbers[] = { 2, 3, 4 };
    for (int freezes = 0; freezes < 2; freezes++) {
        wishes wanted = { .freezes = freezes, .spoiled = -1 };
        watched_steps alone = steps_of(&wanted);
        watched_steps_take(&alone, 1);
        cr_assert_eq(alone.ranks[0].status, THAW_OK, "%s", alone.ranks[0].message);
        for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
            watched_steps spread = steps_of(&wanted);
            watched_steps_take(&spread, numbers[k]);
            for (int i = 0; i < numbers[k]; i++) {
                const watched_rank *found = &spread.ranks[i];
                cr_assert_eq(found->status, THAW_OK, "rank %d: %s", i, found->message);
                cr_assert_eq(memcmp(found->weights, alone.ranks[0].weights, found->weight_count * sizeof(float)), 0,
                             "rank %d of %d has other weights", i, numbers[k]);
            }
            watched_steps_release(&spread);
        }
        watched_steps_release(&alone);
    }
}

/* The first gradients leave before the last ones are known, which `progress` announces. */
Test(rank_buckets, gradients_leave_during_backward, .timeout = 60)
{
    wishes wanted = { .spoiled = -1 };
    watched_steps taken = steps_of(&wanted);
    watched_steps_take(&taken, 2);
    for (int rank = 0; rank < 2; rank++) {
        const char *log = taken.ranks[rank].log, *first = strchr(log, 's');
        cr_assert_not_null(first);
        cr_assert_not_null(strchr(first, 'p'), "rank %d: %s", rank, log);
        size_t under_way = 0, most = 0;
        for (size_t i = 0; i < taken.ranks[rank].count; i++) {
            under_way += (size_t)(log[i] == 's') - (size_t)(log[i] == 'w');
            most = under_way > most ? under_way : most;
        }
        cr_assert_eq(under_way, 0);
        cr_assert_eq(most, THAW_MOST_EXCHANGES, "%zu exchanges are under way: %s", most, log);
    }
    watched_steps_release(&taken);
}

Test(rank_buckets, a_rank_that_fails_stops_the_others, .timeout = 60)
{
    wishes wanted = { .spoiled = 2 };
    watched_steps taken = steps_of(&wanted);
    watched_steps_take(&taken, 3);
    for (int i = 0; i < 3; i++) {
        const watched_rank *found = &taken.ranks[i];
        cr_assert_eq(found->status, THAW_NOT_FINITE, "rank %d: %s", i, found->message);
        cr_assert_eq(memcmp(found->weights, taken.ranks[0].weights, found->weight_count * sizeof(float)), 0);
        cr_assert(i == 2 || strstr(found->message, "rank 2: ") == found->message, "rank %d: %s", i, found->message);
    }
    watched_steps_release(&taken);
}

Test(rank_buckets, exchanges_end_when_the_line_is_cut, .timeout = 300)
{
    wishes wanted = { .spoiled = -1 };
    const watched_steps steps = steps_of(&wanted);
    watched_steps_cut(&steps, 3);
}
