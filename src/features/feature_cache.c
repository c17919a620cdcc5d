#include "features/feature_cache.h"

#include <stdatomic.h>

#include "core/allocation.h"
#include "data/dataset.h"
#include "features/feature_dataset.h"
#include "features/feature_key.h"
#include "features/feature_writing.h"
#include "kernels/bfloat16.h"

struct thaw_feature_cache {
    thaw_feature_rows rows;
    uint64_t version;   /* of the prefix's parameters */
    uint64_t precision; /* of the prefix's nodes */
    bool *present;
    size_t sample_count; /* of the part */
    size_t views;
    size_t *present_counts; /* of the part's samples, in each view */
    size_t bytes;
    bool on_disk;
    atomic_int write_error; /* errno of a row that could not be kept; 0: none */
    thaw_dataset *dataset;  /* this cache, in the form that the loader reads */
};

/* Increases with every change of a parameter in the prefix. */
static uint64_t prefix_version(const thaw_plan *plan)
{
    uint64_t version =
        plan->model->parameters.bindings * 1099511628211U; /* FNV's prime; a plain sum of versions could repeat */
    for (size_t i = 0; i < plan->cut_count; i++)
        version += thaw_plan_version(plan, plan->order[i]);
    return version;
}

/* Fingerprints the precision in which each node of the prefix computes. */
static uint64_t prefix_precision(const thaw_plan *plan)
{
    uint64_t precision = 14695981039346656037U; /* FNV's offset */
    for (size_t i = 0; i < plan->cut_count; i++)
        precision = (precision ^ (plan->nodes[plan->order[i]].precision == THAW_BF16)) * 1099511628211U;
    return precision;
}

static size_t count_boundaries(const thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->cut_count; i++)
        count += plan->nodes[plan->order[i]].boundary;
    return count;
}

/* ---- life ---- */

void thaw_feature_cache_release(thaw_feature_cache *cache)
{
    if (!cache)
        return;
    thaw_dataset_destroy(cache->dataset);
    if (cache->rows.storage)
        cache->rows.storage->kind->release(cache->rows.storage);
    thaw_feature_shares_release(cache->rows.shares);
    thaw_release(cache->rows.context, cache->rows.found);
    for (size_t c = 0; c < cache->rows.cut_count; c++) {
        thaw_release(cache->rows.context, cache->rows.cuts[c].rounded);
        thaw_release(cache->rows.context, cache->rows.cuts[c].whole);
    }
    thaw_release(cache->rows.context, cache->present);
    thaw_release(cache->rows.context, cache->present_counts);
    thaw_release(cache->rows.context, cache);
}

static thaw_status list_cuts(thaw_feature_cache *cache, const thaw_plan *plan)
{
    for (size_t i = 0; i < plan->cut_count; i++) {
        const thaw_node node = plan->order[i];
        if (!plan->nodes[node].boundary)
            continue;
        thaw_feature_cut *made = &cache->rows.cuts[cache->rows.cut_count++];
        *made = (thaw_feature_cut){
            .node = node,
            .count = thaw_shape_count(&plan->model->nodes[node].output),
            .bytes = thaw_plan_cached_bytes(plan, node),
            .dtype = thaw_plan_cache_dtype(plan, node),
        };
        if (made->dtype == THAW_BF16)
            made->rounded =
                thaw_allocate_array(cache->rows.context, (size_t)plan->batch * made->count, sizeof *made->rounded);
        if (made->dtype == THAW_BF16 && !made->rounded)
            return THAW_OUT_OF_MEMORY;
        if (plan->model->longest &&
            !(made->whole = thaw_allocate_array(cache->rows.context, (size_t)plan->batch, made->bytes)))
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

static thaw_status spread_rows(thaw_feature_cache *cache, const thaw_spread *spread, size_t row_bytes)
{
    thaw_context *context = cache->rows.context;
    cache->rows.found = thaw_allocate_array(context, spread->batch, sizeof *cache->rows.found);
    const thaw_feature_rows_size size = { cache->sample_count, cache->views, row_bytes };
    const thaw_status status = cache->rows.found
                                   ? thaw_feature_shares_create(context, spread, &size, &cache->rows.shares)
                                   : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        cache->bytes = thaw_feature_shares_room(cache->rows.shares) * row_bytes;
    return status;
}

static thaw_status open_rows(thaw_feature_cache *cache, thaw_plan *plan, const thaw_feature_cache_options *options)
{
    const size_t count = cache->views * cache->sample_count, row_bytes = cache->bytes / count;
    if (options->spread.communicator)
        return spread_rows(cache, &options->spread, row_bytes);
    if (!options->path)
        return thaw_feature_memory_create(cache->rows.context, count, row_bytes, &cache->rows.storage);
    thaw_digest key;
    thaw_status status = thaw_feature_key_of(plan, options->dataset, &key);
    if (status == THAW_OK)
        status = thaw_feature_file_open(cache->rows.context, options->path, &key, count, row_bytes, cache->present,
                                        &cache->rows.storage);
    for (size_t i = 0; i < count; i++)
        cache->present_counts[i / cache->sample_count] += cache->present[i];
    return status;
}

/* Whether the prefix's outputs can be kept; *bytes is their size. */
static bool is_possible(const thaw_plan *plan, const thaw_dataset *dataset, size_t views, size_t *bytes)
{
    const thaw_source *source = &dataset->source;
    size_t of_view;
    const size_t row_bytes = thaw_plan_cache_bytes(plan) + dataset->target_bytes;
    return thaw_plan_cache_bytes(plan) > 0 && (!source->random || source->views) &&
           count_boundaries(plan) < THAW_MOST_PIECES && thaw_multiply_sizes(row_bytes, source->count, &of_view) &&
           thaw_multiply_sizes(of_view, views, bytes);
}

thaw_status thaw_feature_cache_create(thaw_plan *plan, const thaw_feature_cache_options *options,
                                      thaw_feature_cache **cache)
{
    *cache = NULL;
    thaw_dataset *dataset = options->dataset;
    const size_t views = options->views ? options->views : 1;
    size_t bytes;
    if (!is_possible(plan, dataset, views, &bytes) || (!options->path && bytes > options->budget_bytes))
        return THAW_OK;
    thaw_context *context = plan->model->context;
    thaw_feature_cache *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->rows.context = context;
    made->rows.original = dataset;
    made->version = prefix_version(plan);
    made->precision = prefix_precision(plan);
    made->sample_count = options->part.count ? options->part.count : dataset->source.count;
    made->views = views;
    made->rows.first = options->part.first;
    made->rows.count = made->sample_count;
    made->rows.target_bytes = dataset->target_bytes;
    made->bytes = bytes / dataset->source.count * made->sample_count;
    made->on_disk = options->path;
    made->present = thaw_allocate_array(context, views * made->sample_count, sizeof *made->present);
    made->present_counts = thaw_allocate_array(context, views, sizeof *made->present_counts);
    thaw_status status = made->present && made->present_counts ? list_cuts(made, plan) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = open_rows(made, plan, options);
    if (status == THAW_OK)
        status = thaw_feature_dataset_create(&made->rows, &made->dataset);
    if (status != THAW_OK) {
        thaw_feature_cache_release(made);
        return status;
    }
    *cache = made;
    return THAW_OK;
}

/* ---- use ---- */

bool thaw_feature_cache_fits(const thaw_feature_cache *cache, const thaw_plan *plan)
{
    if (cache->version != prefix_version(plan) || cache->precision != prefix_precision(plan) ||
        cache->rows.cut_count != count_boundaries(plan))
        return false;
    for (size_t c = 0; c < cache->rows.cut_count; c++) {
        const thaw_node node = cache->rows.cuts[c].node;
        if ((size_t)node >= plan->node_count || !plan->nodes[node].boundary ||
            cache->rows.cuts[c].dtype != thaw_plan_cache_dtype(plan, node) ||
            cache->rows.cuts[c].count != thaw_shape_count(&plan->model->nodes[node].output))
            return false;
    }
    return true;
}

size_t thaw_feature_cache_views(const thaw_feature_cache *cache)
{
    return cache->views;
}

void thaw_feature_cache_use_view(thaw_feature_cache *cache, size_t view)
{
    cache->rows.view = view;
    if (cache->rows.shares)
        thaw_feature_shares_use_view(cache->rows.shares, view);
}

void thaw_feature_cache_announce(thaw_feature_cache *cache, const size_t *indices, size_t all)
{
    if (cache->rows.shares)
        cache->present_counts[cache->rows.view] += thaw_feature_shares_claim(cache->rows.shares, indices, all);
}

void thaw_feature_cache_keep(thaw_feature_cache *cache, const thaw_plan *plan, const size_t *indices,
                             const void *targets, size_t count)
{
    const thaw_feature_batch batch = { indices, targets, count };
    thaw_feature_rows_write(&cache->rows, plan, &batch, cache->present, &cache->write_error);
    for (size_t i = 0; i < count && !cache->rows.shares; i++) {
        bool *present = &cache->present[thaw_feature_row(&cache->rows, indices[i])];
        cache->present_counts[cache->rows.view] += !*present;
        *present = true;
    }
}

int thaw_feature_cache_error(const thaw_feature_cache *cache)
{
    return atomic_load(&cache->write_error);
}

bool thaw_feature_cache_complete(const thaw_feature_cache *cache)
{
    return cache->present_counts[cache->rows.view] == cache->sample_count;
}

thaw_dataset *thaw_feature_cache_dataset(thaw_feature_cache *cache)
{
    return cache->dataset;
}

size_t thaw_feature_cache_bytes(const thaw_feature_cache *cache)
{
    return cache ? cache->bytes : 0;
}

bool thaw_feature_cache_on_disk(const thaw_feature_cache *cache)
{
    return cache && cache->on_disk;
}
