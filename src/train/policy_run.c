#include "train/policy_run.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "update/update.h"

/* Which parameters and groups are the policy's: those that train now. */
static void find_parameters(thaw_policy_run *run, const thaw_model *model, const thaw_model_blocks *found)
{
    const thaw_parameter_set *set = &model->parameters;
    for (size_t i = 0; i < run->number_count; i++)
        run->block_of[i] = run->block_count;
    for (size_t i = 0; i < set->parameter_count; i++) {
        thaw_parameter *parameter = set->parameters[i];
        const size_t block = thaw_block_of_parameter(model, found, parameter->name);
        run->block_of[parameter->stored->number] = block;
        if (block == run->block_count || !parameter->in_use || !thaw_parameter_trainable(parameter))
            continue;
        run->blocks[block].parameters += parameter->count;
        run->parameters[run->parameter_count++] =
            (thaw_watched_parameter){ .parameter = parameter, .block = block, .override = parameter->override };
    }
    for (size_t i = 0; i < set->group_count; i++) {
        thaw_group *group = set->groups[i];
        const size_t block =
            group->parameter_count ? run->block_of[group->parameters[0]->stored->number] : run->block_count;
        if (block < run->block_count && group->trainable)
            run->groups[run->group_count++] =
                (thaw_watched_group){ .group = group, .block = block, .rate = group->learning_rate };
    }
}

static thaw_status allocate(thaw_policy_run *run, thaw_model *model, size_t blocks)
{
    thaw_context *context = model->context;
    const thaw_parameter_set *set = &model->parameters;
    const thaw_policy *policy = run->policy;
    run->block_count = blocks;
    run->number_count = set->number_count;
    run->state_count = policy->module.state_count ? policy->module.state_count(policy->settings, blocks) : 0;
    run->blocks = thaw_allocate_array(context, blocks, sizeof *run->blocks);
    run->names = thaw_allocate_array(context, blocks, sizeof *run->names);
    run->block_of = thaw_allocate_array(context, run->number_count + 1, sizeof *run->block_of);
    run->parameters = thaw_allocate_array(context, set->parameter_count + 1, sizeof *run->parameters);
    run->groups = thaw_allocate_array(context, set->group_count + 1, sizeof *run->groups);
    run->draws = thaw_allocate_array(context, blocks, sizeof *run->draws);
    run->state = thaw_allocate_array(context, run->state_count + 1, sizeof *run->state);
    run->squares = thaw_allocate_array(context, blocks, sizeof *run->squares);
    run->prices = thaw_allocate_array(context, blocks, sizeof *run->prices);
    run->offered = thaw_allocate_array(context, blocks, sizeof *run->offered);
    run->parameter_squares = thaw_allocate_array(context, set->parameter_count + 1, sizeof *run->parameter_squares);
    return run->blocks && run->names && run->block_of && run->parameters && run->groups && run->draws && run->state &&
                   run->squares && run->prices && run->offered && run->parameter_squares
               ? THAW_OK
               : THAW_OUT_OF_MEMORY;
}

/* Memory for the weights of the last decision. */
static thaw_status keep_weights(thaw_policy_run *run, thaw_context *context)
{
    size_t floats = 0;
    if (!(run->watches & THAW_WATCH_UPDATES))
        return THAW_OK;
    for (size_t i = 0; i < run->parameter_count; i++)
        floats += thaw_padded_floats(run->parameters[i].parameter->count);
    run->values = thaw_allocate_array(context, floats + 1, sizeof *run->values);
    float *at = run->values;
    for (size_t i = 0; run->values && i < run->parameter_count; i++) {
        run->parameters[i].before = at;
        at += thaw_padded_floats(run->parameters[i].parameter->count);
    }
    return run->values ? THAW_OK : THAW_OUT_OF_MEMORY;
}

void thaw_policy_find_trained(thaw_policy_run *run)
{
    for (size_t b = 0; b < run->block_count; b++)
        run->blocks[b].trains = false;
    for (size_t i = 0; i < run->parameter_count; i++)
        if (thaw_parameter_trainable(run->parameters[i].parameter))
            run->blocks[run->parameters[i].block].trains = true;
}

static thaw_status fill(thaw_policy_run *run, thaw_model *model, const thaw_model_blocks *found)
{
    thaw_status status = allocate(run, model, found->count);
    if (status != THAW_OK)
        return status;
    thaw_model_blocks_name(model, found, run->names);
    find_parameters(run, model, found);
    thaw_policy_find_trained(run);
    for (size_t b = 0; b < run->block_count; b++) {
        thaw_policy_block *block = &run->blocks[b];
        block->name = run->names[b];
        block->fixed = !block->trains;
        block->rate = 1;
        block->weight_norm = block->gradient_norm = block->update_norm = NAN;
    }
    return keep_weights(run, model->context);
}

/* What plans were made from is another then: those that were kept for other states of freezing go. */
static void set_recurs(thaw_model *model, bool recurs)
{
    model->parameters.recurs = recurs;
    model->parameters.revision++;
}

thaw_status thaw_policy_run_create(thaw_trainer *trainer)
{
    const thaw_fit_options *options = &trainer->options;
    const thaw_policy *policy = options->policy;
    thaw_model *model = trainer->model;
    if (!policy)
        return THAW_OK;
    if (options->strategy)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "the run has the strategy %s and the policy %s, must have one of them",
                         options->strategy->name ? options->strategy->name : "without a name", policy->name);
    thaw_policy_run *run = trainer->policy = thaw_allocate(model->context, sizeof *run);
    if (!run)
        return THAW_OUT_OF_MEMORY;
    *run = (thaw_policy_run){ .policy = policy, .test_loss = NAN, .test_accuracy = NAN };
    run->watches = policy->module.watches ? policy->module.watches(policy->settings) : 0;
    run->interval = policy->module.interval ? policy->module.interval(policy->settings) : 0;
    if (policy->module.recurs)
        set_recurs(model, true);
    thaw_model_blocks found;
    thaw_status status = thaw_model_blocks_find(model, options->head, &found);
    if (status == THAW_OK)
        status = fill(run, model, &found);
    thaw_model_blocks_release(model->context, &found);
    return status;
}

void thaw_policy_run_release(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    thaw_policy_run *run = trainer->policy;
    if (!run)
        return;
    if (trainer->model->parameters.recurs)
        set_recurs(trainer->model, false);
    thaw_price_list_destroy(run->list);
    void *const memory[] = {
        run->blocks,  run->names,  run->block_of, run->parameters,        run->groups, run->draws,  run->state,
        run->squares, run->prices, run->offered,  run->parameter_squares, run->values, run->seconds
    };
    for (size_t i = 0; i < THAW_COUNT(memory); i++)
        thaw_release(context, memory[i]);
    thaw_release(context, run);
    trainer->policy = NULL;
}
