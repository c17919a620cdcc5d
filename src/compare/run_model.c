/* The model of a run, in a context of its own. */
#include "compare/comparison.h"
#include "compare/tuning.h"
#include "core/context.h"
#include "graph/model.h"

static thaw_status set_optimizer(thaw_model *model, const thaw_comparison_entry *entry)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(model->context, entry->optimizer, &optimizer);
    if (status == THAW_OK)
        status = entry->point ? thaw_trial_point_apply(entry->point, optimizer)
                              : thaw_optimizer_set(optimizer, "lr", entry->learning_rate);
    if (status == THAW_OK)
        status = thaw_select_optimizer(model, "*", optimizer);
    thaw_optimizer_destroy(optimizer);
    return status;
}

/* Calls the host's function. */
static thaw_status build(thaw_comparison *comparison, thaw_model *model)
{
    pthread_mutex_lock(&comparison->building);
    const thaw_status status = comparison->options.build(comparison->options.user, model);
    pthread_mutex_unlock(&comparison->building);
    return status;
}

thaw_status thaw_run_model_open(thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                                bool structure_only, thaw_run_model *made)
{
    const thaw_context *parent = comparison->context;
    *made = (thaw_run_model){ 0 };
    const thaw_context_options options = {
        .threads = parent->threads,
        .seed = seed,
        .allocator = parent->allocator,
        .log = parent->log,
        .log_user = parent->log_user,
    };
    thaw_status status = thaw_context_create(&options, &made->context);
    if (status != THAW_OK)
        return status;
    made->context->level = parent->level;
    made->context->structure_only = structure_only;
    status = thaw_model_create(made->context, &made->model);
    if (status == THAW_OK)
        status = build(comparison, made->model);
    if (status == THAW_OK)
        status = set_optimizer(made->model, entry);
    return status;
}

const char *thaw_run_model_message(const thaw_run_model *made)
{
    return made->context ? thaw_context_message(made->context) : "no context for a run";
}

void thaw_run_model_close(thaw_run_model *made)
{
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

thaw_status thaw_run_try(thaw_comparison *comparison, const thaw_comparison_entry *entry)
{
    const thaw_comparison_options *options = &comparison->options;
    thaw_run_model made;
    thaw_status status = thaw_run_model_open(comparison, entry, options->first_seed, true, &made);
    for (int epoch = 1; status == THAW_OK && epoch <= options->epochs; epoch++) {
        status = thaw_strategy_apply(entry->strategy, made.model, options->head, epoch, options->epochs);
        if (status == THAW_OK && thaw_model_summary_totals(made.model).trainable_parameters == 0)
            status = thaw_fail(made.context, THAW_NOTHING_TRAINABLE, "strategy %s, epoch %d: every parameter is frozen",
                               entry->strategy->name, epoch);
    }
    if (status != THAW_OK)
        thaw_fail(comparison->context, status, "%s", thaw_run_model_message(&made));
    thaw_run_model_close(&made);
    return status;
}
