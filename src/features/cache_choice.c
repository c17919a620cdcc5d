#include "features/cache_choice.h"

#include "core/context.h"
#include "data/dataset.h"
#include "features/feature_storage.h"
#include "policy/strategy.h"

thaw_cache_budget thaw_cache_budget_of(const thaw_fit_options *options, const thaw_dataset *dataset)
{
    const size_t count = dataset->source.count, targets = dataset->target_bytes;
    const bool mixed = options->mixing.mixup > 0 || options->mixing.cutmix > 0;
    thaw_cache_budget budget = { .random = mixed || (dataset->source.random && !dataset->source.views),
                                 .dtype = options->cache_dtype };
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

size_t thaw_fit_cached_views(const thaw_fit_options *options, const thaw_dataset *dataset, size_t sample_bytes)
{
    const size_t views = dataset->source.views ? dataset->source.views : 1;
    const size_t count = dataset->source.count, row = sample_bytes + dataset->target_bytes;
    const size_t room = options->cache_file ? options->cache_file_bytes : options->cache_bytes;
    if (sample_bytes == 0 || (!options->cache_file && room == 0))
        return 0;
    if (options->cache_file && room == 0)
        return views;
    const size_t none = options->cache_file ? thaw_feature_file_bytes(0, row) : 0;
    const size_t each = options->cache_file ? thaw_feature_file_bytes(count, row) - none : count * row;
    const size_t fit = room > none ? (room - none) / each : 0;
    return fit < views ? fit : views;
}

size_t thaw_cache_views(const thaw_plan *plan, const thaw_fit_options *options, const thaw_dataset *dataset)
{
    const size_t views = dataset->source.views ? dataset->source.views : 1;
    const size_t kept = thaw_fit_cached_views(options, dataset, thaw_plan_cache_bytes(plan));
    return kept > 0 ? kept : views;
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

/* Whether this epoch's rules change the prefix, so that outputs cached before it would not be read in it. */
static bool thaws_in(thaw_model *model, const thaw_plan *plan, const thaw_fit_options *options, int epoch)
{
    search s = { .plan = plan };
    const thaw_part_epoch when = { .epoch = epoch, .epochs = options->epochs };
    if (options->strategy && epoch <= options->epochs)
        thaw_strategy_find_thawed(options->strategy, model, options->head, when, find_in_prefix, &s);
    return s.found;
}

static void say_why_not(const thaw_plan *plan, const thaw_dataset *dataset)
{
    thaw_context *context = plan->model->context;
    if (plan->cache.random && plan->prefix_bytes > 0)
        thaw_log(context, THAW_LOG_INFO,
                 "no feature cache: the training data is augmented, so the frozen layers see other samples in each "
                 "epoch; data of a fixed number of views, such as 8, would be cached");
    else if (plan->too_large)
        thaw_log(
            context, THAW_LOG_INFO,
            "no feature cache: the outputs of the frozen layers have %zu bytes per sample%s, its budget allows %zu, and "
            "no earlier layer saves enough within the budget",
            plan->prefix_bytes, dataset->source.views ? " and view" : "", plan->cache.sample_bytes);
}

bool thaw_cache_pays(thaw_model *model, const thaw_plan *plan, const thaw_fit_options *options,
                     const thaw_dataset *dataset, int epoch)
{
    if (!options->cache_file && (options->cache_bytes == 0 || epoch >= options->epochs))
        return false;
    if (epoch == 1)
        say_why_not(plan, dataset);
    if (thaw_plan_cache_bytes(plan) == 0 || options->cache_file)
        return thaw_plan_cache_bytes(plan) > 0;
    const size_t views = thaw_cache_views(plan, options, dataset), left = (size_t)(options->epochs - epoch);
    bool reads = views <= left;
    for (size_t later = 1; later <= views && reads; later++)
        reads = !thaws_in(model, plan, options, epoch + (int)later);
    return reads;
}

/* ---- test data ---- */

bool thaw_cache_leave_rest(const thaw_plan *plan, const thaw_dataset *training, thaw_fit_options *rest)
{
    const size_t row = thaw_plan_cache_bytes(plan), all = row ? row + training->target_bytes : 0;
    size_t *left = rest->cache_file ? &rest->cache_file_bytes : &rest->cache_bytes;
    const size_t count = training->source.count * thaw_cache_views(plan, rest, training);
    const size_t taken = rest->cache_file ? thaw_feature_file_bytes(count, all) : count * all;
    rest->cache_dtype = THAW_F32;
    rest->mixing = (thaw_mixing_options){ 0 };
    if (rest->cache_file && *left == 0) /* any size */
        return true;
    *left = *left > taken ? *left - taken : 0;
    return *left > 0;
}

int thaw_next_test(const thaw_fit_options *options, int epoch)
{
    const int every = options->test_every ? options->test_every : 1;
    const int64_t next = ((int64_t)epoch / every + 1) * every;
    if (epoch >= options->epochs)
        return options->epochs + 1;
    return next < options->epochs ? (int)next : options->epochs;
}

bool thaw_test_cache_pays(const thaw_plan *plan, const thaw_fit_options *options, int epoch)
{
    const int next = thaw_next_test(options, epoch);
    bool reads = next <= options->epochs;
    for (int later = epoch + 1; later <= next && reads; later++)
        reads = !thaws_in(plan->program.model, plan, options, later);
    return options->cache_file || reads;
}
