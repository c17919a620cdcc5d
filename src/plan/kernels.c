#include <string.h>

#include "params/keeping.h"
#include "plan/sharing.h"
#include "plan/store.h"

/* Parameters that train also have gradients and often optimizer slots. The answer depends neither on the batch nor
   on training or evaluation, so that all plans choose the same kernels. */
static bool must_save_memory(const thaw_plan *plan)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    size_t frozen = 0, trained = 0;
    for (size_t i = 0; i < set->parameter_count; i++) {
        const thaw_parameter *parameter = set->parameters[i];
        const bool trains = thaw_parameter_trainable(parameter) && !thaw_plan_supposes(plan, parameter);
        if (parameter->in_use)
            *(trains ? &trained : &frozen) += parameter->count;
    }
    return frozen > 3 * trained;
}

void thaw_plan_fill_demand(const thaw_plan *plan, thaw_node index, thaw_plan_demand *filled)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < node->input_count; k++)
        filled->inputs[k] = *thaw_plan_shape(plan, node->inputs[k]);
    if (planned->epilogue.residual)
        filled->inputs[node->input_count] = *thaw_plan_shape(plan, index);
    const size_t parameter_count = node->group ? node->group->parameter_count : 0;
    /* A layer that packs in each step, because its bias trains, reads the weight each time. */
    const bool packs_once = !thaw_plan_changes_each_step(plan, index);
    for (size_t k = 0; k < parameter_count; k++) {
        filled->parameters[k] = node->group->parameters[k]->shape;
        filled->may_leave[k] = packs_once && thaw_parameter_may_leave(node->group->parameters[k]);
    }
    filled->capabilities = (thaw_capability_demand){
        .precision = planned->precision,
        .epilogue = planned->epilogue,
        .folded = planned->absorbed,
        .low_rank = planned->low_rank,
        .may_leave = filled->may_leave,
        .save_memory = must_save_memory(plan),
        .shares_sums = thaw_plan_shares_sums(plan, index),
    };
    filled->demand = (thaw_layer_demand){
        .context = plan->model->context,
        .options = node->options,
        .batch = planned->tiled ? plan->tile : plan->batch,
        .training = planned->carries,
        .draws = planned->draws,
        .follows = planned->follows,
        .input_count = node->input_count,
        .inputs = filled->inputs,
        .output = *thaw_plan_shape(plan, index),
        .input_gradient = planned->input_gradient,
        .parameter_count = parameter_count,
        .parameters = filled->parameters,
        .parameter_gradient = planned->parameter_gradient,
        .capabilities = &filled->capabilities,
    };
}

/* Decides whether the output replaces the residual of the node's epilogue in memory. */
static void place_residual(thaw_plan *plan, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    if (planned->epilogue.residual)
        planned->epilogue.residual =
            thaw_residual_is_last_read(plan, index) ? THAW_RESIDUAL_IN_PLACE : THAW_RESIDUAL_BESIDE;
}

/* Only channel maps among absorbed nodes have something to prepare. */
static bool wants_kernels(const thaw_plan *plan, thaw_node index)
{
    const thaw_layer_module *module = plan->model->nodes[index].module;
    return module && (!plan->nodes[index].absorbed || plan->model->nodes[index].capabilities->maps_channels);
}

static thaw_status prepare(thaw_plan *plan, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    thaw_plan_node *planned = &plan->nodes[index];
    thaw_plan_demand filled;
    place_residual(plan, index);
    thaw_plan_fill_demand(plan, index, &filled);
    bool lets_go[THAW_MAX_PARAMETERS] = { false };
    thaw_capability_needs wanted = { .gradient_rows = planned->wanted_rows, .lets_go = lets_go };
    planned->needs.capabilities = &wanted;
    const thaw_status status = node->module->prepare(&filled.demand, &planned->needs);
    planned->needs.capabilities = NULL;
    planned->prepared = status == THAW_OK;
    if (status != THAW_OK)
        return status;
    planned->forward_sums = filled.capabilities.shares_sums ? wanted.forward_sums : 0;
    planned->backward_sums = filled.capabilities.shares_sums ? wanted.backward_sums : 0;
    for (size_t k = 0; k < filled.demand.parameter_count && node->capabilities->unpack; k++) {
        planned->leaves[k] = lets_go[k] && filled.may_leave[k];
        planned->lets_go = planned->lets_go || planned->leaves[k];
    }
    if (node->module->source)
        planned->needs.packed_bytes =
            (size_t)plan->batch * thaw_shape_count(thaw_plan_shape(plan, index)) * sizeof(float);
    return THAW_OK;
}

/* *mixes: a tiled node needs the whole batch. */
static thaw_status prepare_all(thaw_plan *plan, bool *mixes)
{
    *mixes = false;
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        const thaw_status status = wants_kernels(plan, index) ? prepare(plan, index) : THAW_OK;
        if (status != THAW_OK)
            return status;
        thaw_share_output(plan, index);
        const thaw_plan_node *planned = &plan->nodes[index];
        *mixes = *mixes || (planned->tiled && planned->needs.mixes_samples);
    }
    return THAW_OK;
}

void thaw_plan_release_kernels(thaw_plan *plan)
{
    for (size_t i = 0; plan->nodes && i < plan->node_count; i++) {
        thaw_plan_node *planned = &plan->nodes[i];
        const thaw_layer_module *module = plan->model->nodes[i].module;
        if (planned->prepared && module->release)
            module->release(plan->model->context, planned->needs.state);
        planned->prepared = false;
        planned->needs = (thaw_layer_needs){ 0 };
        memset(planned->wanted_rows, 0, sizeof planned->wanted_rows);
        memset(planned->leaves, 0, sizeof planned->leaves);
        planned->lets_go = false;
        planned->forward_sums = planned->backward_sums = 0;
    }
}

static bool has_small_sums(const thaw_plan *plan, thaw_node index)
{
    const size_t most = SIZE_MAX / 4 / (1 + plan->shards) / sizeof(double);
    return plan->nodes[index].forward_sums <= most && plan->nodes[index].backward_sums <= most;
}

/* Modules may ask for more than a size can hold. */
static thaw_status sum_needs(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_layer_needs *needs = &plan->nodes[plan->order[i]].needs;
        const size_t most = SIZE_MAX / 4;
        if (needs->scratch_bytes > most || needs->workspace_bytes > most || needs->packed_bytes > most ||
            plan->packed_bytes > most || !has_small_sums(plan, plan->order[i]))
            return thaw_fail(plan->model->context, THAW_OUT_OF_MEMORY,
                             "%s: the memory that its kernels need overflows a size",
                             plan->model->nodes[plan->order[i]].name);
        plan->packed_bytes += thaw_align(needs->packed_bytes);
    }
    return THAW_OK;
}

thaw_status thaw_pass_kernels(thaw_plan *plan)
{
    bool mixes;
    thaw_status status = prepare_all(plan, &mixes);
    if (status == THAW_OK && mixes) {
        thaw_plan_release_kernels(plan);
        thaw_plan_untile(plan);
        status = prepare_all(plan, &mixes);
    }
    if (status != THAW_OK)
        return status;
    return sum_needs(plan);
}
