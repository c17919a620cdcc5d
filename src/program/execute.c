#include <string.h>

#include "kernels/bfloat16.h"
#include "params/keeping.h"
#include "plan/plan.h"
#include "program/poison.h"

/* Of the layer's own parameters: the factors of a low-rank change are not packed. */
static uint64_t sum_versions(const thaw_graph_node *node, const thaw_plan_node *planned)
{
    uint64_t sum = 0;
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++)
        sum += thaw_expression_version(planned->uses[k].expression);
    return sum;
}

/* Brings values back that another plan's layer has let go of, or this one: it packs anew. */
static void bring_back(const thaw_graph_node *node)
{
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++)
        thaw_parameter_bring_back(node->group->parameters[k]);
}

static thaw_status pack(const thaw_graph_node *node, thaw_plan_node *planned)
{
    bring_back(node);
    if (planned->needs.lets_go) {
        planned->run.leaving->keeper = node->module;
        planned->run.leaving->kept = &planned->run;
    } else if (planned->packed_version == 0) {
        /* Kernels may read the padding of blocked layouts, which relayouts need not write. */
        memset(planned->run.packed, 0, planned->needs.packed_bytes);
    }
    return node->module->pack(&planned->run);
}

/* Copies of parameters in the kernels' layouts are made anew when a parameter has changed: once for frozen ones, once a
   step for those that train, once an evaluation otherwise. */
static thaw_status pack_if_old(const thaw_plan *plan, const thaw_graph_node *node, thaw_plan_node *planned)
{
    if (!planned->needs.lets_go)
        bring_back(node);
    if (!node->module->pack || !planned->needs.packed_bytes)
        return THAW_OK;
    const thaw_plan_node *map = planned->channel_map < 0 ? NULL : &plan->nodes[planned->channel_map];
    const uint64_t version = 1 + sum_versions(node, planned) + (map ? map->packed_version : 0);
    if (planned->packed_version == version)
        return THAW_OK;
    const thaw_status status = pack(node, planned);
    planned->packed_version = status == THAW_OK ? version : 0;
    return status;
}

/* Brings what the node's layer gets for its parameters, and its copies of them, up to date. */
static thaw_status pack_node(thaw_plan *plan, thaw_node index)
{
    const thaw_status status = thaw_plan_refresh(plan, index);
    return status == THAW_OK ? pack_if_old(plan, &plan->model->nodes[index], &plan->nodes[index]) : status;
}

/* Makes an origin's values in the other precision. */
static void convert_output(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    if (!planned->copy)
        return;
    const int64_t samples = planned->tiled ? plan->tile : plan->batch;
    const thaw_values from = { planned->run.output, planned->precision };
    const thaw_values into = { planned->copy, thaw_other_precision(planned->precision) };
    thaw_values_convert(plan->model->context, into, from,
                        (size_t)samples * thaw_shape_count(&plan->model->nodes[index].output));
}

/* Converts what nodes of order[0 .. past) were fed with since, for those that read it in bfloat16. */
static void convert_fed(thaw_plan *plan, size_t past)
{
    for (size_t i = 0; i < past; i++) {
        const thaw_node index = plan->order[i];
        thaw_plan_node *planned = &plan->nodes[index];
        if (!planned->fed_anew || !planned->converts_fed)
            continue;
        const thaw_values from = { (void *)(uintptr_t)planned->fed, THAW_F32 };
        const thaw_values into = { planned->precision == THAW_F32 ? planned->copy : planned->run.output, THAW_BF16 };
        thaw_values_convert(plan->model->context, into, from,
                            (size_t)plan->batch * thaw_shape_count(&plan->model->nodes[index].output));
        planned->fed_anew = false;
    }
}

static thaw_status run_node(thaw_plan *plan, thaw_node index, const void *target, const thaw_stream *random)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    thaw_plan_node *planned = &plan->nodes[index];
    if (planned->masks && planned->fused_into >= 0)
        thaw_plan_mark_mask(plan, index);
    if (!node->module || planned->needs.identity || planned->fused_into >= 0)
        return THAW_OK;
    planned->run.target = target;
    if (random) {
        planned->run.random.seed = random->seed;
        planned->run.random.step = random->step;
    }
    thaw_status status = planned->channel_map < 0 ? THAW_OK : pack_node(plan, planned->channel_map);
    if (status == THAW_OK)
        status = pack_node(plan, index);
    if (planned->statistics_request >= 0)
        thaw_plan_stage_statistics(plan, index);
    if (status == THAW_OK && !node->module->source)
        status = node->module->forward(&planned->run);
    if (status == THAW_OK)
        convert_output(plan, index);
    if (status == THAW_OK && planned->masks)
        thaw_plan_mark_mask(plan, index);
    return status;
}

/* A pointer into the values of a whole batch, moved on by some samples. */
static void *move(const thaw_plan *plan, thaw_node node, const void *values, thaw_dtype dtype, int64_t samples)
{
    const int64_t count = samples * (int64_t)thaw_shape_count(&plan->model->nodes[node].output);
    return values ? (char *)(uintptr_t)values + count * (int64_t)thaw_dtype_bytes(dtype) : NULL;
}

/* Moves what tiled nodes read and write of a whole batch on by some samples. */
static void move_tiles(thaw_plan *plan, int64_t samples)
{
    for (size_t i = plan->fixed_count; i < plan->tiled_count; i++) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        if (!planned->tiled)
            continue;
        for (size_t k = 0; k < planned->source_count; k++)
            if (!plan->nodes[planned->sources[k]].partial)
                planned->inputs[k] = move(plan, planned->sources[k], planned->inputs[k], planned->precision, samples);
        if (planned->partial)
            continue;
        const thaw_dtype other = thaw_other_precision(planned->precision);
        planned->run.output = move(plan, plan->order[i], planned->run.output, planned->precision, samples);
        planned->copy = move(plan, plan->order[i], planned->copy, other, samples);
    }
}

/* Runs the tiled nodes. The last tile ends where the batch does, and so may compute samples of the one before anew: to
   the same values. */
static thaw_status run_tiles(thaw_plan *plan)
{
    thaw_status status = THAW_OK;
    int64_t at = 0;
    while (status == THAW_OK) {
        for (size_t i = plan->fixed_count; i < plan->tiled_count && status == THAW_OK; i++)
            status = run_node(plan, plan->order[i], NULL, NULL);
        const int64_t left = plan->batch - plan->tile - at;
        if (left == 0)
            break;
        const int64_t on = left < plan->tile ? left : plan->tile;
        move_tiles(plan, on);
        at += on;
    }
    move_tiles(plan, -at);
    return status;
}

thaw_status thaw_plan_forward(thaw_plan *plan, size_t first, size_t past, const void *target, const thaw_stream *random)
{
    thaw_status status = THAW_OK;
    thaw_poison(plan, first, first + 1);
    convert_fed(plan, past);
    for (size_t i = first; i < past && status == THAW_OK;) {
        const bool tiles = i == plan->fixed_count && i < plan->tiled_count;
        const size_t next = tiles ? plan->tiled_count : i + 1;
        thaw_poison(plan, i == first ? i + 1 : i, next);
        status = tiles ? run_tiles(plan) : run_node(plan, plan->order[i], target, random);
        i = next;
    }
    return status;
}

/* Brings the gradients that this node wrote beside those of its inputs to where they belong: added to what stands there,
   or converted. */
static void settle_spares(thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->source_count; k++) {
        if (!planned->adds_gradient[k] && planned->spare_request[k] < 0)
            continue;
        const thaw_node source = planned->sources[k];
        const size_t count = (size_t)plan->batch * thaw_shape_count(&plan->model->nodes[source].output);
        const thaw_values into = { plan->nodes[source].gradient, plan->nodes[source].precision };
        const thaw_values term = { planned->input_gradients[k], planned->precision };
        if (planned->adds_gradient[k])
            thaw_values_add(plan->model->context, into, term, count);
        else
            thaw_values_convert(plan->model->context, into, term, count);
    }
}

bool thaw_plan_runs_backward(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    if (!planned->carries || planned->needs.identity || planned->absorbed)
        return false;
    for (size_t k = 0; k < THAW_MAX_INPUTS; k++)
        if (planned->input_gradient[k])
            return true;
    return planned->trains;
}

/* Computes what backward wants from the time of this node on, and was not kept. */
static thaw_status recompute(thaw_plan *plan, thaw_node index)
{
    thaw_status status = THAW_OK;
    for (size_t i = plan->prefix_count; i <= plan->position[index] && status == THAW_OK; i++) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        if (planned->recomputed &&
            plan->requests[planned->again_request].first == 2 * plan->order_count - 1 - plan->position[index])
            status = thaw_plan_recompute(plan, plan->order[i]);
    }
    return status;
}

static thaw_status run_backward(thaw_plan *plan)
{
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        const thaw_node index = plan->order[i];
        const size_t time = 2 * plan->order_count - 1 - i;
        thaw_poison(plan, time, time + 1);
        thaw_status status = recompute(plan, index);
        if (status == THAW_OK && plan->nodes[index].masks)
            thaw_plan_apply_mask(plan, index);
        else if (status == THAW_OK && thaw_plan_runs_backward(plan, index))
            status = plan->model->nodes[index].module->backward(&plan->nodes[index].run);
        if (status == THAW_OK)
            status = thaw_plan_hand_on(plan, index);
        if (status != THAW_OK)
            return status;
        settle_spares(plan, index);
    }
    return THAW_OK;
}

thaw_status thaw_plan_backward(thaw_plan *plan)
{
    thaw_poison_gradients(plan);
    thaw_plan_turn(plan, true);
    const thaw_status status = run_backward(plan);
    thaw_plan_turn(plan, false);
    for (size_t i = 0; i < plan->trained_count && status == THAW_OK; i++)
        thaw_clear_held(plan->trained[i]);
    return status;
}

const float *thaw_plan_output(const thaw_plan *plan, thaw_node node)
{
    return thaw_plan_value(plan, plan->nodes[node].origin, THAW_F32);
}
