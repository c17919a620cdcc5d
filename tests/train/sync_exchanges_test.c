/* Exchanges in the middle of a step, for batch normalisation on several ranks: beside gradients that travel in buckets,
   and when a rank fails. */
#include <stdio.h>
#include <string.h>

#include "support/gradients.h"
#include "support/network.h"
#include "train/watched_steps.h"

/* Each dense layer but the last has more gradients than a bucket needs. */
enum { LAYERS = 4, WIDTH = 530, CLASSES = 4, BATCH = 12, STEPS = 2 };

typedef enum stage { NEVER, BEFORE, FORWARD, BACKWARD } stage;

typedef struct wishes {
    stage fails;           /* in the last step */
    int failing;           /* the rank that does */
    int64_t shards;        /* on each rank; 0: 1 */
    stage now[MOST_RANKS]; /* of each rank in this step */
} wishes;

/* ---- a layer that copies its input, or fails ---- */

typedef struct copy_options {
    const stage *fails;
} copy_options;

typedef struct copy {
    size_t bytes;
    const stage *fails;
} copy;

static thaw_status copy_build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_output(builder, thaw_builder_input(builder, 0));
}

static thaw_status copy_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    copy *made = thaw_allocate(demand->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->bytes = (size_t)demand->batch * thaw_shape_count(&demand->output) * sizeof(float);
    made->fails = ((const copy_options *)demand->options)->fails;
    needs->state = made;
    return THAW_OK;
}

static thaw_status copy_forward(const thaw_layer_run *run)
{
    const copy *made = run->state;
    memcpy(run->output, run->inputs[0], made->bytes);
    return *made->fails == FORWARD ? thaw_fail(run->context, THAW_UNSUPPORTED, "the copy fails") : THAW_OK;
}

static thaw_status copy_backward(const thaw_layer_run *run)
{
    const copy *made = run->state;
    memcpy(run->input_gradients[0], run->output_gradient, made->bytes);
    return *made->fails == BACKWARD ? thaw_fail(run->context, THAW_UNSUPPORTED, "the copy fails") : THAW_OK;
}

static const thaw_layer_module copy_module = {
    THAW_LAYER_MODULE_HEAD,    .name = "copy",          .options_size = sizeof(copy_options),
    .build = copy_build,       .prepare = copy_prepare, .forward = copy_forward,
    .backward = copy_backward, .release = thaw_release
};

/* ---- steps ---- */

static thaw_model *build(thaw_context *context, void *user, int rank)
{
    const stage *fails = &((wishes *)user)->now[rank];
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { WIDTH } }, &x));
    for (int i = 0; i < LAYERS; i++) {
        const bool last = i == LAYERS - 1;
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = last ? CLASSES : WIDTH }, &x));
        if (last)
            break;
        assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
        if (i == 1)
            assert_ok(context,
                      thaw_model_append(model, &copy_module, NULL, &x, 1, &(copy_options){ .fails = fails }, &x));
        assert_ok(context, thaw_relu(model, x, NULL, &x));
    }
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.01,momentum=0.9");
    thaw_model_set_sync_batch_norm(model, true);
    return model;
}

static thaw_status step(thaw_model *model, uint32_t number, const thaw_communicator *communicator, void *user)
{
    static const watched_batch batch = { .batch = BATCH, .width = WIDTH, .classes = CLASSES };
    wishes *wanted = user;
    const int own = communicator ? communicator->rank : 0;
    wanted->now[own] = number == STEPS && own == wanted->failing ? wanted->fails : NEVER;
    return watched_step(model, &batch, number, wanted->now[own] == BEFORE,
                        &(thaw_step_options){ .clip_norm = 1,
                                              .shards = communicator ? wanted->shards * communicator->ranks : 0,
                                              .communicator = communicator });
}

static watched_steps steps_of(wishes *wanted)
{
    return (watched_steps){ .build = build, .step = step, .user = wanted, .steps = STEPS };
}

/* Buckets are under way when a layer's sums are to be shared. */
Test(sync_exchanges, go_between_those_of_buckets, .timeout = 120)
{
    wishes wanted = { .fails = NEVER };
    watched_steps alone = steps_of(&wanted);
    watched_steps_take(&alone, 1);
    cr_assert_eq(alone.ranks[0].status, THAW_OK, "%s", alone.ranks[0].message);
    for (int ranks = 2; ranks <= 4; ranks++) {
        watched_steps spread = steps_of(&wanted);
        watched_steps_take(&spread, ranks);
        for (int i = 0; i < ranks; i++) {
            const watched_rank *found = &spread.ranks[i];
            cr_assert_eq(found->status, THAW_OK, "rank %d: %s", i, found->message);
            const double apart = support_distance(alone.ranks[0].weights, found->weights, found->weight_count);
            cr_assert_leq(apart, 1e-6, "rank %d of %d: weights are %.3g apart", i, ranks, apart);
            cr_assert_eq(watched_count(found, 's'), watched_count(found, 'w'));
            /* In each step: of three layers twice, of two buckets or more twice, and two of outcomes. */
            cr_assert_geq(watched_count(found, 's'), STEPS * (3 * 2 + 2 * 2 + 2));
        }
        watched_steps_release(&spread);
    }
    watched_steps_release(&alone);
}

/* The others learn of it at the end of the step, wherever it fails, and change nothing. */
static void check_failure(int ranks, int failing, stage fails, int64_t shards)
{
    wishes wanted = { .fails = fails, .failing = failing, .shards = shards };
    watched_steps taken = steps_of(&wanted);
    const watched_rank *first = &taken.ranks[0];
    char name[16];
    watched_steps_take(&taken, ranks);
    snprintf(name, sizeof name, "rank %d: ", failing);
    for (int i = 0; i < ranks; i++) {
        const watched_rank *found = &taken.ranks[i];
        cr_assert_eq(found->status, fails == BEFORE ? THAW_NOT_FINITE : THAW_UNSUPPORTED, "rank %d: %s", i,
                     found->message);
        cr_assert(i == failing || strstr(found->message, name) == found->message, "rank %d: %s", i, found->message);
        cr_assert(fails == BEFORE || strstr(found->message, "the copy fails"), "rank %d: %s", i, found->message);
        cr_assert_eq(watched_count(found, 's'), watched_count(first, 's'), "rank %d has made other exchanges", i);
        cr_assert_eq(memcmp(found->weights, first->weights, first->weight_count * sizeof(float)), 0);
    }
    watched_steps_release(&taken);
}

Test(sync_exchanges, a_rank_that_fails_stops_the_others, .timeout = 120)
{
    for (stage fails = BEFORE; fails <= BACKWARD; fails++) {
        check_failure(2, 0, fails, 1);
        check_failure(3, 2, fails, 1);
        check_failure(2, 1, fails, 3);
        check_failure(3, 0, fails, 2);
    }
}

Test(sync_exchanges, end_when_the_line_is_cut, .timeout = 300)
{
    wishes wanted = { .fails = NEVER };
    const watched_steps steps = steps_of(&wanted);
    watched_steps_cut(&steps, 2);
}
