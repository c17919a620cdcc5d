#include "train/watched_steps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

size_t watched_count(const watched_rank *asked, char event)
{
    size_t same = 0;
    for (size_t i = 0; i < asked->count; i++)
        same += asked->log[i] == event;
    return same;
}

static void note(watched_rank *asked, char event)
{
    cr_assert_lt(asked->count, WATCHED_MOST_EVENTS);
    asked->log[asked->count++] = event;
}

static bool start(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    watched_rank *asked = user;
    const bool well = asked->communicator->start(asked->communicator->user, messages, count, request, reason);
    if (well)
        note(asked, 's');
    return well;
}

static bool wait_for_all(void *user, void *request, char *reason)
{
    watched_rank *asked = user;
    note(asked, 'w');
    const bool cut = watched_count(asked, 'w') == asked->last_wait;
    if (cut)
        asked->communicator->abort(asked->communicator->user, "the line is cut");
    const bool well = asked->communicator->wait(asked->communicator->user, request, reason);
    if (cut)
        snprintf(reason, THAW_REASON_BYTES, "the line is cut");
    return well && !cut;
}

static void progress(void *user)
{
    note(user, 'p');
}

static void take(void *argument, const thaw_communicator *communicator)
{
    watched_steps *taken = argument;
    const int own = communicator ? communicator->rank : 0;
    watched_rank *asked = &taken->ranks[own];
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
    thaw_model *model = taken->build(context, taken->user, own);
    for (uint32_t number = 1; number <= taken->steps && asked->status == THAW_OK; number++)
        asked->status = taken->step(model, number, communicator ? &noted : NULL, taken->user);
    snprintf(asked->message, sizeof asked->message, "%s", thaw_context_message(context));
    asked->weights = support_weights(model, &asked->weight_count);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

void watched_steps_take(watched_steps *taken, int ranks)
{
    memset(taken->ranks, 0, sizeof taken->ranks);
    if (ranks > 1)
        run_ranks(ranks, take, taken);
    else
        take(taken, NULL);
}

void watched_steps_release(const watched_steps *taken)
{
    for (int i = 0; i < MOST_RANKS; i++)
        free(taken->ranks[i].weights);
}

void watched_steps_cut(const watched_steps *steps, size_t stride)
{
    watched_steps whole = *steps;
    watched_steps_take(&whole, 2);
    bool cut = true;
    size_t last = 1;
    for (; cut; last += stride) {
        watched_steps taken = *steps;
        taken.last_wait = last;
        watched_steps_take(&taken, 2);
        cut = taken.ranks[1].status != THAW_OK;
        for (int i = 0; i < 2; i++) {
            const watched_rank *asked = &taken.ranks[i];
            cr_assert_eq(watched_count(asked, 's'), watched_count(asked, 'w'), "wait %zu: rank %d: %s", last, i,
                         asked->log);
            /* A rank that has done all does not notice. */
            if (asked->status == THAW_OK && watched_count(asked, 's') == watched_count(&whole.ranks[i], 's'))
                continue;
            cr_assert_eq(asked->status, THAW_IO_ERROR, "wait %zu: rank %d", last, i);
            cr_assert_not_null(strstr(asked->message, "the line is cut"), "%s", asked->message);
        }
        watched_steps_release(&taken);
    }
    cr_assert_geq(last, watched_count(&whole.ranks[1], 'w'));
    watched_steps_release(&whole);
}

thaw_status watched_step(thaw_model *model, const watched_batch *from, uint32_t seed, bool spoiled,
                         const thaw_step_options *options)
{
    const thaw_communicator *communicator = options->communicator;
    const int own = communicator ? communicator->rank : 0, ranks = communicator ? communicator->ranks : 1;
    const int64_t count = from->batch / ranks;
    float *values = malloc((size_t)(from->batch * from->width) * sizeof *values);
    int32_t *labels = malloc((size_t)from->batch * sizeof *labels);
    support_fill(values, (size_t)(from->batch * from->width), seed);
    for (int32_t i = 0; i < from->batch; i++)
        labels[i] = i % from->classes;
    if (spoiled)
        values[own * count * from->width] = NAN;
    const thaw_tensor inputs = thaw_view_f32(values + own * count * from->width, 2, (int64_t[]){ count, from->width });
    const thaw_tensor targets = thaw_view_i32(labels + own * count, 1, &count);
    const thaw_status status = thaw_step(model, &inputs, &targets, options, NULL);
    free(values);
    free(labels);
    return status;
}
