/* How the gradients of what layers use reach stored tensors. */
#include "core/allocation.h"
#include "plan/plan.h"

static thaw_status add_buffer(thaw_plan *plan, thaw_node node, size_t count, int *buffer)
{
    thaw_plan_buffer *buffers = thaw_grow(plan->model->context, plan->gradient_buffers, &plan->gradient_buffer_capacity,
                                          plan->gradient_buffer_count + 1, sizeof *buffers);
    if (!buffers)
        return THAW_OUT_OF_MEMORY;
    plan->gradient_buffers = buffers;
    *buffer = (int)plan->gradient_buffer_count++;
    buffers[*buffer] = (thaw_plan_buffer){ .count = count, .node = node, .request = -1 };
    return THAW_OK;
}

static thaw_status add_term(thaw_plan *plan, thaw_plan_term term)
{
    thaw_plan_term *terms =
        thaw_grow(plan->model->context, plan->terms, &plan->term_capacity, plan->term_count + 1, sizeof *terms);
    if (!terms)
        return THAW_OUT_OF_MEMORY;
    plan->terms = terms;
    terms[plan->term_count++] = term;
    return THAW_OK;
}

bool thaw_plan_trains(const thaw_plan *plan, const thaw_parameter *parameter)
{
    return plan->trains && plan->trains[parameter->stored->number];
}

/* The first gradient of a stored tensor in a step replaces the old one; later ones are added. */
static bool mark_trained(thaw_plan *plan, thaw_parameter *parameter)
{
    const bool marked = thaw_plan_trains(plan, parameter);
    if (!marked)
        plan->trained[plan->trained_count++] = parameter;
    plan->trains[parameter->stored->number] = true;
    return marked;
}

/* The gradients of an expression's parts, as indices of plan->gradient_buffers; -1: none yet. */
typedef struct tracing {
    thaw_plan *plan;
    thaw_node node;
    const thaw_plan_use *use;
    int *buffers; /* for each of use->order */
} tracing;

static int *buffer_of(const tracing *t, const thaw_expression *expression)
{
    size_t i = 0;
    while (t->use->order[i] != expression)
        i++;
    return &t->buffers[i];
}

static thaw_status propagate_to_operand(const tracing *t, const thaw_expression *expression, size_t k)
{
    thaw_expression *operand = thaw_operand(expression, k);
    if (thaw_plan_trainability(t->plan, operand) == THAW_FROZEN)
        return THAW_OK;
    thaw_plan_term term = { .expression = expression, .operand = k, .from = *buffer_of(t, expression), .into = -1 };
    if (operand->parameter) {
        term.parameter = operand->parameter;
        term.adds = mark_trained(t->plan, operand->parameter);
        return add_term(t->plan, term);
    }
    int *buffer = buffer_of(t, operand);
    term.adds = *buffer >= 0;
    const thaw_status status = term.adds ? THAW_OK : add_buffer(t->plan, t->node, operand->count, buffer);
    term.into = *buffer;
    return status == THAW_OK ? add_term(t->plan, term) : status;
}

/* A stored tensor: the layer writes its gradient, or adds to one that another layer has written. */
static thaw_status trace_stored(thaw_plan *plan, thaw_node node, thaw_plan_use *use)
{
    thaw_parameter *parameter = use->expression->parameter;
    if (!mark_trained(plan, parameter))
        return THAW_OK;
    const thaw_status status = add_buffer(plan, node, parameter->count, &use->buffer);
    return status == THAW_OK
               ? add_term(plan,
                          (thaw_plan_term){ .from = use->buffer, .into = -1, .parameter = parameter, .adds = true })
               : status;
}

/* Visits the parts of an expression in reverse: the last is the expression itself. */
static thaw_status trace_operands(const tracing *t)
{
    const size_t count = t->use->order_count;
    thaw_status status = add_buffer(t->plan, t->node, t->use->expression->count, &t->buffers[count - 1]);
    for (size_t i = count; i-- > 0;) {
        const thaw_expression *expression = t->use->order[i];
        for (size_t k = 0; k < expression->operand_count && t->buffers[i] >= 0 && status == THAW_OK; k++)
            status = propagate_to_operand(t, expression, k);
    }
    return status;
}

static thaw_status trace(thaw_plan *plan, thaw_node node, thaw_plan_use *use)
{
    if (use->order_count == 0)
        return trace_stored(plan, node, use);
    int *buffers = thaw_allocate_array(plan->model->context, use->order_count, sizeof *buffers);
    if (!buffers)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < use->order_count; i++)
        buffers[i] = -1;
    const thaw_status status = trace_operands(&(tracing){ plan, node, use, buffers });
    use->buffer = buffers[use->order_count - 1];
    thaw_release(plan->model->context, buffers);
    return status;
}

/* Traces all uses, in the order of backward. */
static thaw_status trace_all(thaw_plan *plan)
{
    thaw_status status = THAW_OK;
    for (size_t i = plan->order_count; i-- > plan->prefix_count && status == THAW_OK;) {
        thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; k < planned->use_count && status == THAW_OK; k++) {
            thaw_plan_use *use = &planned->uses[k];
            use->first_term = plan->term_count;
            if (use->gradient)
                status = trace(plan, plan->order[i], use);
            use->past_term = plan->term_count;
        }
    }
    return status;
}

/* ---- the pass ---- */

/* Sorts what trains in the order of the model. */
static void sort_trained(thaw_plan *plan)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    plan->trained_count = 0;
    for (size_t i = 0; i < set->parameter_count; i++)
        if (thaw_plan_trains(plan, set->parameters[i]))
            plan->trained[plan->trained_count++] = set->parameters[i];
}

/* What expressions cost a step beyond the layers: those that change are computed, and products once more for each
   factor that trains. */
static double count_flops(const thaw_plan *plan, const thaw_plan_node *planned)
{
    double flops = 0;
    for (size_t k = 0; k < planned->use_count; k++) {
        const thaw_plan_use *use = &planned->uses[k];
        if (!plan->training || thaw_plan_trainability(plan, use->expression) == THAW_FROZEN)
            continue;
        for (size_t i = 0; i < use->order_count; i++)
            flops += thaw_plan_trainability(plan, use->order[i]) == THAW_FROZEN ? 0 : use->order[i]->flops;
        for (size_t i = use->first_term; i < use->past_term; i++)
            flops += plan->terms[i].expression ? plan->terms[i].expression->flops : 0;
    }
    return flops;
}

thaw_status thaw_pass_combination(thaw_plan *plan)
{
    const thaw_parameter_set *set = &plan->model->parameters;
    thaw_status status = thaw_plan_list_uses(plan);
    if (status != THAW_OK || !plan->training)
        return status;
    plan->trained = thaw_allocate_array(set->context, set->parameter_count + 1, sizeof(thaw_parameter *));
    plan->trains = thaw_allocate_array(set->context, set->number_count + 1, sizeof *plan->trains);
    status = plan->trained && plan->trains ? trace_all(plan) : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < plan->order_count; i++)
        plan->nodes[plan->order[i]].combination_flops += count_flops(plan, &plan->nodes[plan->order[i]]);
    if (status == THAW_OK)
        sort_trained(plan);
    return status;
}
