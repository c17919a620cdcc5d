#include "plan/plan.h"

enum { ADD_GRAIN = 4096 };

/* Copies of parameters in the kernels' layouts are made anew when a parameter has changed: once for frozen ones, once a
   step for those that train, once an evaluation otherwise. */
static thaw_status pack_if_old(const thaw_graph_node *node, thaw_plan_node *planned)
{
    if (!node->module->pack || !planned->needs.packed_bytes)
        return THAW_OK;
    uint64_t version = 1;
    for (size_t k = 0; node->group && k < node->group->parameter_count; k++)
        version += node->group->parameters[k]->version;
    if (planned->packed_version == version)
        return THAW_OK;
    const thaw_status status = node->module->pack(&planned->run);
    planned->packed_version = status == THAW_OK ? version : 0;
    return status;
}

thaw_status thaw_plan_forward(thaw_plan *plan, size_t first, size_t past, const void *target, const thaw_stream *random)
{
    for (size_t i = first; i < past; i++) {
        const thaw_graph_node *node = &plan->model->nodes[plan->order[i]];
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        if (!node->module || planned->needs.identity || planned->fused_into >= 0)
            continue;
        planned->run.target = target;
        if (random) {
            planned->run.random.seed = random->seed;
            planned->run.random.step = random->step;
        }
        thaw_status status = pack_if_old(node, planned);
        if (status == THAW_OK)
            status = node->module->forward(&planned->run);
        if (status != THAW_OK)
            return status;
    }
    return THAW_OK;
}

typedef struct addition {
    float *sum;
    const float *term;
} addition;

static void add_range(void *argument, size_t begin, size_t end)
{
    const addition *added = argument;
    float *restrict sum = added->sum;
    const float *restrict term = added->term;
    for (size_t i = begin; i < end; i++)
        sum[i] += term[i];
}

/* Adds the gradients that this node wrote beside one that stood there already. */
static void add_spares(thaw_plan *plan, thaw_node index)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < node->input_count; k++) {
        if (!planned->adds_gradient[k])
            continue;
        const thaw_node input = node->inputs[k];
        addition added = { plan->nodes[input].gradient, planned->input_gradients[k] };
        thaw_parallel_for(plan->model->context,
                          (size_t)plan->batch * thaw_shape_count(&plan->model->nodes[input].output), ADD_GRAIN,
                          add_range, &added);
    }
}

bool thaw_plan_runs_backward(const thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    if (!planned->carries || planned->needs.identity)
        return false;
    for (size_t k = 0; k < THAW_MAX_INPUTS; k++)
        if (planned->input_gradient[k])
            return true;
    for (size_t k = 0; k < THAW_MAX_PARAMETERS; k++)
        if (planned->parameter_gradient[k])
            return true;
    return false;
}

thaw_status thaw_plan_backward(thaw_plan *plan)
{
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        const thaw_node index = plan->order[i];
        thaw_status status = THAW_OK;
        if (thaw_plan_runs_backward(plan, index))
            status = plan->model->nodes[index].module->backward(&plan->nodes[index].run);
        if (status != THAW_OK)
            return status;
        add_spares(plan, index);
    }
    return THAW_OK;
}

const float *thaw_plan_output(const thaw_plan *plan, thaw_node node)
{
    const float *fed = plan->nodes[plan->nodes[node].root].fed;
    return fed ? fed : plan->nodes[node].run.output;
}
