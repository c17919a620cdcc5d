/* What a step costs, by layer, and what would be left of it if more were frozen. */
#include <thaw/price.h>

#include <math.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/threads.h"
#include "params/suits.h"
#include "policy/strategy.h"
#include "train/evaluation_batch.h"
#include "train/inputs.h"
#include "train/profile.h"

enum { DEFAULT_STEPS = 20 };

/* The seconds that a node's work takes in a step. */
typedef struct layer_times {
    double forward, backward;
    double frozen; /* forward, as in the frozen prefix */
    bool live;     /* forward and backward are those of the live part */
    int gradients; /* what backward computed: of its inputs, of its parameters, or both */
} layer_times;

struct thaw_price_list {
    thaw_model *model;
    int64_t batch;
    size_t layer_count;
    layer_times *layers; /* by node */
    double update;       /* of each trained element, with checks */
    double rest;         /* what belongs to no layer */
};

/* ---- measuring ---- */

static int count_gradients(const thaw_plan *plan, size_t index)
{
    const thaw_plan_node *planned = &plan->nodes[index];
    int count = planned->trains;
    for (size_t k = 0; k < plan->model->nodes[index].input_count; k++)
        if (planned->input_gradient[k])
            return count + 1;
    return count;
}

static size_t count_trained(const thaw_plan *plan)
{
    size_t elements = 0;
    for (size_t i = 0; i < plan->trained_count; i++)
        elements += plan->trained[i]->count;
    return elements;
}

/* Adds up the times of the instructions of a training step. */
static void note_step(thaw_price_list *list, const thaw_plan *plan, const double *seconds)
{
    double update = 0;
    for (size_t i = 0; i < plan->program.count; i++) {
        const thaw_instruction *instruction = &plan->program.instructions[i];
        if (instruction->section >= THAW_SECTION_SUM)
            update += seconds[i];
        else if (instruction->node < 0)
            list->rest += seconds[i];
        else if (instruction->section == THAW_SECTION_BACKWARD)
            list->layers[instruction->node].backward += seconds[i];
        else
            list->layers[instruction->node].forward += seconds[i];
    }
    list->update = update / (double)count_trained(plan);
    for (size_t i = 0; i < list->layer_count; i++) {
        list->layers[i].live = plan->nodes[i].region != THAW_REGION_PREFIX;
        list->layers[i].gradients = count_gradients(plan, i);
    }
}

static thaw_status measure_steps(thaw_price_list *list, const thaw_tensor *inputs, const thaw_tensor *targets,
                                 size_t steps)
{
    const thaw_plan *plan;
    double step_seconds;
    thaw_status status = thaw_model_plan(list->model, &(thaw_plan_options){ .batch = list->batch }, &plan);
    if (status != THAW_OK)
        return status;
    double *seconds = thaw_allocate_array(list->model->context, plan->program.count, sizeof *seconds);
    status = seconds ? thaw_model_profile(list->model, inputs, targets, steps, seconds, &list->rest, &step_seconds)
                     : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        note_step(list, plan, seconds);
    thaw_release(list->model->context, seconds);
    return status;
}

typedef struct inference {
    thaw_model *model;
    const thaw_packed_batch *batch;
} inference;

static thaw_status run_inference(void *argument)
{
    const inference *run = argument;
    thaw_batch_outcome ignored;
    return thaw_evaluate_batch(run->model,
                               &(thaw_evaluated_batch){ .count = run->batch->count, .samples = run->batch->samples },
                               &ignored);
}

/* Times each layer as it is in a frozen prefix: with the kernels of inference. */
static thaw_status measure_frozen(thaw_price_list *list, const thaw_packed_batch *batch, size_t runs)
{
    thaw_plan *plan;
    double rest, whole, *seconds = NULL;
    inference run = { list->model, batch };
    thaw_status status = run_inference(&run);
    if (status == THAW_OK)
        status = thaw_plan_find(list->model, batch->count, false, &plan);
    if (status == THAW_OK) {
        seconds = thaw_allocate_array(list->model->context, plan->program.count, sizeof *seconds);
        status = seconds
                     ? thaw_profile_runs(plan, (thaw_profiled_run){ run_inference, &run }, runs, seconds, &rest, &whole)
                     : THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; status == THAW_OK && i < plan->program.count; i++)
        if (plan->program.instructions[i].node >= 0 && plan->program.instructions[i].section != THAW_SECTION_LOSS)
            list->layers[plan->program.instructions[i].node].frozen += seconds[i];
    thaw_release(list->model->context, seconds);
    return status;
}

static thaw_status measure(thaw_price_list *list, const thaw_tensor *inputs, const thaw_tensor *targets, size_t steps)
{
    thaw_packed_batch batch;
    thaw_status status = measure_steps(list, inputs, targets, steps);
    if (status == THAW_OK)
        status = thaw_check_inputs(list->model, inputs, &batch);
    if (status == THAW_OK)
        status = thaw_pack_inputs(list->model, inputs, &batch);
    if (status != THAW_OK)
        return status;
    const thaw_thread_scope scope = thaw_threads_enter(list->model->context);
    status = measure_frozen(list, &batch, steps);
    thaw_threads_leave(scope);
    return status;
}

thaw_status thaw_price_list_measure(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                                    size_t steps, thaw_price_list **list)
{
    *list = NULL;
    thaw_packed_batch batch;
    thaw_status status = thaw_check_inputs(model, inputs, &batch);
    if (status != THAW_OK)
        return status;
    thaw_price_list *made = thaw_allocate(model->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->model = model;
    made->batch = batch.count;
    made->layer_count = model->node_count;
    made->layers = thaw_allocate_array(model->context, model->node_count, sizeof *made->layers);
    status = made->layers ? measure(made, inputs, targets, steps ? steps : DEFAULT_STEPS) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        *list = made;
    else
        thaw_price_list_destroy(made);
    return status;
}

void thaw_price_list_destroy(thaw_price_list *list)
{
    if (!list)
        return;
    thaw_context *context = list->model->context;
    thaw_release(context, list->layers);
    thaw_release(context, list);
}

/* ---- pricing ---- */

/* The bytes of the state that optimizers need for what the plan trains. */
static size_t count_state(const thaw_plan *plan)
{
    size_t bytes = 0;
    for (size_t i = 0; i < plan->trained_count; i++) {
        const thaw_parameter *trained = plan->trained[i];
        for (size_t k = 0; k < thaw_parameter_slot_count(trained); k++)
            bytes += thaw_parameter_uses_slot(trained, k) ? thaw_parameter_slot_bytes(trained, k) : 0;
    }
    return bytes;
}

/* Backward of a layer that computes fewer gradients than it did when it was measured. */
static double price_backward(const layer_times *times, int gradients)
{
    return times->gradients ? times->backward * fmin(1, (double)gradients / times->gradients) : 0;
}

static thaw_status price_layers(const thaw_price_list *list, const thaw_plan *plan, thaw_price *price)
{
    double before_cut = 0;
    for (size_t i = 0; i < plan->order_count; i++) {
        const thaw_node index = plan->order[i];
        const layer_times *times = &list->layers[index];
        const thaw_region region = plan->nodes[index].region;
        if (region == THAW_REGION_LIVE && !times->live)
            return thaw_fail(list->model->context, THAW_INVALID_ARGUMENT,
                             "%s trains, but was frozen when the prices were measured: measure them again",
                             list->model->nodes[index].name);
        const double forward = region == THAW_REGION_LIVE ? times->forward : times->frozen;
        price->step_seconds += forward + price_backward(times, count_gradients(plan, (size_t)index));
        if (i < plan->cut_count)
            before_cut += forward;
    }
    price->step_seconds += list->rest + list->update * (double)price->trainable_parameters;
    price->cached_step_seconds = price->step_seconds - (price->cache_sample_bytes ? before_cut : 0);
    return THAW_OK;
}

static void price_memory(const thaw_plan *plan, thaw_price *price)
{
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
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

static thaw_status price_frozen(const thaw_price_list *list, const bool *frozen, thaw_price *price)
{
    thaw_plan *plan;
    const thaw_plan_request request = {
        .batch = list->batch, .training = true, .cache = list->model->cache, .frozen = frozen
    };
    const thaw_thread_scope scope = thaw_threads_enter(list->model->context);
    thaw_status status = thaw_plan_suppose(list->model, &request, &plan);
    if (status == THAW_OK) {
        price_memory(plan, price);
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
        status = price_frozen(list, frozen, price);
    thaw_release(set->context, frozen);
    return status;
}
