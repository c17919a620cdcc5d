/* Points kernels at their buffers. */
#include "core/philox.h"
#include "plan/plan.h"

static void *at(const thaw_plan *plan, char *arena, int request)
{
    return request < 0 ? NULL : arena + plan->requests[request].offset;
}

/* Sources are bound before their readers. Their outputs are outside the arena. */
static float *output_of(const thaw_plan *plan, char *arena, thaw_node node)
{
    const thaw_node root = plan->nodes[node].root;
    const thaw_layer_module *module = plan->model->nodes[root].module;
    return module && module->source ? plan->nodes[root].bound.run.packed
                                    : at(plan, arena, plan->nodes[root].places.output);
}

static float *gradient_of(const thaw_plan *plan, char *arena, thaw_node node)
{
    return at(plan, arena, plan->nodes[plan->nodes[node].gradient_root].places.gradient);
}

/* Where a node writes the gradient of its input: in place, or in a spare buffer to be added or converted. */
static float *input_gradient_of(const thaw_plan *plan, char *arena, thaw_node index, size_t k)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    if (!planned->input_gradient[k])
        return NULL;
    if (planned->places.spare[k] >= 0)
        return at(plan, arena, planned->places.spare[k]);
    return gradient_of(plan, arena, planned->adds_gradient[k] ? index : planned->sources[k]);
}

static void bind_inputs(thaw_plan *plan, char *arena, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->source_count; k++) {
        planned->bound.inputs[k] =
            thaw_plan_value(plan, plan->nodes[planned->sources[k]].origin, thaw_input_precision(planned, k));
        planned->bound.input_gradients[k] = input_gradient_of(plan, arena, index, k);
    }
}

static void bind_capabilities(const thaw_plan *plan, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    planned->bound.capabilities.gradient_rows = planned->bound.gradient_rows;
    planned->bound.capabilities.leaving = planned->bound.leaving;
    planned->bound.capabilities.finite = planned->bound.finite;
    for (size_t k = 0; k < THAW_MAX_PARAMETERS; k++)
        planned->bound.leaving[k] = planned->leaves[k] ? plan->model->nodes[index].group->parameters[k] : NULL;
}

/* Points an owner at what its channel map has packed. */
static void bind_channel_map(const thaw_plan *plan, thaw_plan_node *planned)
{
    if (planned->channel_map < 0)
        return;
    const thaw_shape *output = thaw_plan_shape(plan, planned->channel_map);
    const float *scale = plan->nodes[planned->channel_map].bound.run.packed;
    planned->bound.capabilities.channel_scale = scale;
    planned->bound.capabilities.channel_shift = scale + output->dims[output->rank - 1];
}

/* Points a node at the sums of its shard, and of all shards. */
static void bind_sums(const thaw_plan *plan, char *arena, thaw_node index)
{
    const size_t own_bytes = thaw_plan_sums_bytes(plan, index) / (1 + plan->shards);
    double *memory = at(plan, arena, plan->nodes[index].places.sums);
    if (memory)
        plan->nodes[index].bound.capabilities.sums =
            (thaw_shared_sums){ memory, memory + own_bytes / sizeof *memory, plan->shards };
}

/* Where backward finds values that are computed again. */
static void bind_second_run(const thaw_plan *plan, char *arena, const thaw_plan_node *planned)
{
    thaw_second_run *second = planned->bound.second;
    if (!second)
        return;
    const thaw_plan_node *root = &plan->nodes[planned->root];
    second->run = planned->bound.run;
    second->run.inputs = second->inputs;
    if (root->recomputed)
        second->run.output = at(plan, arena, root->places.again);
    for (size_t k = 0; k < planned->source_count; k++) {
        root = &plan->nodes[plan->nodes[planned->sources[k]].root];
        second->inputs[k] = root->recomputed ? at(plan, arena, root->places.again) : planned->bound.inputs[k];
    }
}

void thaw_plan_bind(thaw_plan *plan, char *arena)
{
    if (plan->arena == arena)
        return;
    plan->arena = arena;
    thaw_plan_bind_parameters(plan, arena);
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        thaw_plan_node *planned = &plan->nodes[index];
        bind_inputs(plan, arena, index);
        thaw_plan_bind_statistics(plan, index, at(plan, arena, planned->places.statistics));
        planned->bound.copy = at(plan, arena, planned->places.copy);
        planned->bound.mask = at(plan, arena, planned->places.mask);
        planned->bound.gradient = planned->carries ? gradient_of(plan, arena, index) : NULL;
        const thaw_layer_needs *needs = &planned->needs;
        bind_capabilities(plan, index);
        bind_sums(plan, arena, index);
        planned->bound.run = (thaw_layer_run){
            .context = plan->model->context,
            .state = needs->state,
            .inputs = planned->bound.inputs,
            .output = output_of(plan, arena, index),
            .output_gradient = planned->bound.gradient,
            .input_gradients = planned->bound.input_gradients,
            .parameters = planned->bound.parameters,
            .parameter_gradients = planned->bound.parameter_gradients,
            .capabilities = &planned->bound.capabilities,
            .packed = planned->packed ? planned->packed->memory : NULL,
            .statistics = planned->bound.statistics,
            .workspace = at(plan, arena, planned->places.workspace),
            .scratch = needs->scratch_bytes ? arena : NULL,
            .random = { .purpose = THAW_PURPOSE_LAYER, .node = (uint32_t)index },
        };
        if (plan->model->nodes[index].module && plan->model->nodes[index].module->source)
            planned->bound.run.output = planned->bound.run.packed;
    }
    for (size_t i = 0; i < plan->order_count; i++)
        bind_channel_map(plan, &plan->nodes[plan->order[i]]);
    for (size_t i = 0; i < plan->order_count; i++)
        bind_second_run(plan, arena, &plan->nodes[plan->order[i]]);
    thaw_program_bind(plan);
}
