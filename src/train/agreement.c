/* Whether all ranks run the same: fingerprints of what they were started with, each under its name. */
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/digest.h"
#include "data/dataset.h"
#include "distributed/exchange.h"
#include "params/keeping.h"
#include "params/suits.h"
#include "policy/policy.h"
#include "train/trainer.h"

/* Causes before what follows from them: the first difference is reported. */
typedef enum item {
    VERSION,
    NETWORK,
    PRECISION,
    SEED,
    DATA,
    TEST_DATA,
    BATCH,
    SHARDS,
    SYNC,
    EPOCHS,
    LAST_BATCH,
    SHUFFLING,
    SCHEDULE,
    CLIPPING,
    MIXING,
    STRATEGY,
    POLICY,
    CACHE,
    MONITOR,
    PATIENCE,
    AVERAGES,
    TESTS,
    FREEZING,
    OPTIMIZERS,
    POSITION,
    OPTIMIZER_STATE,
    WEIGHTS,
    ITEMS
} item;

static const char *const item_names[ITEMS] = {
    [VERSION] = "the version of Thaw",
    [NETWORK] = "the network",
    [PRECISION] = "the precision",
    [FREEZING] = "what is frozen",
    [OPTIMIZERS] = "the optimizers and their settings",
    [OPTIMIZER_STATE] = "the optimizers' state",
    [WEIGHTS] = "the weights",
    [POSITION] = "the position in the run",
    [DATA] = "the data set",
    [TEST_DATA] = "the test data",
    [BATCH] = "the batch",
    [SHARDS] = "the shards",
    [SYNC] = "sync_batch_norm",
    [EPOCHS] = "the epochs",
    [LAST_BATCH] = "drop_last",
    [SHUFFLING] = "no_shuffle",
    [SEED] = "the seed",
    [SCHEDULE] = "the schedule",
    [CLIPPING] = "clip_norm",
    [MIXING] = "the mixing",
    [STRATEGY] = "the strategy",
    [POLICY] = "the policy",
    [CACHE] = "the feature cache",
    [MONITOR] = "the monitored figure",
    [PATIENCE] = "the patience",
    [AVERAGES] = "the averaged weights",
    [TESTS] = "test_every",
};

/* One rank's fingerprints. */
typedef struct facts {
    thaw_digest digests[ITEMS];
} facts;

static void add_real(thaw_digest *digest, double value)
{
    thaw_digest_add(digest, &value, sizeof value);
}

static void add_shape(thaw_digest *digest, const thaw_shape *shape)
{
    thaw_digest_add(digest, shape->dims, (size_t)shape->rank * sizeof *shape->dims);
}

/* ---- the model ---- */

static thaw_status add_network(const thaw_model *model, thaw_digest *digest)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < model->node_count; i++) {
        const thaw_graph_node *node = &model->nodes[i];
        thaw_digest_add_text(digest, node->name);
        thaw_digest_add_text(digest, node->module ? node->module->name : "input");
        thaw_digest_add(digest, node->inputs, node->input_count * sizeof *node->inputs);
        add_shape(digest, &node->output);
    }
    for (size_t i = 0; i < model->parameters.parameter_count && status == THAW_OK; i++) {
        const thaw_parameter *parameter = model->parameters.parameters[i];
        char *formula = NULL;
        thaw_digest_add_text(digest, parameter->name);
        add_shape(digest, &parameter->shape);
        if (parameter->bound)
            status = thaw_expression_describe(parameter->bound, &formula);
        thaw_digest_add_text(digest, formula ? formula : "");
        thaw_text_destroy(model->context, formula);
    }
    return status;
}

static void add_freezing(const thaw_parameter *parameter, thaw_digest *digest)
{
    thaw_digest_add_number(digest, parameter->group->trainable);
    thaw_digest_add_number(digest, (uint64_t)parameter->override);
    if (parameter->frozen_elements)
        thaw_digest_add(digest, parameter->frozen_elements, (parameter->count + 63) / 64 * sizeof(uint64_t));
}

static void add_optimizer(const thaw_group *group, thaw_digest *digest)
{
    add_real(digest, group->learning_rate);
    add_real(digest, group->weight_decay);
    if (!group->optimizer)
        return;
    thaw_setting setting;
    thaw_digest_add_text(digest, group->optimizer->name);
    for (size_t i = 0; thaw_optimizer_setting(group->optimizer, i, &setting); i++)
        add_real(digest, *setting.value);
}

static void add_state(const thaw_parameter *parameter, thaw_digest *digest)
{
    thaw_digest_add_number(digest, parameter->steps);
    for (size_t k = 0; k < THAW_MOST_SLOTS; k++)
        if (parameter->slot[k] && parameter->slot_steps[k] > 0)
            thaw_digest_add(digest, parameter->slot[k], thaw_parameter_slot_bytes(parameter, k));
}

static void add_values(const thaw_parameter *parameter, thaw_digest *digest)
{
    float piece[1024];
    for (size_t first = 0; first < parameter->count; first += THAW_COUNT(piece)) {
        const size_t left = parameter->count - first, count = left < THAW_COUNT(piece) ? left : THAW_COUNT(piece);
        thaw_parameter_read(parameter, first, count, piece);
        thaw_digest_add(digest, piece, count * sizeof *piece);
    }
}

static thaw_status add_model(const thaw_model *model, facts *own)
{
    const thaw_parameter_set *set = &model->parameters;
    thaw_digest_add_text(&own->digests[VERSION], thaw_version());
    thaw_digest_add_number(&own->digests[PRECISION], (uint64_t)model->precision.all);
    thaw_digest_add_number(&own->digests[PRECISION], (uint64_t)model->precision.frozen);
    thaw_digest_add_number(&own->digests[SYNC], model->syncs);
    thaw_digest_add_number(&own->digests[POSITION], model->steps);
    for (size_t i = 0; i < set->group_count; i++) {
        add_optimizer(set->groups[i], &own->digests[OPTIMIZERS]);
        if (set->groups[i]->optimizer && set->groups[i]->optimizer->state == THAW_BF16) /* is rounded by chance */
            thaw_digest_add_number(&own->digests[SEED], model->context->seed);
    }
    for (size_t i = 0; i < set->parameter_count; i++) {
        add_freezing(set->parameters[i], &own->digests[FREEZING]);
        add_state(set->parameters[i], &own->digests[OPTIMIZER_STATE]);
        add_values(set->parameters[i], &own->digests[WEIGHTS]);
    }
    return add_network(model, &own->digests[NETWORK]);
}

/* ---- the run ---- */

static thaw_status add_data(thaw_dataset *dataset, thaw_digest *digest)
{
    if (!dataset)
        return THAW_OK;
    const thaw_source *source = &dataset->source;
    thaw_digest_add_number(digest, source->count);
    thaw_digest_add_number(digest, source->classes);
    add_shape(digest, &source->sample_shape);
    add_shape(digest, &source->target_shape);
    return thaw_dataset_identify(dataset, digest);
}

static void add_schedule(const thaw_schedule *schedule, thaw_digest *digest)
{
    thaw_digest_add_number(digest, (uint64_t)schedule->kind);
    thaw_digest_add_number(digest, (uint64_t)schedule->every);
    add_real(digest, schedule->warmup_epochs);
    add_real(digest, schedule->gamma);
    add_real(digest, schedule->floor);
    add_real(digest, schedule->rising);
    add_real(digest, schedule->start_divisor);
    add_real(digest, schedule->end_divisor);
}

static void add_strategy(const thaw_strategy *strategy, const char *head, thaw_digest *digest)
{
    thaw_digest_add_text(digest, head ? head : "");
    for (size_t i = 0; strategy && i < strategy->rule_count; i++) {
        const thaw_strategy_rule *rule = &strategy->rules[i];
        thaw_digest_add_number(digest, (uint64_t)rule->epoch);
        thaw_digest_add_number(digest, (uint64_t)rule->action);
        thaw_digest_add_text(digest, rule->pattern);
        add_real(digest, rule->share);
        add_real(digest, rule->value);
    }
}

static void add_policy(const thaw_policy *policy, thaw_digest *digest)
{
    thaw_digest_add_text(digest, policy ? policy->module.name : "");
    for (size_t i = 0; policy && i < policy->module.setting_count; i++)
        add_real(digest, policy->settings[i]);
}

static thaw_status add_options(const thaw_fit_options *options, facts *own)
{
    thaw_digest_add_number(&own->digests[BATCH], (uint64_t)options->batch);
    thaw_digest_add_number(&own->digests[SHARDS], (uint64_t)options->shards);
    thaw_digest_add_number(&own->digests[EPOCHS], (uint64_t)options->epochs);
    thaw_digest_add_number(&own->digests[LAST_BATCH], options->drop_last);
    thaw_digest_add_number(&own->digests[SHUFFLING], options->no_shuffle);
    thaw_digest_add_number(&own->digests[SEED], options->seed);
    add_schedule(&options->schedule, &own->digests[SCHEDULE]);
    add_real(&own->digests[CLIPPING], options->clip_norm);
    thaw_digest_add(&own->digests[MIXING], &options->mixing, sizeof options->mixing);
    add_strategy(options->strategy, options->head, &own->digests[STRATEGY]);
    add_policy(options->policy, &own->digests[POLICY]);
    thaw_digest_add_number(&own->digests[CACHE], options->cache_bytes);
    thaw_digest_add_number(&own->digests[CACHE], (uint64_t)options->cache_dtype);
    thaw_digest_add_number(&own->digests[MONITOR], (uint64_t)options->best.monitor);
    thaw_digest_add_number(&own->digests[PATIENCE], (uint64_t)options->best.patience);
    thaw_digest_add_number(&own->digests[TESTS], (uint64_t)options->test_every);
    return add_data(options->test, &own->digests[TEST_DATA]);
}

static void add_averages(const thaw_average *average, double decay, thaw_digest *digest)
{
    add_real(digest, decay);
    for (size_t i = 0; average && i < average->count; i++) {
        const thaw_averaged *entry = &average->entries[i];
        thaw_digest_add_number(digest, average->updates - entry->updates);
        thaw_digest_add(digest, entry->values, entry->parameter->count * sizeof(float));
    }
}

/* ---- comparing ---- */

static thaw_status compare(thaw_context *context, const facts *all, int ranks)
{
    for (size_t k = 0; k < ITEMS; k++)
        for (int rank = 1; rank < ranks; rank++)
            if (memcmp(&all[rank].digests[k], &all[0].digests[k], sizeof all->digests[k]) != 0)
                return thaw_fail(context, THAW_INVALID_ARGUMENT,
                                 "the ranks must agree, but rank %d differs from rank 0 in %s", rank, item_names[k]);
    return THAW_OK;
}

/* Shares this rank's facts, or that it has none. */
static thaw_status share_and_compare(thaw_context *context, const thaw_communicator *communicator, const facts *own)
{
    void *all;
    thaw_status status = thaw_gather(context, communicator, own, sizeof *own, &all);
    if (status == THAW_OK)
        status = compare(context, all, communicator->ranks);
    else
        thaw_give_up(communicator, thaw_context_message(context));
    thaw_release(context, all);
    return status;
}

static thaw_status add_run(const thaw_trainer *trainer, facts *own)
{
    thaw_digest_add_number(&own->digests[POSITION], (uint64_t)trainer->position.epoch);
    thaw_digest_add_number(&own->digests[POSITION], trainer->position.step);
    thaw_digest_add_number(&own->digests[POSITION], trainer->position.all_steps);
    add_averages(trainer->average, trainer->options.average_decay, &own->digests[AVERAGES]);
    return add_options(&trainer->options, own);
}

/* `trainer`: NULL where the host drives the steps. */
static thaw_status agree(thaw_model *model, thaw_dataset *dataset, const thaw_trainer *trainer,
                         const thaw_communicator *communicator)
{
    facts own = { 0 };
    thaw_status status = add_model(model, &own);
    if (status == THAW_OK)
        status = add_data(dataset, &own.digests[DATA]);
    if (status == THAW_OK && trainer)
        status = add_run(trainer, &own);
    if (status == THAW_OK)
        return share_and_compare(model->context, communicator, &own);
    thaw_give_up(communicator, thaw_context_message(model->context));
    return status;
}

thaw_status thaw_ranks_agree(thaw_model *model, thaw_dataset *dataset, const thaw_communicator *communicator)
{
    const thaw_status status = thaw_communicator_check(model->context, communicator);
    return status == THAW_OK ? agree(model, dataset, NULL, communicator) : status;
}

thaw_status thaw_trainer_agree(const thaw_trainer *trainer)
{
    return agree(trainer->model, trainer->dataset, trainer, trainer->options.communicator);
}
