#include "core/allocation.h"
#include "kernels/bfloat16.h"
#include "plan/sharing.h"

/* Time runs from 0: forward kernels in order, then backward kernels in reverse. */
static size_t forward_time(const thaw_plan *plan, thaw_node node)
{
    return plan->position[node];
}

static size_t backward_time(const thaw_plan *plan, thaw_node node)
{
    return 2 * plan->order_count - 1 - plan->position[node];
}

static size_t value_bytes(const thaw_plan *plan, thaw_node node, thaw_dtype precision)
{
    const int64_t samples = plan->nodes[node].partial ? plan->tile : plan->batch;
    return (size_t)samples * thaw_shape_count(thaw_plan_shape(plan, node)) * thaw_dtype_bytes(precision);
}

static size_t output_bytes(const thaw_plan *plan, thaw_node node)
{
    if (plan->model->nodes[node].module && plan->model->nodes[node].module->loss)
        return sizeof(float);
    return value_bytes(plan, node, plan->nodes[node].precision);
}

static bool is_result(const thaw_plan *plan, thaw_node node)
{
    return node == plan->target || node == thaw_model_output(plan->model);
}

/* Adds a request that is not needed at any time yet. */
static int add_request(thaw_plan *plan, size_t bytes)
{
    thaw_memory_request *requests = thaw_grow(plan->model->context, plan->requests, &plan->request_capacity,
                                              plan->request_count + 1, sizeof *requests);
    plan->requests_failed = plan->requests_failed || !requests;
    if (!requests)
        return -1;
    plan->requests = requests;
    plan->requests[plan->request_count] = (thaw_memory_request){ .bytes = bytes, .first = SIZE_MAX };
    return (int)plan->request_count++;
}

/* request -1: out of memory. */
static void extend(thaw_plan *plan, int request, size_t time)
{
    if (request < 0)
        return;
    thaw_memory_request *extended = &plan->requests[request];
    if (time < extended->first)
        extended->first = time;
    if (time > extended->last)
        extended->last = time;
}

/* ---- scratch: the first requests, one for each time ---- */

static void request_scratch(thaw_plan *plan)
{
    for (size_t time = 0; time < 2 * plan->order_count; time++) {
        const int request = add_request(plan, 0);
        if (request >= 0)
            plan->requests[request].scratch = true;
        extend(plan, request, time);
    }
}

/* Makes room for the node's kernels and expressions at this time. */
static void widen_scratch(thaw_plan *plan, thaw_node index, size_t time)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    size_t most = planned->needs.scratch_bytes;
    for (size_t k = 0; k < planned->use_count; k++)
        most = planned->uses[k].scratch_bytes > most ? planned->uses[k].scratch_bytes : most;
    if (most > plan->requests[time].bytes)
        plan->requests[time].bytes = most;
    if (most > plan->scratch_bytes)
        plan->scratch_bytes = most;
}

static void widen_for_node(thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index], *root = &plan->nodes[planned->root];
    widen_scratch(plan, index, forward_time(plan, index));
    widen_scratch(plan, index, backward_time(plan, index));
    if (planned->channel_map >= 0)
        widen_scratch(plan, planned->channel_map, forward_time(plan, index));
    if (root->recomputed)
        widen_scratch(plan, index, plan->requests[root->places.again].first);
}

/* ---- values ---- */

/* The node writes the value while it runs. */
static void extend_for_writer(thaw_plan *plan, int request, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    extend(plan, request, forward_time(plan, index));
    if (planned->tiled && !planned->partial) { /* filled while all tiles run */
        extend(plan, request, 0);
        extend(plan, request, plan->tiled_count - 1);
    }
    if (planned->constant && plan->tiled_count > 0) /* read by all tiles */
        extend(plan, request, plan->tiled_count - 1);
}

/* Where backward finds a value: where forward put it, or where it is computed again. */
static int request_kept(const thaw_plan *plan, thaw_node root, int request)
{
    return plan->nodes[root].recomputed ? plan->nodes[root].places.again : request;
}

static void request_output(thaw_plan *plan, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    const thaw_layer_module *module = plan->model->nodes[planned->root].module;
    if (!module || module->source)
        return; /* in the caller's memory, or in packed memory */
    if (planned->root == index)
        planned->places.output = add_request(plan, output_bytes(plan, index));
    if (planned->recomputed)
        planned->places.again = add_request(plan, output_bytes(plan, index));
    const int request = plan->nodes[planned->root].places.output;
    extend_for_writer(plan, request, index);
    if (planned->carries && planned->needs.keeps_output)
        extend(plan, request_kept(plan, planned->root, request), backward_time(plan, index));
    if (is_result(plan, index))
        extend(plan, request, plan->order_count);
    if (planned->boundary)
        extend(plan, request, plan->cut_count - 1);
}

/* Requests room for an origin's value in the other precision. */
static void request_copy(thaw_plan *plan, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    if (!thaw_plan_is_copied(plan, index))
        return;
    planned->places.copy = add_request(plan, value_bytes(plan, index, thaw_other_precision(planned->precision)));
    extend_for_writer(plan, planned->places.copy, index);
    if (!plan->model->nodes[index].module) { /* converted before anything runs, and read by all tiles */
        extend(plan, planned->places.copy, 0);
        if (plan->tiled_count > 0)
            extend(plan, planned->places.copy, plan->tiled_count - 1);
    }
}

/* An f32 value that leaves the plan is needed until forward ends, or until the feature cache's cut. */
static void extend_for_result(thaw_plan *plan, thaw_node index)
{
    const int copy = plan->nodes[plan->nodes[index].origin].places.copy;
    if (copy >= 0 && is_result(plan, index))
        extend(plan, copy, plan->order_count);
    if (copy >= 0 && plan->nodes[index].boundary)
        extend(plan, copy, plan->cut_count - 1);
}

/* The request of a node's value in one precision. */
static int request_read(const thaw_plan *plan, thaw_node node, thaw_dtype precision)
{
    const thaw_plan_node *planned = &plan->nodes[node], *origin = &plan->nodes[planned->origin];
    return precision == origin->precision ? plan->nodes[planned->root].places.output : origin->places.copy;
}

static void extend_for_reader(thaw_plan *plan, thaw_node reader)
{
    const thaw_plan_node *planned = &plan->nodes[reader];
    for (size_t k = 0; k < planned->source_count; k++) {
        const int request = request_read(plan, planned->sources[k], thaw_input_precision(planned, k));
        if (request < 0)
            continue;
        extend(plan, request, forward_time(plan, reader));
        if (planned->carries && planned->needs.keeps_inputs)
            extend(plan, request_kept(plan, plan->nodes[planned->sources[k]].root, request),
                   backward_time(plan, reader));
    }
}

/* Requests room for what forward keeps for backward besides its output; -1: nothing. */
static int request_left(thaw_plan *plan, thaw_node index, size_t bytes)
{
    if (!bytes)
        return -1;
    const int request = add_request(plan, bytes);
    extend(plan, request, forward_time(plan, index));
    if (plan->nodes[index].carries)
        extend(plan, request, backward_time(plan, index));
    return request;
}

/* The gradient of a node's output is needed from the first reader's backward kernel to the node's own. */
static void request_gradient(thaw_plan *plan, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    const thaw_reader writer = planned->first_writer;
    if (writer.reader < 0 || !planned->carries)
        return;
    if (planned->gradient_root == index)
        planned->places.gradient = add_request(plan, output_bytes(plan, index));
    const int request = plan->nodes[planned->gradient_root].places.gradient;
    extend(plan, request, backward_time(plan, writer.reader));
    extend(plan, request, backward_time(plan, index));
}

/* Requests room for gradients that are added to those of an earlier backward kernel, or have another precision. */
static void request_spares(thaw_plan *plan, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->source_count; k++) {
        if (!planned->input_gradient[k])
            continue;
        const thaw_node source = planned->sources[k];
        const thaw_reader writer = plan->nodes[source].first_writer;
        planned->adds_gradient[k] = writer.reader != index || writer.slot != k;
        if (planned->needs.identity)
            continue; /* the term is the gradient of its output, unchanged */
        const thaw_dtype precision = thaw_input_precision(planned, k);
        if (!planned->adds_gradient[k] && precision == plan->nodes[source].precision)
            continue;
        planned->places.spare[k] = add_request(plan, value_bytes(plan, source, precision));
        extend(plan, planned->places.spare[k], backward_time(plan, index));
    }
}

/* Requests room for new values of the node's statistics, which stay there until the step succeeds. */
static void request_statistics(thaw_plan *plan, thaw_node index)
{
    const thaw_group *group = plan->model->nodes[index].group;
    thaw_plan_node *planned = &plan->nodes[index];
    size_t bytes = 0;
    for (size_t k = 0; planned->follows && group && k < group->parameter_count; k++)
        if (group->parameters[k]->role == THAW_STATISTIC)
            bytes += thaw_align(group->parameters[k]->count * sizeof(float));
    if (bytes == 0)
        return;
    planned->places.statistics = add_request(plan, bytes);
    extend(plan, planned->places.statistics, forward_time(plan, index));
    extend(plan, planned->places.statistics, 2 * plan->order_count - 1);
}

/* Requests room for the gradients of expressions. */
static void request_gradient_buffers(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->gradient_buffer_count; i++) {
        thaw_plan_buffer *buffer = &plan->gradient_buffers[i];
        buffer->request = add_request(plan, buffer->count * sizeof(float));
        extend(plan, buffer->request, backward_time(plan, buffer->node));
    }
}

thaw_status thaw_pass_buffers(thaw_plan *plan)
{
    request_scratch(plan);
    for (size_t i = 0; i < plan->order_count; i++) {
        request_output(plan, plan->order[i]);
        request_copy(plan, plan->order[i]);
        extend_for_result(plan, plan->order[i]);
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        planned->places.workspace = request_left(plan, plan->order[i], planned->needs.workspace_bytes);
        planned->places.mask = request_left(plan, plan->order[i], thaw_plan_mask_bytes(plan, plan->order[i]));
        request_statistics(plan, plan->order[i]);
        planned->places.sums = request_left(plan, plan->order[i], thaw_plan_sums_bytes(plan, plan->order[i]));
    }
    for (size_t i = 0; i < plan->order_count; i++) {
        extend_for_reader(plan, plan->order[i]);
        plan->nodes[plan->order[i]].converts_fed = thaw_plan_converts_fed(plan, plan->order[i]);
    }
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        request_gradient(plan, plan->order[i]);
        request_spares(plan, plan->order[i]);
    }
    request_gradient_buffers(plan);
    if (plan->requests_failed)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < plan->order_count; i++)
        widen_for_node(plan, plan->order[i]);
    return THAW_OK;
}
