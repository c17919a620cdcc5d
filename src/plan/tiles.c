#include "core/context.h"
#include "plan/plan.h"

/* The bytes of a node's input and output that fit into a core's second-level cache. */
enum { CACHE_BYTES = 1 << 20 };

/* Operations per thread in one kernel that make starting it negligible; and operations per value of layers that pass
   over their input once. */
enum { LEAST_FLOPS = 32 << 20, FLOPS_OF_PASSES = 8 };

/* The bytes of a node's input and output for one sample. */
static size_t sample_bytes(const thaw_plan *plan, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    size_t count = thaw_shape_count(thaw_plan_shape(plan, index));
    for (size_t k = 0; k < node->input_count; k++)
        count += thaw_shape_count(thaw_plan_shape(plan, node->inputs[k]));
    return count * thaw_dtype_bytes(plan->nodes[index].precision);
}

static size_t parameter_bytes(const thaw_graph_node *node)
{
    size_t bytes = 0;
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++)
        bytes += node->group->parameters[k]->count * sizeof(float);
    return bytes;
}

static bool is_wide(const thaw_plan *plan, thaw_node index, size_t cache_bytes)
{
    return plan->model->nodes[index].module && sample_bytes(plan, index) * (size_t)plan->batch > cache_bytes;
}

/* Where the nodes end that are worth running in tiles; 0: none are. The last moves more than the caches hold, and
   none reads parameters that outweigh that, as each tile reads them again. */
static size_t count_wide(const thaw_plan *plan, size_t cache_bytes)
{
    size_t count = 0;
    for (size_t i = plan->constant_count; i < plan->cut_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        const size_t batch_bytes = sample_bytes(plan, plan->order[i]) * (size_t)plan->batch;
        if (node->module && (node->module->loss || parameter_bytes(node) > batch_bytes / 2))
            break;
        count = is_wide(plan, plan->order[i], cache_bytes) ? i + 1 : count;
    }
    return count;
}

/* The most bytes per sample of a node in order[first .. past). */
static size_t find_widest(const thaw_plan *plan, size_t first, size_t past)
{
    size_t widest = 0;
    for (size_t i = first; i < past; i++) {
        const size_t bytes = plan->model->nodes[plan->order[i]].module ? sample_bytes(plan, plan->order[i]) : 0;
        widest = bytes > widest ? bytes : widest;
    }
    return widest;
}

/* Samples that give each thread enough work in a kernel. Most of the work is products of a weight with each place. If
   they take long, starting them for each sample costs little, and the values between them take less memory.
   Milliseconds per pass over 16 images of 224x224 on two threads, and megabytes, in tiles of 2 samples and of 1:
     ResNet-18          200 MFLOP per product    100  100    11.3  7.3
     EfficientNet-Lite0  16                     38.6 42.0   12.2  6.1
     MobileNetV2         12                     30.8 34.2   12.0  6.1 */
static int64_t count_busy(const thaw_plan *plan, int64_t threads)
{
    double flops = 0;
    size_t products = 0;
    for (size_t i = plan->constant_count; i < plan->tiled_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        flops += node->flops;
        products += node->flops > FLOPS_OF_PASSES * (double)thaw_shape_count(&node->output);
    }
    const double wanted = products ? (double)products * LEAST_FLOPS * (double)threads / flops : (double)threads;
    return wanted < (double)threads ? (int64_t)wanted + 1 : threads;
}

/* Samples in a tile: as many as the caches hold, in tiles of similar size. Each thread has the same number of
   samples, or each sample the same number of threads. */
static int64_t choose_tile(int64_t batch, int64_t threads, int64_t fitting, int64_t busy)
{
    const int64_t most = fitting > busy ? fitting : busy;
    const int64_t tiles = (batch + most - 1) / most;
    int64_t tile = (batch + tiles - 1) / tiles;
    while (tile % threads && threads % tile)
        tile++;
    return tile;
}

/* Bytes per sample of values that pass from nodes before `end` to nodes after it; they exist for the whole batch. */
static size_t bytes_across(const thaw_plan *plan, const size_t *last, size_t end)
{
    size_t bytes = 0;
    for (size_t i = plan->constant_count; i < end; i++) {
        const thaw_node index = plan->order[i];
        const thaw_graph_node *node = &plan->model->nodes[index];
        if (node->module && last[i] >= end)
            bytes += thaw_shape_count(thaw_plan_shape(plan, index)) * thaw_dtype_bytes(plan->nodes[index].precision);
    }
    return bytes;
}

/* The best end of the tiles, at most `most`: the one that needs the least memory, while tiles run and afterwards. */
static size_t choose_end(const thaw_plan *plan, const size_t *last, size_t most)
{
    const size_t batch = (size_t)plan->batch, tile = (size_t)plan->tile;
    size_t best = most, least = SIZE_MAX;
    for (size_t end = most; end > plan->constant_count; end--) {
        const size_t during =
            batch * bytes_across(plan, last, end) + tile * find_widest(plan, plan->constant_count, end);
        const size_t after = batch * find_widest(plan, end, plan->cut_count);
        const size_t bytes = during > after ? during : after;
        best = bytes < least ? end : best;
        least = bytes < least ? bytes : least;
    }
    return best;
}

/* Whether the node's output is read by a node that is not tiled, or after the plan has run. */
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

static thaw_status move_end(thaw_plan *plan)
{
    size_t *last = thaw_allocate_array(plan->model->context, plan->prefix_count, sizeof *last);
    if (!last)
        return THAW_OUT_OF_MEMORY;
    thaw_plan_find_last_readers(plan, last);
    plan->tiled_count = choose_end(plan, last, plan->tiled_count);
    thaw_release(plan->model->context, last);
    return THAW_OK;
}

thaw_status thaw_pass_tiles(thaw_plan *plan)
{
    const int64_t threads = plan->model->context->threads;
    const size_t cache_bytes = (size_t)threads * CACHE_BYTES;
    plan->tile = plan->batch;
    plan->tiled_count = count_wide(plan, cache_bytes);
    if (plan->tiled_count > 0) {
        const size_t widest = find_widest(plan, plan->constant_count, plan->tiled_count);
        plan->tile = choose_tile(plan->batch, threads, (int64_t)(cache_bytes / widest), count_busy(plan, threads));
    }
    if (plan->tile > plan->batch / 2)
        thaw_plan_untile(plan);
    const thaw_status status = plan->tiled_count > 0 ? move_end(plan) : THAW_OK;
    for (size_t i = 0; i < plan->order_count && status == THAW_OK; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        planned->tiled =
            i >= plan->constant_count && i < plan->tiled_count && plan->model->nodes[plan->order[i]].module;
        planned->partial = planned->tiled && !is_read_whole(plan, plan->order[i]);
    }
    return status;
}

void thaw_plan_untile(thaw_plan *plan)
{
    plan->tile = plan->batch;
    plan->tiled_count = 0;
    for (size_t i = 0; i < plan->node_count; i++)
        plan->nodes[i].tiled = plan->nodes[i].partial = false;
}
