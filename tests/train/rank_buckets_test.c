/* Gradients that travel in several buckets while backward goes on: the same bits, in time, and an end after
   failures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/network.h"
#include "support/ranks.h"

/* Each dense layer but the last has more gradients than a bucket needs. */
enum { LAYERS = 5, WIDTH = 600, CLASSES = 4, BATCH = 24, SHARDS = 12, STEPS = 2, FROZEN_STEPS = 1, MOST_EVENTS = 400 };

/* What a rank asked of its communicator, in order. */
typedef struct events {
    const thaw_communicator *communicator;
    char log[MOST_EVENTS + 1]; /* 's': start, 'w': wait, 'p': progress */
    size_t count;
    size_t last_wait; /* the number of the wait that fails; 0: none does */
} events;

typedef struct steps {
    bool freezes;
    int spoiled;      /* the rank whose samples are not numbers; -1: none */
    size_t last_wait; /* see events, of rank 1 */
    float *weights[MOST_RANKS];
    size_t counts[MOST_RANKS];
    thaw_status statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
    events asked[MOST_RANKS];
} steps;

static size_t note(events *of, char event)
{
    size_t same = 1;
    for (size_t i = 0; i < of->count; i++)
        same += of->log[i] == event;
    cr_assert_lt(of->count, MOST_EVENTS);
    of->log[of->count++] = event;
    return same;
}

static bool start(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    events *of = user;
    note(of, 's');
    return of->communicator->start(of->communicator->user, messages, count, request, reason);
}

static bool wait_for_all(void *user, void *request, char *reason)
{
    events *of = user;
    const bool cut = note(of, 'w') == of->last_wait;
    if (cut)
        of->communicator->abort(of->communicator->user, "the line is cut");
    const bool well = of->communicator->wait(of->communicator->user, request, reason);
    if (cut)
        snprintf(reason, THAW_REASON_BYTES, "the line is cut");
    return well && !cut;
}

static void progress(void *user)
{
    note(user, 'p');
}

static thaw_model *build(thaw_context *context)
{
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

/* Each rank gives its part of the batch. */
static thaw_status take_step(thaw_model *model, uint32_t step, bool spoiled, const thaw_communicator *communicator)
{
    static float all[MOST_RANKS][BATCH * WIDTH];
    const int own = communicator ? communicator->rank : 0, ranks = communicator ? communicator->ranks : 1;
    const int64_t count = BATCH / ranks;
    float *values = all[own];
    int32_t labels[BATCH];
    support_fill(values, BATCH * WIDTH, step);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % CLASSES;
    if (spoiled)
        values[own * count * WIDTH] = NAN;
    const thaw_tensor inputs = thaw_view_f32(values + own * count * WIDTH, 2, (int64_t[]){ count, WIDTH });
    const thaw_tensor targets = thaw_view_i32(labels + own * count, 1, &count);
    return thaw_step(model, &inputs, &targets,
                     &(thaw_step_options){ .shards = SHARDS, .clip_norm = 1, .communicator = communicator }, NULL);
}

static void take_steps(void *argument, const thaw_communicator *communicator)
{
    steps *taken = argument;
    const int own = communicator ? communicator->rank : 0;
    events *asked = &taken->asked[own];
    asked->communicator = communicator;
    asked->last_wait = own == 1 ? taken->last_wait : 0;
    thaw_communicator noted = { 0 };
    if (communicator) {
        noted = *communicator;
        noted.user = asked;
        noted.start = start;
        noted.wait = wait_for_all;
        noted.progress = progress;
    }
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    for (uint32_t step = 1; step <= STEPS && taken->statuses[own] == THAW_OK; step++) {
        if (taken->freezes)
            assert_ok(context, (step <= FROZEN_STEPS ? thaw_model_freeze : thaw_model_unfreeze)(model, "dense[12]"));
        taken->statuses[own] =
            take_step(model, step, taken->spoiled == own && step == STEPS, communicator ? &noted : NULL);
    }
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    taken->weights[own] = support_weights(model, &taken->counts[own]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void release(steps *taken)
{
    for (int i = 0; i < MOST_RANKS; i++)
        free(taken->weights[i]);
    free(taken);
}

static steps *run(int ranks, bool freezes, int spoiled, size_t last_wait)
{
    steps *taken = calloc(1, sizeof *taken);
    cr_assert_not_null(taken);
    taken->freezes = freezes;
    taken->spoiled = spoiled;
    taken->last_wait = last_wait;
    if (ranks > 1)
        run_ranks(ranks, take_steps, taken);
    else
        take_steps(taken, NULL);
    return taken;
}

/* Buckets are cut anew when layers thaw. */
Test(rank_buckets, any_number_of_ranks_gives_the_same_bits, .timeout = 300)
{
    static const int numbers[] = { 2, 3, 4 };
    for (int freezes = 0; freezes < 2; freezes++) {
        steps *alone = run(1, freezes, -1, 0);
        cr_assert_eq(alone->statuses[0], THAW_OK, "%s", alone->messages[0]);
        for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
            steps *spread = run(numbers[k], freezes, -1, 0);
            for (int i = 0; i < numbers[k]; i++) {
                cr_assert_eq(spread->statuses[i], THAW_OK, "rank %d: %s", i, spread->messages[i]);
                cr_assert_eq(memcmp(spread->weights[i], alone->weights[0], alone->counts[0] * sizeof(float)), 0,
                             "rank %d of %d has other weights", i, numbers[k]);
            }
            release(spread);
        }
        release(alone);
    }
}

/* The first gradients leave before the last ones are known, which `progress` announces. */
Test(rank_buckets, gradients_leave_during_backward, .timeout = 60)
{
    steps *taken = run(2, false, -1, 0);
    for (int rank = 0; rank < 2; rank++) {
        const char *log = taken->asked[rank].log, *first = strchr(log, 's');
        cr_assert_not_null(first);
        cr_assert_not_null(strchr(first, 'p'), "rank %d: %s", rank, log);
        size_t under_way = 0, most = 0;
        for (size_t i = 0; i < taken->asked[rank].count; i++) {
            under_way += (size_t)(log[i] == 's') - (size_t)(log[i] == 'w');
            most = under_way > most ? under_way : most;
        }
        cr_assert_eq(under_way, 0);
        cr_assert_eq(most, THAW_MOST_EXCHANGES, "%zu exchanges are under way: %s", most, log);
    }
    release(taken);
}

Test(rank_buckets, a_rank_that_fails_stops_the_others, .timeout = 60)
{
    steps *taken = run(3, false, 2, 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(taken->statuses[i], THAW_NOT_FINITE, "rank %d: %s", i, taken->messages[i]);
        cr_assert_eq(memcmp(taken->weights[i], taken->weights[0], taken->counts[0] * sizeof(float)), 0);
        cr_assert(i == 2 || strstr(taken->messages[i], "rank 2: ") == taken->messages[i], "rank %d: %s", i,
                  taken->messages[i]);
    }
    release(taken);
}

static size_t count_under_way(const events *asked)
{
    size_t count = 0;
    for (size_t i = 0; i < asked->count; i++)
        count += (size_t)(asked->log[i] == 's') - (size_t)(asked->log[i] == 'w');
    return count;
}

/* Whenever the line is cut, every exchange that was started is waited for. A rank that has done all does not notice. */
Test(rank_buckets, exchanges_end_when_the_line_is_cut, .timeout = 300)
{
    steps *whole = run(2, false, -1, 0);
    bool cut = true;
    for (size_t wait = 1; cut; wait += 3) {
        steps *taken = run(2, false, -1, wait);
        cut = taken->statuses[1] != THAW_OK;
        for (int rank = 0; rank < 2; rank++) {
            const events *asked = &taken->asked[rank];
            cr_assert_eq(count_under_way(asked), 0, "wait %zu: rank %d: %s", wait, rank, asked->log);
            if (taken->statuses[rank] == THAW_OK && asked->count == whole->asked[rank].count)
                continue;
            cr_assert_eq(taken->statuses[rank], THAW_IO_ERROR, "wait %zu: rank %d", wait, rank);
            cr_assert_not_null(strstr(taken->messages[rank], "the line is cut"), "%s", taken->messages[rank]);
        }
        release(taken);
    }
    release(whole);
}
