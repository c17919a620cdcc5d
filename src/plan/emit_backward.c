/* The backward section of a program. */
#include "plan/emit.h"
#include "plan/instruction.h"
#include "plan/store.h"

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

static void emit_poison_of_gradients(thaw_plan *plan)
{
#ifdef THAW_POISON
    thaw_emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_POISON_GRADIENTS, -1);
#else
    (void)plan;
#endif
}

static void emit_recomputations(thaw_plan *plan, thaw_node index)
{
    const size_t now = 2 * plan->order_count - 1 - plan->position[index];
    for (size_t i = plan->prefix_count; i <= plan->position[index]; i++) {
        const thaw_node root = plan->order[i];
        if (!plan->nodes[root].recomputed || plan->requests[plan->nodes[root].places.again].first != now)
            continue;
        for (size_t k = i; k < plan->order_count; k++) {
            const thaw_plan_node *planned = &plan->nodes[plan->order[k]];
            if (planned->root == root && !planned->needs.identity && !planned->absorbed)
                thaw_emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_RECOMPUTE, plan->order[k]);
        }
    }
}

static void emit_terms(thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->use_count; k++)
        for (size_t i = planned->uses[k].first_term; i < planned->uses[k].past_term; i++)
            thaw_emit(plan,
                      (thaw_instruction){ .kind = plan->terms[i].expression ? THAW_DO_PROPAGATE : THAW_DO_ACCUMULATE,
                                          .section = THAW_SECTION_BACKWARD,
                                          .node = index,
                                          .index = i });
}

/* Adds terms to the gradients of inputs, or converts them. */
static void emit_spares(thaw_plan *plan, thaw_node index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->source_count; k++)
        if (planned->adds_gradient[k] || planned->places.spare[k] >= 0)
            thaw_emit(plan, (thaw_instruction){ .kind = planned->adds_gradient[k] ? THAW_DO_ADD : THAW_DO_CONVERT,
                                                .section = THAW_SECTION_BACKWARD,
                                                .node = index,
                                                .index = k });
}

static void emit_kernels(thaw_plan *plan, thaw_node index)
{
    if (plan->nodes[index].backward_sums)
        thaw_emit_sharing(plan, THAW_SECTION_BACKWARD, index);
    thaw_emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_BACKWARD, index);
    if (index == plan->target && thaw_plan_shares_gradients(plan))
        thaw_emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_SCALE, index);
}

static void emit_backward(thaw_plan *plan, thaw_node index)
{
    const size_t time = 2 * plan->order_count - 1 - plan->position[index];
    thaw_emit_poison(plan, THAW_SECTION_BACKWARD, time, time + 1);
    emit_recomputations(plan, index);
    if (plan->nodes[index].masks)
        thaw_emit_for_node(plan, THAW_SECTION_BACKWARD, THAW_DO_UNMASK, index);
    else if (thaw_plan_runs_backward(plan, index))
        emit_kernels(plan, index);
    emit_terms(plan, index);
    emit_spares(plan, index);
}

/* The terms of a gradient. */
typedef struct terms {
    thaw_node last; /* the last node to add one; nodes run backward from the end of the order */
    size_t count;
} terms;

static void count_term(terms *of, const thaw_plan *plan, const thaw_parameter *parameter, thaw_node index)
{
    for (size_t i = 0; i < plan->trained_count; i++)
        if (plan->trained[i] == parameter && of[i].count++ == 0)
            of[i].last = index;
}

static void count_terms(const thaw_plan *plan, terms *of)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_plan_node *planned = &plan->nodes[plan->order[i]];
        for (size_t k = 0; k < planned->use_count; k++) {
            const thaw_plan_use *use = &planned->uses[k];
            if (use->gradient && use->buffer < 0)
                count_term(of, plan, use->expression->parameter, plan->order[i]);
            for (size_t t = use->first_term; t < use->past_term; t++)
                if (plan->terms[t].parameter)
                    count_term(of, plan, plan->terms[t].parameter, plan->order[i]);
        }
    }
}

/* Lets a layer that alone writes a gradient tell whether it is finite. */
static void ask_for_finite(thaw_plan *plan, const terms *of, thaw_plan_node *planned, size_t index)
{
    const thaw_plan_use *use = &planned->uses[index];
    if (!use->gradient || use->buffer >= 0)
        return;
    for (size_t k = 0; k < plan->trained_count; k++)
        if (plan->trained[k] == use->expression->parameter && of[k].count == 1)
            planned->bound.finite[index] = &plan->finite[k];
}

static void ask_all_for_finite(thaw_plan *plan, const terms *of)
{
    for (size_t i = plan->prefix_count; i < plan->order_count; i++) {
        const thaw_group *group = plan->model->nodes[plan->order[i]].group;
        for (size_t k = 0; group && k < group->parameter_count; k++)
            ask_for_finite(plan, of, &plan->nodes[plan->order[i]], k);
    }
}

thaw_status thaw_emit_backward(thaw_plan *plan)
{
    thaw_context *context = plan->model->context;
    terms *of = thaw_allocate_array(context, plan->trained_count + 1, sizeof *of);
    plan->finite = thaw_allocate_array(context, plan->trained_count + 1, sizeof *plan->finite);
    if (!of || !plan->finite) {
        thaw_release(context, of);
        return THAW_OUT_OF_MEMORY;
    }
    count_terms(plan, of);
    ask_all_for_finite(plan, of);
    emit_poison_of_gradients(plan);
    for (size_t i = plan->order_count; i-- > plan->prefix_count;) {
        emit_backward(plan, plan->order[i]);
        for (size_t k = 0; k < plan->trained_count; k++)
            if (of[k].count > 0 && of[k].last == plan->order[i])
                thaw_emit(plan, (thaw_instruction){ .kind = THAW_DO_FINAL,
                                                    .section = THAW_SECTION_BACKWARD,
                                                    .node = plan->order[i],
                                                    .index = k });
    }
    thaw_release(context, of);
    return THAW_OK;
}
