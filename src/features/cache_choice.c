#include "features/cache_choice.h"

#include "core/context.h"
#include "data/dataset.h"
#include "features/feature_storage.h"
#include "policy/strategy.h"

thaw_cache_budget thaw_cache_budget_of(const thaw_fit_options *options, const thaw_dataset *dataset)
{
    const size_t count = dataset->source.count, targets = dataset->target_bytes;
    thaw_cache_budget budget = { .random = dataset->source.random, .dtype = options->cache_dtype };
    const size_t bytes = options->cache_file ? options->cache_file_bytes : options->cache_bytes;
    if (bytes == 0)
        return budget;
    const size_t row = options->cache_file ? thaw_feature_file_row_bytes(bytes, count) : bytes / count;
    budget.sample_bytes = row > targets ? row - targets : 1;
    return budget;
}

size_t thaw_fit_cache_sample_bytes(const thaw_fit_options *options, const thaw_dataset *dataset)
{
    return thaw_cache_budget_of(options, dataset).sample_bytes;
}

typedef struct search {
    const thaw_plan *plan;
    bool found;
} search;

static void find_in_prefix(void *argument, thaw_selected selected)
{
    search *s = argument;
    for (size_t i = 0; i < s->plan->cut_count; i++)
        s->found = s->found || s->plan->model->nodes[s->plan->order[i]].group == selected.group;
}

/* Whether the next epoch's rules change the prefix, so that the cached outputs would never be read. */
static bool thaws_next(thaw_model *model, const thaw_plan *plan, const thaw_fit_options *options, int epoch)
{
    search s = { .plan = plan };
    const thaw_part_epoch next = { .epoch = epoch + 1, .epochs = options->epochs };
    if (options->strategy && epoch < options->epochs)
        thaw_strategy_find_thawed(options->strategy, model, options->head, next, find_in_prefix, &s);
    return s.found;
}

static void say_why_not(const thaw_plan *plan)
{
    thaw_context *context = plan->model->context;
    if (plan->cache.random && plan->prefix_bytes > 0)
        thaw_log(context, THAW_LOG_INFO,
                 "no feature cache: the training data is augmented, so the frozen layers see other samples in each "
                 "epoch");
    else if (plan->too_large)
        thaw_log(
            context, THAW_LOG_INFO,
            "no feature cache: the outputs of the frozen layers have %zu bytes per sample, its budget allows %zu, and "
            "no earlier layer saves enough within the budget",
            plan->prefix_bytes, plan->cache.sample_bytes);
}

bool thaw_cache_pays(thaw_model *model, const thaw_plan *plan, const thaw_fit_options *options, int epoch)
{
    if (!options->cache_file && (options->cache_bytes == 0 || epoch >= options->epochs))
        return false;
    if (epoch == 1)
        say_why_not(plan);
    return thaw_plan_cache_bytes(plan) > 0 && (options->cache_file || !thaws_next(model, plan, options, epoch));
}
