/* Exchanges in the middle of a step, for batch normalisation on several ranks: beside gradients that travel in buckets,
   and when a rank fails. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/gradients.h"
#include "support/network.h"
#include "support/ranks.h"

/* Each dense layer but the last has more gradients than a bucket needs. */
enum { LAYERS = 4, WIDTH = 530, CLASSES = 4, BATCH = 12, STEPS = 2 };

typedef enum stage { NEVER, BEFORE, FORWARD, BACKWARD } stage;

/* What a rank asked of its communicator. */
typedef struct asked {
    const thaw_communicator *communicator;
    size_t started, waited;
    size_t last_wait; /* the number of the wait that fails; 0: none does */
} asked;

typedef struct steps {
    stage fails; /* in the last step */
    int failing; /* the rank that does */
    size_t last_wait;
    float *weights[MOST_RANKS];
    size_t counts[MOST_RANKS];
    thaw_status statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
    asked asked[MOST_RANKS];
} steps;

static bool start(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    asked *of = user;
    const bool well = of->communicator->start(of->communicator->user, messages, count, request, reason);
    of->started += well;
    return well;
}

static bool wait_for_all(void *user, void *request, char *reason)
{
    asked *of = user;
    const bool cut = ++of->waited == of->last_wait;
    if (cut)
        of->communicator->abort(of->communicator->user, "the line is cut");
    const bool well = of->communicator->wait(of->communicator->user, request, reason);
    if (cut)
        snprintf(reason, THAW_REASON_BYTES, "the line is cut");
    return well && !cut;
}

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

static thaw_model *build(thaw_context *context, const stage *fails)
{
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

/* Each rank gives its part of the batch. */
static thaw_status take_step(thaw_model *model, uint32_t seed, bool spoiled, const thaw_communicator *communicator)
{
    const int own = communicator ? communicator->rank : 0, ranks = communicator ? communicator->ranks : 1;
    const int64_t count = BATCH / ranks;
    float *values = malloc(BATCH * WIDTH * sizeof *values);
    int32_t labels[BATCH];
    support_fill(values, BATCH * WIDTH, seed);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % CLASSES;
    if (spoiled)
        values[own * count * WIDTH] = NAN;
    const thaw_tensor inputs = thaw_view_f32(values + own * count * WIDTH, 2, (int64_t[]){ count, WIDTH });
    const thaw_tensor targets = thaw_view_i32(labels + own * count, 1, &count);
    const thaw_status status =
        thaw_step(model, &inputs, &targets, &(thaw_step_options){ .clip_norm = 1, .communicator = communicator }, NULL);
    free(values);
    return status;
}

static void take_steps(void *argument, const thaw_communicator *communicator)
{
    steps *taken = argument;
    const int own = communicator ? communicator->rank : 0;
    asked *of = &taken->asked[own];
    thaw_communicator noted = { 0 };
    if (communicator) {
        noted = *communicator;
        *of = (asked){ .communicator = communicator, .last_wait = own == 1 ? taken->last_wait : 0 };
        noted.user = of;
        noted.start = start;
        noted.wait = wait_for_all;
    }
    stage fails = NEVER;
    thaw_context *context = support_context(1);
    thaw_model *model = build(context, &fails);
    for (uint32_t step = 1; step <= STEPS && taken->statuses[own] == THAW_OK; step++) {
        fails = step == STEPS && own == taken->failing ? taken->fails : NEVER;
        taken->statuses[own] = take_step(model, step, fails == BEFORE, communicator ? &noted : NULL);
    }
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    taken->weights[own] = support_weights(model, &taken->counts[own]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void release(const steps *taken)
{
    for (int i = 0; i < MOST_RANKS; i++)
        free(taken->weights[i]);
}

/* Buckets are under way when a layer's sums are to be shared. */
Test(sync_exchanges, go_between_those_of_buckets, .timeout = 120)
{
    steps alone = { 0 };
    take_steps(&alone, NULL);
    cr_assert_eq(alone.statuses[0], THAW_OK, "%s", alone.messages[0]);
    for (int ranks = 2; ranks <= 4; ranks++) {
        steps spread = { 0 };
        run_ranks(ranks, take_steps, &spread);
        for (int i = 0; i < ranks; i++) {
            cr_assert_eq(spread.statuses[i], THAW_OK, "rank %d: %s", i, spread.messages[i]);
            const double apart = support_distance(alone.weights[0], spread.weights[i], alone.counts[0]);
            cr_assert_leq(apart, 1e-6, "rank %d of %d: weights are %.3g apart", i, ranks, apart);
            cr_assert_eq(spread.asked[i].started, spread.asked[i].waited);
            /* In each step: of three layers twice, of two buckets or more twice, and two of outcomes. */
            cr_assert_geq(spread.asked[i].started, STEPS * (3 * 2 + 2 * 2 + 2));
        }
        release(&spread);
    }
    release(&alone);
}

/* The others learn of it at the end of the step, wherever it fails, and change nothing. */
static void check_failure(int ranks, int failing, stage fails)
{
    steps taken = { .fails = fails, .failing = failing };
    char first[16];
    run_ranks(ranks, take_steps, &taken);
    snprintf(first, sizeof first, "rank %d: ", failing);
    for (int i = 0; i < ranks; i++) {
        cr_assert_eq(taken.statuses[i], fails == BEFORE ? THAW_NOT_FINITE : THAW_UNSUPPORTED, "rank %d: %s", i,
                     taken.messages[i]);
        cr_assert(i == failing || strstr(taken.messages[i], first) == taken.messages[i], "rank %d: %s", i,
                  taken.messages[i]);
        cr_assert(fails == BEFORE || strstr(taken.messages[i], "the copy fails"), "rank %d: %s", i, taken.messages[i]);
        cr_assert_eq(taken.asked[i].started, taken.asked[0].started, "rank %d has made other exchanges", i);
        cr_assert_eq(memcmp(taken.weights[i], taken.weights[0], taken.counts[0] * sizeof(float)), 0);
    }
    release(&taken);
}

Test(sync_exchanges, a_rank_that_fails_stops_the_others, .timeout = 120)
{
    for (stage fails = BEFORE; fails <= BACKWARD; fails++) {
        check_failure(2, 0, fails);
        check_failure(3, 2, fails);
    }
}

/* Whenever the line is cut, every exchange that was started is waited for. A rank that has done all does not notice. */
Test(sync_exchanges, end_when_the_line_is_cut, .timeout = 300)
{
    steps whole = { 0 };
    run_ranks(2, take_steps, &whole);
    bool cut = true;
    size_t wait = 1;
    for (; cut; wait += 2) {
        steps taken = { .last_wait = wait };
        run_ranks(2, take_steps, &taken);
        cut = taken.statuses[1] != THAW_OK;
        for (int rank = 0; rank < 2; rank++) {
            const asked *of = &taken.asked[rank];
            cr_assert_eq(of->started, of->waited, "wait %zu: rank %d", wait, rank);
            if (taken.statuses[rank] == THAW_OK && of->started == whole.asked[rank].started)
                continue;
            cr_assert_eq(taken.statuses[rank], THAW_IO_ERROR, "wait %zu: rank %d", wait, rank);
            cr_assert_not_null(strstr(taken.messages[rank], "the line is cut"), "%s", taken.messages[rank]);
        }
        release(&taken);
    }
    cr_assert_geq(wait, whole.asked[1].waited);
    release(&whole);
}
