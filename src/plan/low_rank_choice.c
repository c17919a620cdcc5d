/* Low-rank changes W + s B A of a weight. If the gradients of B and A are cheaper without that of W, the layer computes
   them beside its weight. If the change itself is cheaper on activations than on the weight, the layer computes it,
   too. */
#include "params/low_rank.h"
#include "plan/plan.h"

enum {
    LANES = 16,          /* kernels with fewer columns take as long as with this many */
    RELAYOUT_FLOPS = 200 /* what writing and packing one weight element costs, in operations of a matrix product */
};

typedef struct costs {
    double positions, inputs, outputs, rank, lanes;
} costs;

/* A step that computes the factors' gradients from the weight's. */
static double through_weight(const costs *c)
{
    return c->inputs * c->outputs * (c->positions + 2 * c->rank);
}

/* x A^T, dy B, and the two gradients. */
static double beside_weight(const costs *c)
{
    return 2 * c->positions * c->lanes * (c->inputs + c->outputs);
}

/* B (A x), and its counterpart in backward. The gradient needs A x anyway. */
static double change_outputs(const costs *c, bool input_gradient)
{
    return c->positions * c->lanes * (c->outputs + (input_gradient ? c->inputs : 0));
}

static double change_weight(const costs *c)
{
    return c->inputs * c->outputs * (c->rank + RELAYOUT_FLOPS / 2.0);
}

static costs costs_of(const thaw_plan *plan, thaw_node index, const thaw_expression *sum)
{
    const thaw_shape *down = &thaw_operand(sum, THAW_LOW_RANK_DOWN)->shape;
    return (costs){
        .positions = plan->model->nodes[index].flops * (double)plan->batch / (2 * (double)sum->count),
        .inputs = (double)down->dims[1],
        .outputs = (double)sum->shape.dims[0],
        .rank = (double)down->dims[0],
        .lanes = (double)((down->dims[0] + LANES - 1) / LANES * LANES),
    };
}

double thaw_plan_low_rank_change_flops(const thaw_plan *plan, thaw_node index, const thaw_expression *sum)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    costs c = costs_of(plan, index, sum);
    c.lanes = c.rank;
    return 2 * (beside_weight(&c) + (planned->low_rank.beside ? change_outputs(&c, planned->input_gradient[0]) : 0));
}

static bool choose(const thaw_plan *plan, thaw_node index, size_t parameter, thaw_low_rank_demand *demand)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    const thaw_plan_node *planned = &plan->nodes[index];
    if (!planned->parameter_gradient[parameter] || !node->capabilities->takes_low_rank(node->options, parameter))
        return false;
    thaw_expression *sum = thaw_parameter_expression(node->group->parameters[parameter]);
    if (!thaw_expression_is_low_rank(sum) ||
        thaw_plan_trainability(plan, thaw_operand(sum, THAW_LOW_RANK_BASE)) != THAW_FROZEN)
        return false;
    thaw_expression *up = thaw_operand(sum, THAW_LOW_RANK_UP), *down = thaw_operand(sum, THAW_LOW_RANK_DOWN);
    const costs c = costs_of(plan, index, sum);
    if (beside_weight(&c) >= through_weight(&c))
        return false;
    *demand = (thaw_low_rank_demand){
        .rank = down->shape.dims[0],
        .scale = (float)sum->factor,
        .parameter = parameter,
        .beside = change_outputs(&c, planned->input_gradient[0]) < change_weight(&c),
        .up_gradient = thaw_plan_trainability(plan, up) != THAW_FROZEN,
        .down_gradient = thaw_plan_trainability(plan, down) != THAW_FROZEN,
    };
    return true;
}

bool thaw_plan_choose_low_rank(const thaw_plan *plan, thaw_node index, thaw_low_rank_demand *demand)
{
    const thaw_graph_node *node = &plan->model->nodes[index];
    for (size_t k = 0; node->group && node->capabilities->takes_low_rank && k < node->group->parameter_count; k++)
        if (choose(plan, index, k, demand))
            return true;
    return false;
}
