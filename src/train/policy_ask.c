/* Asks a policy. */
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "core/philox.h"
#include "distributed/exchange.h"
#include "params/expression.h"
#include "train/policy_run.h"
#include "train/shards.h"

/* Whether a decision is to be taken before the next step. */
static bool is_due(const thaw_trainer *trainer, bool between_epochs)
{
    const thaw_policy_run *run = trainer->policy;
    const size_t step = trainer->position.all_steps;
    if (run->rests || (!between_epochs && run->interval == 0))
        return false;
    if (!run->asked || run->interval == 0)
        return !run->asked || run->asked_at != step;
    return step / run->interval > run->asked_at / run->interval;
}

/* Two words of a draw give 48 bits. */
static void draw(const thaw_trainer *trainer)
{
    const thaw_policy_run *run = trainer->policy;
    const thaw_stream stream = { .seed = trainer->options.seed,
                                 .purpose = THAW_PURPOSE_POLICY,
                                 .step = run->decisions };
    for (size_t b = 0; b < run->block_count; b++) {
        uint32_t words[2];
        thaw_random_fill(trainer->model->context, &stream, 2 * b, THAW_COUNT(words), words);
        run->draws[b] = ((double)(words[0] >> 8) * 0x1p24 + (double)(words[1] >> 8)) * 0x1p-48;
    }
}

static thaw_policy_view make_view(const thaw_trainer *trainer)
{
    const thaw_policy_run *run = trainer->policy;
    return (thaw_policy_view){
        .settings = run->policy->settings,
        .state = run->state,
        .blocks = run->blocks,
        .block_count = run->block_count,
        .prices = run->priced ? run->offered : NULL,
        .epochs = trainer->options.epochs,
        .step = trainer->position.all_steps,
        .epoch_steps = trainer->epoch_steps,
        .loss = thaw_batches_mean(run->loss, run->weight),
        .test_loss = run->test_loss,
        .test_accuracy = run->test_accuracy,
        .draws = run->draws,
    };
}

/* Rank 0's decision is that of all: its times are not the others'. */
static thaw_status share(const thaw_trainer *trainer, thaw_policy_actions *actions)
{
    const thaw_communicator *communicator = trainer->options.communicator;
    void *all;
    if (!communicator || communicator->ranks == 1)
        return THAW_OK;
    const thaw_status status = thaw_gather(trainer->model->context, communicator, actions, sizeof *actions, &all);
    if (status == THAW_OK)
        memcpy(actions, all, sizeof *actions);
    thaw_release(trainer->model->context, all);
    return status;
}

/* What was watched begins anew. */
static void begin_interval(thaw_policy_run *run, size_t step)
{
    run->asked = true;
    run->asked_at = step;
    run->decisions++;
    run->steps = run->watched_steps = 0;
    run->loss = run->weight = 0;
    memset(run->squares, 0, run->block_count * sizeof *run->squares);
}

static thaw_status decide(thaw_trainer *trainer, thaw_policy_actions *actions, int epoch)
{
    thaw_policy_run *run = trainer->policy;
    thaw_policy_find_trained(run);
    thaw_status status = thaw_policy_find_prices(trainer);
    if (status != THAW_OK)
        return status;
    thaw_policy_measure(run);
    draw(trainer);
    const thaw_policy_view view = make_view(trainer);
    run->policy->module.decide(&view, actions);
    status = share(trainer, actions);
    if (status == THAW_OK)
        status = thaw_policy_act_out(trainer, actions, epoch);
    if (status == THAW_OK)
        begin_interval(run, trainer->position.all_steps);
    return status;
}

/* An epoch that began at the feature cache goes on with the data set if the frozen prefix has changed. */
static thaw_status leave_cache(thaw_trainer *trainer)
{
    const thaw_fit_options *options = &trainer->options;
    thaw_plan *plan;
    const thaw_status status =
        thaw_shard_plan(trainer->model, (size_t)options->batch, 0,
                        thaw_shard_range_of((size_t)options->shards, options->communicator), &plan);
    return status == THAW_OK && !thaw_feature_cache_fits(trainer->cache, plan) ? thaw_trainer_leave_cache(trainer)
                                                                               : status;
}

thaw_status thaw_policy_ask(thaw_trainer *trainer, bool between_epochs)
{
    thaw_context *context = trainer->model->context;
    if (!trainer->policy || !is_due(trainer, between_epochs))
        return THAW_OK;
    thaw_policy_actions *actions = thaw_allocate(context, sizeof *actions);
    if (!actions)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = decide(trainer, actions, trainer->position.epoch + between_epochs);
    thaw_release(context, actions);
    if (status == THAW_OK && !between_epochs && trainer->epoch_result.cached)
        status = leave_cache(trainer);
    return status;
}
