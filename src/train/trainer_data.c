/* The source of a trainer's batches: the data set, or the feature cache. */
#include <string.h>

#include "core/context.h"
#include "data/dataset.h"
#include "features/cache_choice.h"
#include "train/shards.h"
#include "train/trainer.h"

static void close_loader(thaw_trainer *trainer)
{
    thaw_loader_destroy(trainer->loader);
    trainer->loader = NULL;
    trainer->loaded = NULL;
    trainer->batch = (thaw_batch){ 0 };
    trainer->mixed = false;
}

thaw_status thaw_trainer_open_loader(thaw_trainer *trainer, thaw_dataset *dataset)
{
    if (trainer->loader && trainer->loaded == dataset)
        return THAW_OK;
    close_loader(trainer);
    trainer->loaded = dataset;
    const thaw_loader_options options = {
        .batch = (size_t)trainer->options.batch,
        .drop_last = trainer->options.drop_last,
        .shuffle = !trainer->options.no_shuffle,
        .seed = trainer->options.seed,
        .share = thaw_shard_range_of((size_t)trainer->options.shards, trainer->options.communicator),
        .on_caller = dataset != trainer->dataset, /* the cache reads with all threads, faster than a thread wakes up */
    };
    return thaw_loader_create(trainer->model->context, dataset, &options, &trainer->loader);
}

static void drop_cache(thaw_trainer *trainer)
{
    if (trainer->cache && trainer->loaded == thaw_feature_cache_dataset(trainer->cache))
        close_loader(trainer);
    thaw_feature_cache_release(trainer->cache);
    trainer->cache = NULL;
}

void thaw_trainer_release_data(thaw_trainer *trainer)
{
    drop_cache(trainer);
    close_loader(trainer);
}

/* If the file accepts no more rows, the run goes on without the cache. */
static void drop_broken_cache(thaw_trainer *trainer)
{
    const int reason = trainer->cache ? thaw_feature_cache_error(trainer->cache) : 0;
    if (reason == 0)
        return;
    thaw_log(trainer->model->context, THAW_LOG_WARNING,
             "%s: cannot write the feature cache: %s; training goes on without it", trainer->options.cache_file,
             strerror(reason));
    drop_cache(trainer);
    trainer->options.cache_file = NULL;
    trainer->epoch_result.cache_bytes = 0;
    trainer->epoch_result.cache_on_disk = false;
}

/* How many views the epochs go through from now on. The log tells where they are not all, or have changed. */
static void choose_views(thaw_trainer *trainer, const thaw_plan *plan)
{
    thaw_context *context = trainer->model->context;
    const size_t all = trainer->dataset->source.views;
    const size_t views = all ? thaw_cache_views(plan, &trainer->options, trainer->dataset) : 0;
    trainer->epoch_result.views = views;
    if (views == trainer->views)
        return;
    if (views < all)
        thaw_log(context, THAW_LOG_INFO,
                 "the feature cache has room for %zu of the %zu views of each sample: epochs go through %zu", views,
                 all, views);
    else if (trainer->views)
        thaw_log(context, THAW_LOG_INFO, "epochs go through all %zu views of each sample, no longer through %zu", all,
                 trainer->views);
    trainer->views = views;
}

static thaw_status create_cache(thaw_trainer *trainer, thaw_plan *plan)
{
    const thaw_fit_options *options = &trainer->options;
    const thaw_communicator *communicator = options->communicator;
    const thaw_feature_cache_options wanted = {
        .dataset = trainer->dataset,
        .budget_bytes = options->cache_bytes,
        .views = trainer->epoch_result.views ? trainer->epoch_result.views : 1,
        .path = options->cache_file,
        .spread = { .communicator = communicator && communicator->ranks > 1 ? communicator : NULL,
                    .shards = (size_t)options->shards,
                    .batch = (size_t)options->batch },
    };
    return thaw_feature_cache_create(plan, &wanted, &trainer->cache);
}

thaw_status thaw_trainer_restore_cache(thaw_trainer *trainer, thaw_plan *plan)
{
    if (trainer->cache)
        return THAW_OK;
    choose_views(trainer, plan);
    return create_cache(trainer, plan);
}

/* Whether the cache is for the views that the epochs go through. */
static bool has_views(const thaw_trainer *trainer)
{
    const size_t views = trainer->epoch_result.views;
    return thaw_feature_cache_views(trainer->cache) == (views ? views : 1);
}

static thaw_status choose_cache(thaw_trainer *trainer, thaw_plan *plan, int epoch)
{
    const thaw_fit_options *options = &trainer->options;
    drop_broken_cache(trainer);
    choose_views(trainer, plan);
    if (trainer->cache && !(thaw_feature_cache_fits(trainer->cache, plan) && has_views(trainer)))
        drop_cache(trainer);
    if (trainer->cache || !thaw_cache_pays(trainer->model, plan, options, trainer->dataset, epoch))
        return THAW_OK;
    const thaw_status status = create_cache(trainer, plan);
    const bool of_file = options->cache_file && (status == THAW_IO_ERROR || status == THAW_BAD_FORMAT);
    if (!of_file || !(options->cache_optional || epoch > 1))
        return status;
    thaw_log(trainer->model->context, THAW_LOG_WARNING, "%s; training goes on without it",
             thaw_context_message(trainer->model->context));
    trainer->options.cache_file = NULL;
    return THAW_OK;
}

thaw_status thaw_trainer_choose_data(thaw_trainer *trainer, thaw_plan *plan, int epoch)
{
    thaw_status status = choose_cache(trainer, plan, epoch);
    if (status != THAW_OK)
        return status;
    const size_t views = trainer->epoch_result.views;
    trainer->epoch_result.view = views ? (size_t)epoch % views : 0;
    if (trainer->cache)
        thaw_feature_cache_use_view(trainer->cache, trainer->epoch_result.view);
    const bool cached = trainer->cache && thaw_feature_cache_complete(trainer->cache);
    status = thaw_trainer_open_loader(trainer, cached ? thaw_feature_cache_dataset(trainer->cache) : trainer->dataset);
    if (status == THAW_OK)
        thaw_loader_set_views(trainer->loader, views);
    trainer->epoch_result.cached = cached;
    trainer->epoch_result.cache_bytes = thaw_feature_cache_bytes(trainer->cache);
    trainer->epoch_result.cache_on_disk = thaw_feature_cache_on_disk(trainer->cache);
    return status;
}

thaw_status thaw_trainer_leave_cache(thaw_trainer *trainer)
{
    drop_cache(trainer);
    const thaw_status status = thaw_trainer_open_loader(trainer, trainer->dataset);
    if (status != THAW_OK)
        return status;
    trainer->epoch_result.cached = false;
    thaw_loader_start_epoch_at(trainer->loader, (uint64_t)trainer->position.epoch, trainer->position.step);
    return THAW_OK;
}

thaw_status thaw_trainer_check_cache(thaw_trainer *trainer, const thaw_plan *plan)
{
    drop_broken_cache(trainer);
    if (!trainer->cache || thaw_feature_cache_fits(trainer->cache, plan))
        return THAW_OK;
    if (trainer->epoch_result.cached)
        return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT,
                         "the frozen prefix was changed during an epoch that reads its cached outputs, must be "
                         "changed between epochs");
    drop_cache(trainer);
    return THAW_OK;
}
