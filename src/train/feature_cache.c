#include "train/feature_cache.h"

#include <string.h>

#include "core/allocation.h"
#include "data/dataset.h"

/* The values that one boundary node gives for a sample. */
typedef struct cut {
    thaw_node node;
    size_t count;
    float *rows; /* one a sample of the data set */
} cut;

struct thaw_feature_cache {
    thaw_context *context;
    cut *cuts;
    size_t cut_count;
    uint64_t version; /* of the prefix's parameters */
    char *targets;
    size_t target_bytes; /* of one sample */
    bool *present;
    size_t sample_count, present_count;
    size_t bytes;
    thaw_dataset *dataset; /* this cache, as the loader sees it */
};

/* Grows with every change of a parameter in the prefix. */
static uint64_t prefix_version(const thaw_plan *plan)
{
    uint64_t version = plan->model->parameters.bindings * 1099511628211U; /* FNV's prime: no sum of versions */
    for (size_t i = 0; i < plan->prefix_count; i++) {
        const thaw_group *group = plan->model->nodes[plan->order[i]].group;
        for (size_t k = 0; group && k < group->parameter_count; k++)
            version += thaw_expression_version(thaw_parameter_expression(group->parameters[k]));
    }
    return version;
}

static size_t count_boundaries(const thaw_plan *plan)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->prefix_count; i++)
        count += plan->nodes[plan->order[i]].boundary;
    return count;
}

/* ---- as a data set ---- */

static bool read_rows(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                      size_t capacity)
{
    (void)message;
    (void)capacity;
    const thaw_feature_cache *cache = user;
    for (size_t c = 0; c < cache->cut_count; c++) {
        const cut *read = &cache->cuts[c];
        for (size_t i = 0; i < count; i++, samples += read->count)
            memcpy(samples, read->rows + indices[i] * read->count, read->count * sizeof(float));
    }
    for (size_t i = 0; i < count; i++)
        memcpy((char *)targets + i * cache->target_bytes, cache->targets + indices[i] * cache->target_bytes,
               cache->target_bytes);
    return true;
}

static thaw_status wrap(thaw_feature_cache *cache, const thaw_source *original)
{
    thaw_source source = *original;
    source.sample_shape = (thaw_shape){ .rank = 1 };
    for (size_t c = 0; c < cache->cut_count; c++)
        source.sample_shape.dims[0] += (int64_t)cache->cuts[c].count;
    source.read = read_rows;
    source.release = NULL;
    source.user = cache;
    return thaw_dataset_create(cache->context, &source, &cache->dataset);
}

/* ---- life ---- */

void thaw_feature_cache_release(thaw_feature_cache *cache)
{
    if (!cache)
        return;
    thaw_dataset_destroy(cache->dataset);
    for (size_t c = 0; cache->cuts && c < cache->cut_count; c++)
        thaw_release(cache->context, cache->cuts[c].rows);
    thaw_release(cache->context, cache->cuts);
    thaw_release(cache->context, cache->targets);
    thaw_release(cache->context, cache->present);
    thaw_release(cache->context, cache);
}

static thaw_status allocate_cuts(thaw_feature_cache *cache, const thaw_plan *plan)
{
    cache->cut_count = count_boundaries(plan);
    cache->cuts = thaw_allocate_array(cache->context, cache->cut_count, sizeof *cache->cuts);
    if (!cache->cuts)
        return THAW_OUT_OF_MEMORY;
    size_t filled = 0;
    for (size_t i = 0; i < plan->prefix_count; i++) {
        const thaw_node node = plan->order[i];
        if (!plan->nodes[node].boundary)
            continue;
        cut *made = &cache->cuts[filled++];
        made->node = node;
        made->count = thaw_shape_count(&plan->model->nodes[node].output);
        /* Uncleared, so that memory is taken as it fills. */
        made->rows = thaw_allocate_raw(cache->context, cache->sample_count * made->count * sizeof(float));
        if (!made->rows)
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

thaw_status thaw_feature_cache_create(const thaw_plan *plan, thaw_dataset *dataset, size_t budget_bytes,
                                      thaw_feature_cache **cache)
{
    *cache = NULL;
    const size_t row_bytes = thaw_plan_cache_bytes(plan) + dataset->target_bytes;
    size_t bytes;
    if (thaw_plan_cache_bytes(plan) == 0 || dataset->source.random ||
        !thaw_multiply_sizes(row_bytes, dataset->source.count, &bytes) || bytes > budget_bytes)
        return THAW_OK;
    thaw_context *context = plan->model->context;
    thaw_feature_cache *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = context;
    made->version = prefix_version(plan);
    made->sample_count = dataset->source.count;
    made->target_bytes = dataset->target_bytes;
    made->bytes = bytes;
    made->targets = thaw_allocate_array(context, made->sample_count, made->target_bytes);
    made->present = thaw_allocate_array(context, made->sample_count, sizeof *made->present);
    thaw_status status = made->targets && made->present ? allocate_cuts(made, plan) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = wrap(made, &dataset->source);
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
    if (cache->version != prefix_version(plan) || cache->cut_count != count_boundaries(plan))
        return false;
    for (size_t c = 0; c < cache->cut_count; c++) {
        const thaw_node node = cache->cuts[c].node;
        if ((size_t)node >= plan->node_count || !plan->nodes[node].boundary ||
            cache->cuts[c].count != thaw_shape_count(&plan->model->nodes[node].output))
            return false;
    }
    return true;
}

typedef struct keeping {
    const cut *kept;
    const float *values;
    const size_t *indices;
} keeping;

static void keep_range(void *argument, size_t begin, size_t end)
{
    const keeping *keep = argument;
    const size_t count = keep->kept->count;
    for (size_t i = begin; i < end; i++)
        memcpy(keep->kept->rows + keep->indices[i] * count, keep->values + i * count, count * sizeof(float));
}

void thaw_feature_cache_keep(thaw_feature_cache *cache, const thaw_plan *plan, const size_t *indices,
                             const void *targets, size_t count)
{
    for (size_t c = 0; c < cache->cut_count; c++) {
        const cut *kept = &cache->cuts[c];
        keeping keep = { kept, thaw_plan_output(plan, kept->node), indices };
        thaw_parallel_for(cache->context, count, 1, keep_range, &keep);
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(cache->targets + indices[i] * cache->target_bytes, (const char *)targets + i * cache->target_bytes,
               cache->target_bytes);
        cache->present_count += !cache->present[indices[i]];
        cache->present[indices[i]] = true;
    }
}

bool thaw_feature_cache_complete(const thaw_feature_cache *cache)
{
    return cache->present_count == cache->sample_count;
}

thaw_dataset *thaw_feature_cache_dataset(thaw_feature_cache *cache)
{
    return cache->dataset;
}

size_t thaw_feature_cache_bytes(const thaw_feature_cache *cache)
{
    return cache ? cache->bytes : 0;
}
