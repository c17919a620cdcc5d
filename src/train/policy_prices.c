/* What a run would cost with more of it frozen, for its policy. */
#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "core/clock.h"
#include "core/context.h"
#include "data/dataset.h"
#include "params/expression.h"
#include "train/policy_run.h"
#include "train/shards.h"

/* Steps that are timed; the first of a run pay for memory that is touched for the first time. */
enum { TIMED_STEPS = 10, FROZEN_RUNS = 4 };

/* ---- timing ---- */

bool thaw_policy_times_step(const thaw_trainer *trainer)
{
    const thaw_policy_run *run = trainer->policy;
    return run && run->watches & THAW_WATCH_TIMES && !run->priced && run->timed_steps < TIMED_STEPS &&
           trainer->position.all_steps > 0 && !trainer->epoch_result.cached &&
           trainer->batch.all == (size_t)trainer->options.batch;
}

thaw_status thaw_policy_prepare_timing(thaw_trainer *trainer, const thaw_training_batch *batch, thaw_shard_range range)
{
    thaw_policy_run *run = trainer->policy;
    const int64_t count = trainer->options.batch / (int64_t)range.shards;
    const thaw_evaluated_batch frozen = { .count = count, .samples = batch->samples, .most = batch->most };
    if (run->list)
        return THAW_OK;
    thaw_status status = thaw_price_list_create(trainer->model, count, range, &run->list);
    if (status == THAW_OK)
        status = thaw_price_list_time_frozen(run->list, &frozen, FROZEN_RUNS);
    if (status != THAW_OK) {
        thaw_price_list_destroy(run->list);
        run->list = NULL;
    }
    return status;
}

thaw_status thaw_policy_begin_timing(thaw_trainer *trainer, thaw_plan *plan)
{
    thaw_policy_run *run = trainer->policy;
    thaw_program *program = &plan->program;
    double *seconds =
        thaw_grow(trainer->model->context, run->seconds, &run->second_count, program->count + 1, sizeof *seconds);
    if (!seconds)
        return THAW_OUT_OF_MEMORY;
    run->seconds = seconds;
    for (size_t i = 0; i < program->count; i++)
        program->instructions[i].seconds = 0;
    program->rest = 0;
    program->timed = true;
    program->clock = thaw_seconds();
    return THAW_OK;
}

void thaw_policy_end_timing(thaw_trainer *trainer, thaw_plan *plan, bool done)
{
    thaw_policy_run *run = trainer->policy;
    thaw_program *program = &plan->program;
    program->timed = false;
    if (!done)
        return;
    for (size_t i = 0; i < program->count; i++)
        run->seconds[i] = program->instructions[i].seconds;
    thaw_price_list_add_step(run->list, plan, run->seconds, program->rest + thaw_seconds() - program->clock);
    run->timed_steps++;
}

/* ---- pricing ---- */

static thaw_status price_cut(const thaw_trainer *trainer, bool *frozen, size_t cut)
{
    thaw_policy_run *run = trainer->policy;
    for (size_t i = 0; i < run->number_count; i++)
        frozen[i] = run->block_of[i] < cut;
    const thaw_status status = thaw_price_list_price(run->list, frozen, &run->prices[cut]);
    if (status != THAW_NOTHING_TRAINABLE)
        return status;
    run->prices[cut] =
        (thaw_price){ .step_seconds = NAN, .cached_step_seconds = NAN, .step_flops = NAN, .cached_step_flops = NAN };
    return THAW_OK;
}

static thaw_status price_all(thaw_trainer *trainer)
{
    thaw_policy_run *run = trainer->policy;
    thaw_context *context = trainer->model->context;
    const thaw_shard_range range = thaw_shard_range_of((size_t)trainer->options.shards, trainer->options.communicator);
    thaw_status status = THAW_OK;
    if (!run->list)
        status =
            thaw_price_list_create(trainer->model, trainer->options.batch / (int64_t)range.shards, range, &run->list);
    bool *frozen = thaw_allocate_array(context, run->number_count + 1, sizeof *frozen);
    if (status == THAW_OK && !frozen)
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK && run->timed_steps)
        thaw_price_list_scale(run->list, 1 / (double)run->timed_steps);
    for (size_t cut = 0; cut < run->block_count && status == THAW_OK; cut++)
        status = price_cut(trainer, frozen, cut);
    thaw_release(context, frozen);
    run->priced = status == THAW_OK;
    thaw_price_list_destroy(run->list);
    run->list = NULL;
    run->timed_steps = 0;
    return status;
}

/* What is left of the run, with one number for a step and one for a step from the cache. */
static double left_of(const thaw_trainer *trainer, bool cached, bool filled, double step, double cached_step)
{
    const double epochs =
        (double)trainer->options.epochs - (double)trainer->position.all_steps / (double)trainer->epoch_steps;
    const double uncached = !cached ? epochs : filled ? 0 : fmin(1, epochs);
    return (double)trainer->epoch_steps * (uncached * step + (epochs - uncached) * cached_step);
}

/* Whether what trains now has trained in a whole epoch, which has then filled a cache. A run that continues has to fill it
   again, but must decide as if it had not stopped. */
static bool has_lasted(const thaw_trainer *trainer)
{
    const size_t each = trainer->epoch_steps, changed_at = trainer->policy->changed_at;
    return (changed_at + each - 1) / each * each + each <= trainer->position.all_steps;
}

static void offer(const thaw_trainer *trainer)
{
    thaw_policy_run *run = trainer->policy;
    const thaw_fit_options *options = &trainer->options;
    const bool keeps = options->cache_bytes > 0 || options->cache_file;
    size_t now = 0;
    while (now < run->block_count && !run->blocks[now].trains)
        now++;
    const bool lasting = has_lasted(trainer);
    for (size_t cut = 0; cut < run->block_count; cut++) {
        const thaw_price *price = &run->prices[cut];
        const bool cached = keeps && price->cache_sample_bytes > 0;
        run->offered[cut] = (thaw_policy_price){
            .step_seconds = price->step_seconds,
            .cached_step_seconds = price->cached_step_seconds,
            .step_flops = price->step_flops,
            .cached_step_flops = price->cached_step_flops,
            .seconds_left =
                left_of(trainer, cached, cut == now && lasting, price->step_seconds, price->cached_step_seconds),
            .flops_left = left_of(trainer, cached, cut == now && lasting, price->step_flops, price->cached_step_flops),
            .memory_bytes = price->memory_bytes,
            .cache_bytes = cached ? price->cache_sample_bytes * thaw_dataset_count(trainer->dataset) : 0,
            .trainable_parameters = price->trainable_parameters,
        };
    }
}

thaw_status thaw_policy_find_prices(thaw_trainer *trainer)
{
    thaw_policy_run *run = trainer->policy;
    const bool waits = run->watches & THAW_WATCH_TIMES && run->timed_steps == 0;
    thaw_status status = THAW_OK;
    if (!(run->watches & (THAW_WATCH_PRICES | THAW_WATCH_TIMES)))
        return THAW_OK;
    if (!run->priced && trainer->position.all_steps > 0 && !waits)
        status = price_all(trainer);
    if (status == THAW_OK && run->priced)
        offer(trainer);
    return status;
}
