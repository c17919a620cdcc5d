#include "compare/comparison.h"
#include "compare/tuning.h"

#include <math.h>
#include <thaw/runtime.h>

#include "data/shuffle.h"

/* ---------------------------------------------------------------- the matrix */

/* Half a decade between rates, with the optimizer's own in the middle; the lower middle of an even number. */
static double rate_at(double own, int index, int rates)
{
    const int from_middle = index - (rates - 1) / 2;
    return from_middle ? own * pow(10, from_middle / 2.0) : own;
}

/* Also checks that the optimizer accepts all of them. */
static thaw_status own_rate(thaw_context *context, const char *description, int rates, double *rate)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(context, description, &optimizer);
    *rate = status == THAW_OK ? thaw_optimizer_get(optimizer, "lr") : NAN;
    for (int i = 0; i < rates && status == THAW_OK && !isnan(*rate); i++)
        status = thaw_optimizer_set(optimizer, "lr", rate_at(*rate, i, rates));
    thaw_optimizer_destroy(optimizer);
    if (status == THAW_OK && isnan(*rate))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "comparison: optimizer %s has no learning rate \"lr\"",
                         description);
    return status;
}

static thaw_status fill_entries(thaw_comparison *comparison)
{
    const thaw_comparison_options *options = &comparison->options;
    const size_t rates = (size_t)options->rates;
    const size_t count = options->optimizer_count * options->strategy_count * rates;
    comparison->entries = thaw_allocate_array(comparison->context, count, sizeof *comparison->entries);
    comparison->configurations = thaw_allocate_array(comparison->context, count, sizeof *comparison->configurations);
    if (!comparison->entries || !comparison->configurations)
        return THAW_OUT_OF_MEMORY;
    for (; comparison->entry_count < count; comparison->entry_count++) {
        const size_t pair = comparison->entry_count / rates;
        const size_t contender = pair % options->strategy_count, own = options->strategy_count - options->policy_count;
        const char *optimizer = options->optimizers[pair / options->strategy_count];
        double rate;
        const thaw_status status = own_rate(comparison->context, optimizer, options->rates, &rate);
        if (status != THAW_OK)
            return status;
        thaw_comparison_entry *entry = &comparison->entries[comparison->entry_count];
        *entry = (thaw_comparison_entry){
            .strategy = options->strategies[contender],
            .policy = contender < own ? NULL : options->policies[contender - own],
            .optimizer = optimizer,
            .learning_rate = rate_at(rate, (int)(comparison->entry_count % rates), options->rates),
            .runs = thaw_allocate_array(comparison->context, (size_t)options->seeds, sizeof *entry->runs),
        };
        if (!entry->runs)
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

/* Each strategy once: what it does to the model does not depend on the optimizer or its rate. */
static thaw_status try_strategies(thaw_comparison *comparison)
{
    const size_t rates = (size_t)comparison->options.rates;
    thaw_status status = THAW_OK;
    const size_t own = comparison->options.strategy_count - comparison->options.policy_count;
    for (size_t i = 0; i < own && status == THAW_OK; i++)
        status = thaw_run_try(comparison, &comparison->entries[i * rates]);
    return status;
}

/* Each round has an order of its own: neither a machine that drifts nor what runs at the same time favours a
   configuration. */
static thaw_status fill_order(thaw_comparison *comparison)
{
    const size_t count = comparison->entry_count, rounds = (size_t)comparison->options.seeds;
    comparison->order = thaw_allocate_array(comparison->context, count * rounds, sizeof *comparison->order);
    for (size_t round = 0; comparison->order && round < rounds; round++)
        thaw_shuffle(comparison->context, comparison->options.first_seed, round, comparison->order + round * count,
                     count);
    return comparison->order ? THAW_OK : THAW_OUT_OF_MEMORY;
}

static thaw_status make_head(thaw_comparison *comparison)
{
    thaw_run_model made;
    thaw_status status =
        thaw_run_model_open(comparison, &comparison->entries[0], comparison->options.first_seed, true, &made);
    if (status == THAW_OK)
        status = thaw_results_head(comparison, made.model, &comparison->head);
    if (status != THAW_OK)
        thaw_fail(comparison->context, status, "%s", thaw_run_model_message(&made));
    thaw_run_model_close(&made);
    return status;
}

static thaw_status prepare(thaw_comparison *comparison)
{
    thaw_status status = fill_entries(comparison);
    if (status == THAW_OK)
        status = fill_order(comparison);
    if (status == THAW_OK && comparison->options.trials)
        status = thaw_tuning_create(comparison, &comparison->tuning);
    if (status == THAW_OK)
        status = try_strategies(comparison);
    if (status == THAW_OK)
        status = make_head(comparison);
    if (status == THAW_OK && comparison->options.results)
        status = thaw_results_resume(comparison);
    if (status == THAW_OK && comparison->options.results)
        status = thaw_results_check_place(comparison);
    return status;
}

thaw_status thaw_comparison_create(thaw_context *context, const thaw_comparison_options *options,
                                   thaw_comparison **comparison)
{
    *comparison = NULL;
    thaw_comparison_options chosen = *options;
    thaw_status status = thaw_comparison_check_options(context, &chosen);
    if (status != THAW_OK)
        return status;
    thaw_comparison *made = thaw_allocate_array(context, 1, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_comparison){ .context = context, .options = chosen, .journal.descriptor = -1 };
    pthread_mutex_init(&made->building, NULL);
    pthread_mutex_init(&made->telling, NULL);
    pthread_mutex_init(&made->keeping, NULL);
    status = thaw_comparison_join_policies(made);
    if (status == THAW_OK)
        status = prepare(made);
    if (status == THAW_OK)
        *comparison = made;
    else
        thaw_comparison_destroy(made);
    return status;
}

void thaw_comparison_destroy(thaw_comparison *comparison)
{
    if (!comparison)
        return;
    thaw_context *context = comparison->context;
    thaw_tuning_destroy(comparison, comparison->tuning);
    for (size_t i = 0; i < comparison->entry_count; i++) {
        for (int k = 0; k < comparison->options.seeds; k++)
            json_decref(comparison->entries[i].runs[k]);
        thaw_release(context, comparison->entries[i].runs);
    }
    thaw_release(context, comparison->entries);
    thaw_release(context, comparison->configurations);
    thaw_release(context, comparison->order);
    thaw_release(context, comparison->named);
    thaw_release(context, comparison->contenders);
    json_decref(comparison->rungs);
    json_decref(comparison->head);
    thaw_journal_close(&comparison->journal);
    pthread_mutex_destroy(&comparison->building);
    pthread_mutex_destroy(&comparison->telling);
    pthread_mutex_destroy(&comparison->keeping);
    thaw_release(context, comparison);
}

/* ---------------------------------------------------------------- results */

thaw_run_set thaw_comparison_final_runs(const thaw_comparison *comparison)
{
    return (thaw_run_set){
        .entries = comparison->entries,
        .entry_count = comparison->entry_count,
        .order = comparison->order,
        .rounds = (size_t)comparison->options.seeds,
        .first_seed = comparison->options.first_seed,
    };
}

size_t thaw_comparison_all_runs(const thaw_comparison *comparison)
{
    const size_t trials = comparison->tuning ? comparison->tuning->runs.entry_count : 0;
    return trials + comparison->entry_count * (size_t)comparison->options.seeds;
}

size_t thaw_comparison_count(const thaw_comparison *comparison)
{
    return comparison->entry_count;
}

thaw_status thaw_comparison_at(thaw_comparison *comparison, size_t index, thaw_configuration *configuration)
{
    if (index >= comparison->entry_count)
        return thaw_fail(comparison->context, THAW_INVALID_ARGUMENT, "no configuration %zu, there are %zu", index,
                         comparison->entry_count);
    pthread_mutex_lock(&comparison->keeping);
    const thaw_status status = comparison->summarized ? THAW_OK : thaw_summarize(comparison);
    if (status == THAW_OK)
        *configuration = comparison->configurations[index];
    pthread_mutex_unlock(&comparison->keeping);
    return status;
}
