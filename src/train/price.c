/* What would be left of a step if more were frozen. */
#include <math.h>

#include "core/context.h"
#include "core/threads.h"
#include "params/suits.h"
#include "plan/store.h"
#include "policy/strategy.h"
#include "train/price_list.h"

int thaw_plan_count_gradients(const thaw_plan *plan, size_t index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    int count = planned->trains;
    for (size_t k = 0; k < plan->model->nodes[index].input_count; k++)
        if (planned->input_gradient[k])
            return count + 1;
    return count;
}

/* The bytes of the state that optimizers need for what the plan trains. */
static size_t count_state(const thaw_plan *plan)
{
    size_t bytes = 0;
    for (size_t i = 0; i < plan->trained_count; i++) {
        const thaw_parameter *trained = plan->trained[i];
        for (size_t k = 0; k < thaw_parameter_slot_count(trained); k++)
            bytes += thaw_parameter_uses_slot(trained, k) ? thaw_parameter_slot_bytes(trained, k) : 0;
        if (trained->group->optimizer && thaw_optimizer_copies(trained->group->optimizer))
            bytes += trained->count * sizeof(float);
    }
    return bytes;
}

/* Backward of a layer that computes fewer gradients than it did when it was measured. */
static double price_backward(const thaw_layer_times *times, int gradients)
{
    return times->gradients ? times->backward * fmin(1, (double)gradients / times->gradients) : 0;
}

static thaw_status price_layers(const thaw_price_list *list, const thaw_plan *plan, thaw_price *price)
{
    double before_cut = 0;
    if (!list->timed) {
        price->step_seconds = price->cached_step_seconds = NAN;
        return THAW_OK;
    }
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        const thaw_layer_times *times = &list->layers[index];
        const thaw_region region = plan->nodes[index].region;
        if (region == THAW_REGION_LIVE && !times->live)
            return thaw_fail(list->model->context, THAW_INVALID_ARGUMENT,
                             "%s trains, but was frozen when the prices were measured: measure them again",
                             list->model->nodes[index].name);
        const double forward = region == THAW_REGION_LIVE ? times->forward : times->frozen;
        price->step_seconds += forward + price_backward(times, thaw_plan_count_gradients(plan, (size_t)index));
        if (i < plan->cut_count)
            before_cut += forward;
    }
    price->step_seconds += list->rest + list->update * (double)price->trainable_parameters;
    price->cached_step_seconds = price->step_seconds - (price->cache_sample_bytes ? before_cut : 0);
    return THAW_OK;
}

static void price_memory(const thaw_price_list *list, const thaw_plan *plan, thaw_price *price)
{
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    price->step_flops = (double)list->shards * totals.flops + totals.update_flops;
    price->cached_step_flops = totals.cached_bytes_per_sample
                                   ? (double)list->shards * totals.cached_flops + totals.update_flops
                                   : price->step_flops;
    price->trainable_parameters = totals.trainable_parameters;
    price->cache_sample_bytes = totals.cached_bytes_per_sample;
    price->memory_bytes = totals.parameter_bytes + totals.gradient_bytes + count_state(plan) + totals.activation_bytes +
                          totals.packed_bytes + totals.combination_bytes;
}

/* What is frozen now, and what the pattern selects. */
static void suppose(void *argument, thaw_parameter *parameter)
{
    bool *frozen = argument;
    frozen[parameter->stored->number] = true;
}

static void suppose_selected(void *argument, thaw_selected selected)
{
    thaw_selected_visit(selected, suppose, argument);
}

thaw_status thaw_price_list_price(const thaw_price_list *list, const bool *frozen, thaw_price *price)
{
    thaw_plan *plan;
    const thaw_plan_request request = {
        .batch = list->batch, .training = true, .cache = list->model->cache, .shards = list->shards, .frozen = frozen
    };
    const thaw_thread_scope scope = thaw_threads_enter(list->model->context);
    thaw_status status = thaw_plan_suppose(list->model, &request, &plan);
    if (status == THAW_OK) {
        price_memory(list, plan, price);
        status = price_layers(list, plan, price);
    }
    thaw_plan_release(plan);
    thaw_threads_leave(scope);
    return status;
}

static thaw_status suppose_part(thaw_model *model, const char *head, const char *part, bool *frozen)
{
    thaw_model_blocks blocks;
    char *pattern = NULL;
    const char *error = part ? thaw_part_error(part) : "it is missing";
    if (error)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "\"%.200s\": %s", part ? part : "", error);
    thaw_status status = thaw_model_blocks_find(model, head, &blocks);
    if (status == THAW_OK)
        status = thaw_part_resolve(model, &blocks, part, (thaw_part_epoch){ 1, 1 }, &pattern);
    char *rest = pattern;
    for (const char *piece; status == THAW_OK && (piece = thaw_pattern_cut(&rest));)
        status = thaw_set_select(&model->parameters, piece, suppose_selected, frozen);
    thaw_text_destroy(model->context, pattern);
    thaw_model_blocks_release(model->context, &blocks);
    return status;
}

thaw_status thaw_plan_price(const thaw_price_list *list, const char *head, const char *const *parts, size_t count,
                            thaw_price *price)
{
    *price = (thaw_price){ 0 };
    const thaw_parameter_set *set = &list->model->parameters;
    if (list->model->node_count != list->layer_count)
        return thaw_fail(set->context, THAW_INVALID_ARGUMENT,
                         "the model has other layers than when the prices were measured: measure them again");
    bool *frozen = thaw_allocate_array(set->context, set->number_count + 1, sizeof *frozen);
    thaw_status status = frozen ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = suppose_part(list->model, head, parts[i], frozen);
    if (status == THAW_OK)
        status = thaw_price_list_price(list, frozen, price);
    thaw_release(set->context, frozen);
    return status;
}
