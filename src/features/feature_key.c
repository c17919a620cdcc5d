#include "features/feature_key.h"

#include "data/dataset.h"
#include "params/keeping.h"

/* The tensor that the layer computes with: a binding may replace the stored one. */
static thaw_status add_bound(thaw_context *context, thaw_expression *expression, thaw_digest *key)
{
    thaw_tensor values = { .dtype = THAW_F32, .shape = *thaw_expression_shape(expression) };
    const size_t count = thaw_shape_count(&values.shape);
    values.data = thaw_allocate_array(context, count, sizeof(float));
    if (!values.data)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status = thaw_expression_evaluate(expression, &values);
    thaw_digest_add(key, values.data, count * sizeof(float));
    thaw_release(context, values.data);
    return status;
}

static void add_stored(const thaw_parameter *parameter, thaw_digest *key)
{
    float piece[1024];
    for (size_t first = 0; first < parameter->count; first += THAW_COUNT(piece)) {
        const size_t left = parameter->count - first, count = left < THAW_COUNT(piece) ? left : THAW_COUNT(piece);
        thaw_parameter_read(parameter, first, count, piece);
        thaw_digest_add(key, piece, count * sizeof *piece);
    }
}

static thaw_status add_parameters(const thaw_plan *plan, const thaw_group *group, thaw_digest *key)
{
    thaw_status status = THAW_OK;
    for (size_t k = 0; group && k < group->parameter_count && status == THAW_OK; k++) {
        const thaw_parameter *parameter = group->parameters[k];
        thaw_digest_add_text(key, parameter->name);
        if (parameter->bound)
            status = add_bound(plan->model->context, parameter->bound, key);
        else
            add_stored(parameter, key);
    }
    return status;
}

static thaw_status add_prefix(const thaw_plan *plan, thaw_digest *key)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < plan->cut_count && status == THAW_OK; i++) {
        const thaw_node index = plan->order[i];
        const thaw_graph_node *node = &plan->model->nodes[index];
        thaw_digest_add_number(key, (uint64_t)index);
        thaw_digest_add_number(key, plan->nodes[index].boundary);
        thaw_digest_add_number(key, (uint64_t)thaw_plan_cache_dtype(plan, index));
        thaw_digest_add_number(key, (uint64_t)plan->nodes[index].precision);
        thaw_digest_add_text(key, node->module ? node->module->name : "input");
        for (size_t k = 0; k < node->input_count; k++)
            thaw_digest_add_number(key, (uint64_t)node->inputs[k]);
        status = add_parameters(plan, node->group, key);
    }
    return status;
}

/* Fingerprints what the prefix computes of samples. */
static thaw_status add_probe(thaw_plan *plan, const float *samples, thaw_digest *key)
{
    thaw_status status = thaw_program_prepare(plan);
    thaw_program_feed_samples(plan, samples);
    plan->program.step = (thaw_program_step){ 0 };
    if (status == THAW_OK)
        status = thaw_program_run(plan, THAW_SECTION_PREFIX);
    for (size_t i = 0; status == THAW_OK && i < plan->cut_count; i++) {
        const thaw_node index = plan->order[i];
        const size_t count = (size_t)plan->batch * thaw_shape_count(thaw_plan_shape(plan, index));
        if (plan->nodes[index].boundary)
            thaw_digest_add(key, thaw_plan_output(plan, index), count * sizeof(float));
    }
    return status;
}

typedef struct reading {
    size_t *indices;
    float *samples;
    char *targets;
} reading;

static thaw_status add_batch(thaw_plan *plan, thaw_dataset *dataset, size_t view, size_t first, size_t count,
                             const reading *into, thaw_digest *key)
{
    for (size_t i = 0; i < count; i++)
        into->indices[i] = first + i;
    thaw_status status = thaw_dataset_read_epoch(dataset, view, into->indices, count, into->samples, into->targets);
    if (status == THAW_OK && view == 0 && first == 0)
        status = add_probe(plan, into->samples, key);
    thaw_digest_add(key, into->samples, status == THAW_OK ? count * dataset->sample_elements * sizeof(float) : 0);
    thaw_digest_add(key, into->targets, status == THAW_OK ? count * dataset->target_bytes : 0);
    return status;
}

/* Reads a batch of view 0 for the probe, and all others only if the data set has no identity. */
static thaw_status add_samples(thaw_plan *plan, thaw_dataset *dataset, const reading *into, thaw_digest *key)
{
    const uint64_t *identity = dataset->source.identity;
    const size_t batch = (size_t)plan->batch, count_of_all = dataset->source.count;
    const bool known = identity[0] || identity[1];
    const size_t all = known && batch < count_of_all ? batch : count_of_all;
    const size_t views = known || !dataset->source.views ? 1 : dataset->source.views;
    thaw_status status = THAW_OK;
    thaw_digest_add(key, identity, sizeof dataset->source.identity);
    if (dataset->source.views)
        thaw_digest_add_number(key, dataset->source.views);
    for (size_t view = 0; view < views && status == THAW_OK; view++)
        for (size_t first = 0; first < all && status == THAW_OK; first += batch)
            status = add_batch(plan, dataset, view, first, all - first < batch ? all - first : batch, into, key);
    return status;
}

thaw_status thaw_feature_key_of(thaw_plan *plan, thaw_dataset *dataset, thaw_digest *key)
{
    thaw_context *context = plan->model->context;
    const size_t batch = (size_t)plan->batch;
    *key = (thaw_digest){ 0 };
    const reading into = {
        .indices = thaw_allocate_array(context, batch, sizeof *into.indices),
        .samples = thaw_allocate_array(context, batch * dataset->sample_elements, sizeof *into.samples),
        .targets = thaw_allocate_array(context, batch, dataset->target_bytes),
    };
    thaw_status status = THAW_OUT_OF_MEMORY;
    if (into.indices && into.samples && into.targets) {
        thaw_digest_add_text(key, thaw_version());
        thaw_digest_add_number(key, dataset->source.count);
        status = add_prefix(plan, key);
        if (status == THAW_OK)
            status = add_samples(plan, dataset, &into, key);
    }
    thaw_release(context, into.indices);
    thaw_release(context, into.samples);
    thaw_release(context, into.targets);
    return status;
}
