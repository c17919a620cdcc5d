#include "core/context.h"
#include "plan/plan.h"

/* What a core's second-level cache holds of a node's input and output. */
enum { CACHE_BYTES = 1 << 20 };

/* Bytes of a node's input and output, of one sample. */
static size_t sample_bytes(const thaw_plan *plan, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    size_t count = thaw_shape_count(&node->output);
    for (size_t k = 0; k < node->input_count; k++)
        count += thaw_shape_count(&plan->model->nodes[node->inputs[k]].output);
    return count * thaw_dtype_bytes(plan->nodes[index].precision);
}

static size_t parameter_bytes(const thaw_graph_node *node)
{
    size_t bytes = 0;
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++)
        bytes += node->group->parameters[k]->count * sizeof(float);
    return bytes;
}

/* Where in the order the nodes that are worth running in tiles end, 0 where there are none: behind the last that moves more than the caches
   hold, as long as that outweighs the parameters, which each tile reads again. `*widest` becomes the most bytes a
   sample of them. */
static size_t count_wide(const thaw_plan *plan, size_t cache_bytes, size_t *widest)
{
    size_t count = 0, most = 0;
    *widest = 0;
    for (size_t i = plan->fixed_count; i < plan->cut_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        const size_t bytes = sample_bytes(plan, plan->order[i]);
        const size_t batch_bytes = bytes * (size_t)plan->batch;
        if (node->module && (node->module->loss || parameter_bytes(node) > batch_bytes))
            break;
        most = bytes > most && node->module ? bytes : most;
        if (!node->module || batch_bytes <= cache_bytes)
            continue;
        count = i + 1;
        *widest = most;
    }
    return count;
}

/* Samples a tile: as many as the caches hold, evened out, and the same number for each thread. */
static int64_t choose_tile(int64_t batch, int64_t threads, size_t cache_bytes, size_t widest)
{
    const int64_t fitting = (int64_t)(cache_bytes / widest);
    const int64_t most = fitting > threads ? fitting : threads;
    const int64_t tiles = (batch + most - 1) / most;
    const int64_t even = (batch + tiles - 1) / tiles;
    return (even + threads - 1) / threads * threads;
}

/* Whether a node that does not run in tiles, or somebody after the plan has run, reads the node's output. */
static bool is_read_whole(const thaw_plan *plan, thaw_node index)
{
    if (plan->nodes[index].boundary || index == plan->target || index == thaw_model_output(plan->model))
        return true;
    for (size_t i = plan->tiled_count; i < plan->order_count; i++) {
        const thaw_graph_node *reader = &plan->model->nodes[plan->order[i]];
        for (size_t k = 0; k < reader->input_count; k++)
            if (reader->inputs[k] == index)
                return true;
    }
    return false;
}

void thaw_pass_tiles(thaw_plan *plan)
{
    const int64_t threads = plan->model->context->threads;
    const size_t cache_bytes = (size_t)threads * CACHE_BYTES;
    size_t widest;
    plan->tile = plan->batch;
    plan->tiled_count = count_wide(plan, cache_bytes, &widest);
    if (plan->tiled_count > 0)
        plan->tile = choose_tile(plan->batch, threads, cache_bytes, widest);
    if (plan->tile > plan->batch / 2)
        thaw_plan_untile(plan);
    for (size_t i = 0; i < plan->order_count; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        planned->tiled = i >= plan->fixed_count && i < plan->tiled_count && plan->model->nodes[plan->order[i]].module;
        planned->partial = planned->tiled && !is_read_whole(plan, plan->order[i]);
    }
}

void thaw_plan_untile(thaw_plan *plan)
{
    plan->tile = plan->batch;
    plan->tiled_count = 0;
    for (size_t i = 0; i < plan->node_count; i++)
        plan->nodes[i].tiled = plan->nodes[i].partial = false;
}
