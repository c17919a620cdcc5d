/* Checks and completes what to compare. */
#include <math.h>
#include <string.h>

#include "compare/comparison.h"
#include "core/threads.h"
#include "distributed/exchange.h"
#include "policy/policy.h"

enum { MOST_RUNS = 100000 };

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
        { "command", options->command }, { "search", options->search },
    };
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < THAW_COUNT(texts) && status == THAW_OK; i++)
        status = check_text(context, texts[i].what, texts[i].text);
    for (size_t i = 0; i < options->strategy_count && status == THAW_OK; i++)
        status = check_text(context, "a strategy's name", options->strategies[i]->name);
    for (size_t i = 0; i < options->policy_count && status == THAW_OK; i++)
        status = check_text(context, "a policy's name", thaw_policy_name(options->policies[i]));
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

static thaw_status check_trials(thaw_context *context, thaw_comparison_options *options)
{
    const double share = options->validation_share;
    if (options->trials < 0)
        return refuse(context, "trials must not be negative");
    if (options->trials == 0 && (options->search || share != 0))
        return refuse(context, "search and validation_share are for trials, which must then be above 0");
    if (options->trials > 0 && options->rates > 1)
        return refuse(context, "trials search the learning rates, so rates must be 1");
    if (!isfinite(share) || share < 0 || share >= 1)
        return refuse(context, "validation_share must be from 0 and below 1");
    options->validation_share = options->trials && share == 0 ? 0.2 : share;
    return THAW_OK;
}

thaw_status thaw_comparison_check_options(thaw_context *context, thaw_comparison_options *options)
{
    if (!options->build || !options->training || !options->test)
        return refuse(context, "build, training and test must be set");
    if (options->strategy_count + options->policy_count == 0 || options->optimizer_count == 0)
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
    const double runs = (double)(options->strategy_count + options->policy_count) * (double)options->optimizer_count *
                        ((double)options->rates * options->seeds + options->trials) * options->epochs;
    if (runs > MOST_RUNS * 100.0 || options->seeds > MOST_RUNS)
        return refuse(context, "more than ten million epochs");
    thaw_status status = check_trials(context, options);
    if (status == THAW_OK)
        status = thaw_race_check(context, options);
    if (status == THAW_OK)
        status = check_ranks(context, options);
    if (status == THAW_OK)
        status = check_jobs(context, options->jobs);
    if (status == THAW_OK)
        status = check_texts(context, options);
    return status;
}

thaw_status thaw_comparison_join_policies(thaw_comparison *comparison)
{
    thaw_comparison_options *options = &comparison->options;
    const size_t own = options->strategy_count, count = own + options->policy_count;
    comparison->named = thaw_allocate_array(comparison->context, options->policy_count + 1, sizeof *comparison->named);
    comparison->contenders = thaw_allocate_array(comparison->context, count + 1, sizeof *comparison->contenders);
    if (!comparison->named || !comparison->contenders)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < own; i++)
        comparison->contenders[i] = options->strategies[i];
    for (size_t i = 0; i < options->policy_count; i++) {
        const char *description = options->policies[i]->module.description;
        comparison->named[i] = (thaw_strategy){ .name = thaw_policy_name(options->policies[i]),
                                                .description = description ? description : "" };
        comparison->contenders[own + i] = &comparison->named[i];
    }
    options->strategies = comparison->contenders;
    options->strategy_count = count;
    return check_names(comparison->context, options);
}
