/* The entries and totals of a plan. */
#include "params/suits.h"
#include "plan/account.h"
#include "plan/store.h"

size_t thaw_plan_entry_count(const thaw_plan *plan)
{
    return plan->node_count;
}

static bool runs_forward(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    const thaw_layer_module *module = plan->model->nodes[index].module;
    return planned->used && module && !module->source && !planned->needs.identity && planned->fused_into < 0;
}

static bool any(const bool *flags, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (flags[i])
            return true;
    return false;
}

/* The trainability of a node's parameters, without statistics. */
static thaw_trainability trainability_of(const thaw_plan *plan, const thaw_graph_node *node)
{
    bool seen[THAW_TRAINABLE + 1] = { false };
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++)
        if (node->group->parameters[k]->role != THAW_STATISTIC)
            seen[thaw_plan_trainability(plan, thaw_parameter_expression(node->group->parameters[k]))] = true;
    if (seen[THAW_PARTIAL] || (seen[THAW_TRAINABLE] && seen[THAW_FROZEN]))
        return THAW_PARTIAL;
    return seen[THAW_TRAINABLE] ? THAW_TRAINABLE : THAW_FROZEN;
}

thaw_status thaw_plan_entry_at(const thaw_plan *plan, size_t index, thaw_plan_entry *entry)
{
    if (index >= plan->node_count)
        return thaw_fail(plan->model->context, THAW_INVALID_ARGUMENT, "entry is %zu, the plan has %zu", index,
                         plan->node_count);
    const thaw_graph_node *node = &plan->model->nodes[index];
    const thaw_plan_node *planned = &plan->nodes[index];
    const bool input_gradient = any(planned->input_gradient, node->input_count);
    const bool parameter_gradient = planned->trains,
               full_gradient = any(planned->parameter_gradient, THAW_MAX_PARAMETERS);
    const double flops = node->flops * (double)plan->batch;
    *entry = (thaw_plan_entry){
        .name = node->name,
        .kind = node->module ? node->module->name : "input",
        .region = planned->region,
        .precision = planned->precision,
        .kernel = runs_forward(plan, (thaw_node)index) && planned->needs.kernel ? planned->needs.kernel : "",
        .fused_into = planned->fused_into >= 0 ? plan->model->nodes[planned->fused_into].name : NULL,
        .forward = runs_forward(plan, (thaw_node)index),
        .input_gradient = input_gradient && !planned->needs.identity && !planned->absorbed,
        .parameter_gradient = parameter_gradient,
        .cache_boundary = planned->boundary && thaw_plan_cache_bytes(plan) > 0,
        .samples = planned->tiled ? plan->tile : plan->batch,
        .output_bytes = thaw_request_bytes(plan, planned->places.output),
        .copy_bytes = thaw_request_bytes(plan, planned->places.copy),
        .workspace_bytes = thaw_request_bytes(plan, planned->places.workspace),
        .packed_bytes = planned->needs.packed_bytes,
        .trainability = trainability_of(plan, node),
        .forward_flops = planned->used ? flops : 0,
        .backward_flops = flops * ((input_gradient ? 1 : 0) + (full_gradient ? 1 : 0)) + planned->combination_flops,
    };
    return THAW_OK;
}

thaw_dtype thaw_plan_cache_dtype(const thaw_plan *plan, thaw_node node)
{
    return thaw_model_is_input(plan->model, node) ? THAW_F32 : plan->cache.dtype;
}

size_t thaw_plan_cached_bytes(const thaw_plan *plan, thaw_node node)
{
    return thaw_shape_count(&plan->model->nodes[node].output) * thaw_dtype_bytes(thaw_plan_cache_dtype(plan, node));
}

size_t thaw_plan_cache_bytes(const thaw_plan *plan)
{
    size_t bytes = 0;
    bool work = false;
    for (size_t i = plan->constant_count; i < plan->cut_count; i++) {
        const thaw_node index = plan->order[i];
        work = work || (runs_forward(plan, index) && !thaw_model_is_input(plan->model, index));
        if (plan->nodes[index].boundary)
            bytes += thaw_plan_cached_bytes(plan, index);
    }
    return plan->cuts && work && !plan->too_large && !plan->cache.random ? bytes : 0;
}

/* Conversions of a node's value, and of the gradients of its inputs. */
static size_t count_conversions(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    size_t conversions = planned->places.copy >= 0;
    for (size_t k = 0; k < planned->source_count; k++)
        conversions += planned->input_gradient[k] && planned->precision != plan->nodes[planned->sources[k]].precision;
    return conversions;
}

/* Operations of a step if everything were trainable. */
static double count_unfrozen_flops(const thaw_plan *plan)
{
    double flops = 0;
    for (size_t i = 0; i < plan->node_count; i++) {
        const thaw_graph_node *node = &plan->model->nodes[i];
        if (!plan->nodes[i].used)
            continue;
        bool input_gradient = false;
        for (size_t k = 0; k < node->input_count; k++)
            input_gradient = input_gradient || plan->nodes[node->inputs[k]].could_carry;
        const int passes = 1 + (input_gradient ? 1 : 0) + (plan->nodes[i].could_train ? 1 : 0);
        flops += node->flops * (double)plan->batch * passes;
    }
    return flops;
}

/* Whether the parameter has this optimizer slot, or gets it in the plan's first step. */
static bool has_slot(const thaw_plan *plan, const thaw_parameter *parameter, size_t slot)
{
    return parameter->slot[slot] || (thaw_plan_trains(plan, parameter) && thaw_parameter_uses_slot(parameter, slot));
}

/* Of the stage that is not bound by memory. */
static double update_flops(const thaw_parameter *parameter)
{
    const thaw_optimizer_module *module = thaw_parameter_module(parameter);
    double values[THAW_MAX_HYPERPARAMETERS];
    if (!module || !module->flops)
        return 0;
    thaw_parameter_values(parameter, values);
    return module->flops(values, thaw_parameter_rows(parameter), thaw_parameter_columns(parameter));
}

/* Of the copy that the parameter's wrappers need. */
static size_t copied_bytes(const thaw_plan *plan, const thaw_parameter *parameter)
{
    const thaw_optimizer *optimizer = parameter->group->optimizer;
    const bool copies = optimizer && thaw_plan_trains(plan, parameter) && thaw_optimizer_copies(optimizer);
    return copies ? parameter->count * sizeof(float) : 0;
}

static void count_parameters(const thaw_plan *plan, thaw_plan_totals *totals)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    for (size_t i = 0; i < set->parameter_count; i++) {
        const thaw_parameter *parameter = set->parameters[i];
        const size_t bytes = parameter->count * sizeof(float);
        totals->parameter_bytes += bytes;
        totals->gradient_bytes += thaw_plan_trains(plan, parameter) ? bytes : 0;
        totals->optimizer_state_bytes += copied_bytes(plan, parameter);
        for (size_t k = 0; k < THAW_MOST_SLOTS; k++)
            totals->optimizer_state_bytes += has_slot(plan, parameter, k) ? thaw_parameter_slot_bytes(parameter, k) : 0;
    }
}

/* Bytes that the node would read and write in a kernel of its own. */
static size_t fused_bytes(const thaw_plan *plan, thaw_node index)
{
    const size_t count = (size_t)plan->batch * thaw_shape_count(thaw_plan_shape(plan, index));
    return 2 * count * thaw_dtype_bytes(plan->nodes[index].precision);
}

thaw_plan_totals thaw_plan_totals_of(const thaw_plan *plan)
{
    thaw_plan_totals totals = {
        .activation_bytes = plan->arena_bytes,
        .separate_bytes = thaw_plan_separate_bytes(plan),
        .recomputed_bytes = thaw_plan_recomputed_bytes(plan),
        .packed_bytes = plan->packed_bytes,
        .shard_bytes = thaw_plan_shard_bytes(plan),
        .shared_bytes = thaw_plan_shared_bytes(plan),
        .synced_bytes = thaw_plan_synced_bytes(plan),
        .shards = (int64_t)plan->shards,
        .combination_bytes = plan->value_bytes,
        .unfrozen_flops = count_unfrozen_flops(plan),
        .cached_bytes_per_sample = thaw_plan_cache_bytes(plan),
        .prefix_bytes_per_sample = plan->prefix_bytes,
        .tile = plan->tile,
    };
    count_parameters(plan, &totals);
    for (size_t i = 0; i < plan->node_count; i++) {
        thaw_plan_entry entry;
        thaw_plan_entry_at(plan, i, &entry);
        totals.forward_kernels += entry.forward;
        totals.fused_kernels += entry.fused_into != NULL;
        totals.fused_bytes += entry.fused_into ? fused_bytes(plan, (thaw_node)i) : 0;
        totals.bfloat16_kernels += entry.forward && entry.precision == THAW_BF16;
        totals.conversions += count_conversions(plan, (thaw_node)i);
        totals.tiled_kernels += entry.forward && plan->nodes[i].tiled;
        totals.backward_kernels += entry.input_gradient || entry.parameter_gradient;
        totals.flops += entry.forward_flops + entry.backward_flops;
        if (entry.region != THAW_REGION_PREFIX || (plan->nodes[i].used && plan->position[i] >= plan->cut_count))
            totals.cached_flops += entry.forward_flops + entry.backward_flops;
    }
    for (size_t i = 0; i < plan->trained_count; i++) {
        totals.trainable_parameters += plan->trained[i]->count;
        totals.update_flops += update_flops(plan->trained[i]);
    }
    return totals;
}
