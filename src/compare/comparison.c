#include "compare/comparison.h"

#include <math.h>
#include <string.h>

#include "core/threads.h"
#include "data/shuffle.h"
#include "distributed/exchange.h"

enum { MOST_RUNS = 100000 };

/* ---------------------------------------------------------------- options */

static thaw_status refuse(thaw_context *context, const char *what)
{
    return thaw_fail(context, THAW_INVALID_ARGUMENT, "comparison: %s", what);
}

/* Results are JSON, which holds no other text. */
static thaw_status check_text(thaw_context *context, const char *what, const char *text)
{
    json_t *taken = text ? json_string(text) : json_null();
    const bool good = taken != NULL;
    json_decref(taken);
    return good ? THAW_OK
                : thaw_fail(context, THAW_INVALID_ARGUMENT, "comparison: %s is not UTF-8 text, as the results must be",
                            what);
}

static thaw_status check_texts(thaw_context *context, const thaw_comparison_options *options)
{
    const struct {
        const char *what, *text;
    } texts[] = {
        { "model", options->model },     { "load", options->load },           { "reset", options->reset },
        { "data", options->data },       { "test_data", options->test_data }, { "head", options->head },
        { "command", options->command },
    };
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < THAW_COUNT(texts) && status == THAW_OK; i++)
        status = check_text(context, texts[i].what, texts[i].text);
    for (size_t i = 0; i < options->strategy_count && status == THAW_OK; i++)
        status = check_text(context, "a strategy's name", options->strategies[i]->name);
    for (size_t i = 0; i < options->optimizer_count && status == THAW_OK; i++)
        status = check_text(context, "an optimizer", options->optimizers[i]);
    return status;
}

static thaw_status check_names(thaw_context *context, const thaw_comparison_options *options)
{
    for (size_t i = 0; i < options->strategy_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(options->strategies[i]->name, options->strategies[k]->name) == 0)
                return thaw_fail(context, THAW_INVALID_ARGUMENT, "comparison: strategy %s is given twice",
                                 options->strategies[i]->name);
    for (size_t i = 0; i < options->optimizer_count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(options->optimizers[i], options->optimizers[k]) == 0)
                return thaw_fail(context, THAW_INVALID_ARGUMENT, "comparison: optimizer %s is given twice",
                                 options->optimizers[i]);
    return THAW_OK;
}

/* Runs that wait for each other's threads would measure the waiting. */
static thaw_status check_jobs(thaw_context *context, int jobs)
{
    const int threads = thaw_context_threads(context), cores = thaw_threads_available();
    if (jobs == 1)
        return THAW_OK;
    if (jobs > cores / threads)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "comparison: %d runs at a time on %d thread%s each need more than the %d core%s available",
                         jobs, threads, threads == 1 ? "" : "s", cores, cores == 1 ? "" : "s");
    if (thaw_threads_bound())
        return refuse(context,
                      "OpenMP binds threads to cores (OMP_PROC_BIND, OMP_PLACES), the threads of all runs to the same "
                      "ones");
    return THAW_OK;
}

/* Rank 0 alone writes. */
static thaw_status check_ranks(thaw_context *context, thaw_comparison_options *options)
{
    const thaw_communicator *communicator = options->communicator;
    const thaw_status status = communicator ? thaw_communicator_check(context, communicator) : THAW_OK;
    if (status != THAW_OK || !communicator)
        return status;
    if (communicator->ranks > 1 && options->jobs > 1)
        return refuse(context, "jobs must be 1 on several ranks: each rank has one run at a time");
    if (communicator->rank > 0)
        options->results = NULL;
    return THAW_OK;
}

static thaw_status check_options(thaw_context *context, thaw_comparison_options *options)
{
    if (!options->build || !options->training || !options->test)
        return refuse(context, "build, training and test must be set");
    if (options->strategy_count == 0 || options->optimizer_count == 0)
        return refuse(context, "there must be at least one strategy and one optimizer");
    if (options->rates < 0 || options->seeds < 0 || options->epochs < 0 || options->batch < 0 || options->jobs < 0)
        return refuse(context, "rates, seeds, epochs, batch and jobs must not be negative");
    if (!isfinite(options->target_accuracy) || options->target_accuracy < 0 || options->target_accuracy > 1)
        return refuse(context, "target_accuracy must be from 0 to 1");
    if (!isfinite(options->target_loss) || options->target_loss < 0)
        return refuse(context, "target_loss must be finite and not negative");
    if (options->target_accuracy > 0 && options->target_loss > 0)
        return refuse(context, "there must be one target, of accuracy or of loss");
    if (options->first_seed > INT64_MAX - MOST_RUNS)
        return refuse(context, "seeds must be below 2^63");
    options->rates = options->rates ? options->rates : 1;
    options->seeds = options->seeds ? options->seeds : 1;
    options->epochs = options->epochs ? options->epochs : 1;
    options->batch = options->batch ? options->batch : 128;
    options->jobs = options->jobs ? options->jobs : 1;
    const double runs = (double)options->strategy_count * (double)options->optimizer_count * options->rates *
                        options->seeds * options->epochs;
    if (runs > MOST_RUNS * 100.0 || options->seeds > MOST_RUNS)
        return refuse(context, "more than ten million epochs");
    thaw_status status = thaw_race_check(context, options);
    if (status == THAW_OK)
        status = check_ranks(context, options);
    if (status == THAW_OK)
        status = check_jobs(context, options->jobs);
    if (status == THAW_OK)
        status = check_texts(context, options);
    return status == THAW_OK ? check_names(context, options) : status;
}

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
        const char *optimizer = options->optimizers[pair / options->strategy_count];
        double rate;
        const thaw_status status = own_rate(comparison->context, optimizer, options->rates, &rate);
        if (status != THAW_OK)
            return status;
        thaw_comparison_entry *entry = &comparison->entries[comparison->entry_count];
        *entry = (thaw_comparison_entry){
            .strategy = options->strategies[pair % options->strategy_count],
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
    for (size_t i = 0; i < comparison->options.strategy_count && status == THAW_OK; i++)
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
    thaw_status status = check_options(context, &chosen);
    if (status != THAW_OK)
        return status;
    thaw_comparison *made = thaw_allocate_array(context, 1, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_comparison){ .context = context, .options = chosen, .journal.descriptor = -1 };
    pthread_mutex_init(&made->building, NULL);
    pthread_mutex_init(&made->telling, NULL);
    pthread_mutex_init(&made->keeping, NULL);
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
    for (size_t i = 0; i < comparison->entry_count; i++) {
        for (int k = 0; k < comparison->options.seeds; k++)
            json_decref(comparison->entries[i].runs[k]);
        thaw_release(context, comparison->entries[i].runs);
    }
    thaw_release(context, comparison->entries);
    thaw_release(context, comparison->configurations);
    thaw_release(context, comparison->order);
    json_decref(comparison->rungs);
    json_decref(comparison->head);
    thaw_journal_close(&comparison->journal);
    pthread_mutex_destroy(&comparison->building);
    pthread_mutex_destroy(&comparison->telling);
    pthread_mutex_destroy(&comparison->keeping);
    thaw_release(context, comparison);
}

/* ---------------------------------------------------------------- results */

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
