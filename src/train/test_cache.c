#include "train/test_cache.h"

#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "data/dataset.h"
#include "features/cache_choice.h"
#include "features/feature_storage.h"
#include "plan/store.h"

static const char SUFFIX[] = ".test";

void thaw_test_cache_drop(thaw_test_cache *cache)
{
    thaw_feature_cache_release(cache->features);
    cache->features = NULL;
}

void thaw_test_cache_release(thaw_test_cache *cache, thaw_context *context)
{
    thaw_test_cache_drop(cache);
    thaw_release(context, cache->path);
    cache->path = NULL;
}

/* The file lies beside that of the training data. */
static thaw_status choose_path(thaw_test_cache *cache, thaw_context *context, const char *beside)
{
    if (!cache->path == !beside)
        return THAW_OK;
    thaw_test_cache_release(cache, context);
    if (!beside)
        return THAW_OK;
    const size_t bytes = strlen(beside) + sizeof SUFFIX;
    cache->path = thaw_allocate(context, bytes);
    if (!cache->path)
        return THAW_OUT_OF_MEMORY;
    snprintf(cache->path, bytes, "%s%s", beside, SUFFIX);
    return THAW_OK;
}

thaw_status thaw_test_cache_plan(const thaw_test_cache *cache, thaw_model *model, const thaw_dataset *dataset,
                                 size_t batch, thaw_plan **plan)
{
    const size_t count = thaw_dataset_count(dataset);
    return thaw_plan_find_test(model, (int64_t)(batch < count ? batch : count), 0, &cache->budget, plan);
}

/* Before the cache of the training data takes their memory. */
static thaw_status drop_others(thaw_test_cache *cache, thaw_model *model)
{
    const thaw_fit_options *options = cache->options;
    thaw_plan *plan;
    if (!cache->features)
        return THAW_OK;
    const thaw_status status =
        thaw_test_cache_plan(cache, model, options->test, (size_t)(options->batch / options->shards), &plan);
    if (status == THAW_OK && !thaw_feature_cache_fits(cache->features, plan))
        thaw_test_cache_drop(cache);
    return status;
}

thaw_status thaw_test_cache_begin_epoch(thaw_test_cache *cache, const thaw_plan *plan, const thaw_fit_options *options,
                                        const thaw_dataset *training, int epoch)
{
    thaw_fit_options rest = *options;
    cache->options = options;
    cache->epoch = epoch;
    cache->cuts = options->test && thaw_cache_leave_rest(plan, training, &rest);
    if (!cache->cuts) {
        thaw_test_cache_drop(cache);
        return THAW_OK;
    }
    cache->budget = thaw_cache_budget_of(&rest, options->test);
    cache->budget_bytes = rest.cache_bytes;
    const thaw_status status = choose_path(cache, plan->model->context, options->cache_file);
    return status == THAW_OK ? drop_others(cache, plan->program.model) : status;
}

static thaw_status make_features(thaw_test_cache *cache, thaw_plan *plan, thaw_dataset *dataset, thaw_shard_part part)
{
    thaw_context *context = plan->model->context;
    const thaw_feature_cache_options wanted = {
        .dataset = dataset, .part = part, .budget_bytes = cache->budget_bytes, .path = cache->path
    };
    const thaw_status status = thaw_feature_cache_create(plan, &wanted, &cache->features);
    if (!cache->path || (status != THAW_IO_ERROR && status != THAW_BAD_FORMAT))
        return status;
    thaw_log(context, THAW_LOG_WARNING, "%s; the features of test data are not kept", thaw_context_message(context));
    cache->broken = true;
    return THAW_OK;
}

thaw_status thaw_test_cache_prepare(thaw_test_cache *cache, thaw_plan *plan, thaw_dataset *dataset,
                                    thaw_shard_part part)
{
    if (cache->features && !thaw_feature_cache_fits(cache->features, plan))
        thaw_test_cache_drop(cache);
    if (cache->features || cache->broken || part.count == 0 ||
        !thaw_test_cache_pays(plan, cache->options, cache->epoch))
        return THAW_OK;
    return make_features(cache, plan, dataset, part);
}

void thaw_test_cache_check(thaw_test_cache *cache, thaw_context *context)
{
    const int reason = cache->features ? thaw_feature_cache_error(cache->features) : 0;
    if (reason == 0)
        return;
    thaw_log(context, THAW_LOG_WARNING, "%s: cannot write the features of test data: %s; they are not kept",
             cache->path, strerror(reason));
    cache->broken = true;
    thaw_test_cache_drop(cache);
}
