/* What a step costs, by layer. */
#include "train/price_list.h"

#include "core/allocation.h"
#include "core/context.h"
#include "core/threads.h"
#include "plan/store.h"
#include "train/inputs.h"
#include "train/profile.h"

enum { DEFAULT_STEPS = 20 };

/* ---- measuring ---- */

static size_t count_trained(const thaw_plan *plan)
{
    size_t elements = 0;
    for (size_t i = 0; i < plan->trained_count; i++)
        elements += plan->trained[i]->count;
    return elements;
}

void thaw_price_list_add_step(thaw_price_list *list, const thaw_plan *plan, const double *seconds, double rest)
{
    double update = 0;
    list->rest += rest;
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
    list->update += update / (double)count_trained(plan);
    for (size_t i = 0; i < list->layer_count; i++) {
        list->layers[i].live = plan->nodes[i].region != THAW_REGION_PREFIX;
        list->layers[i].gradients = thaw_plan_count_gradients(plan, i);
    }
    list->timed = true;
}

void thaw_price_list_scale(thaw_price_list *list, double factor)
{
    list->rest *= factor;
    list->update *= factor;
    for (size_t i = 0; i < list->layer_count; i++) {
        list->layers[i].forward *= factor;
        list->layers[i].backward *= factor;
    }
}

static thaw_status measure_steps(thaw_price_list *list, const thaw_tensor *inputs, const thaw_tensor *targets,
                                 size_t steps)
{
    const thaw_plan *plan;
    double rest, step_seconds;
    thaw_status status = thaw_model_plan(list->model, &(thaw_plan_options){ .batch = list->batch }, &plan);
    if (status != THAW_OK)
        return status;
    double *seconds = thaw_allocate_array(list->model->context, plan->program.count, sizeof *seconds);
    status = seconds ? thaw_model_profile(list->model, inputs, targets, steps, seconds, &rest, &step_seconds)
                     : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        thaw_price_list_add_step(list, plan, seconds, rest);
    thaw_release(list->model->context, seconds);
    return status;
}

typedef struct inference {
    thaw_model *model;
    const thaw_evaluated_batch *batch;
} inference;

static thaw_status run_inference(void *argument)
{
    const inference *run = argument;
    thaw_batch_outcome ignored;
    return thaw_evaluate_batch(run->model, run->batch, &ignored);
}

thaw_status thaw_price_list_time_frozen(thaw_price_list *list, const thaw_evaluated_batch *batch, size_t runs)
{
    thaw_plan *plan;
    double rest, whole, *seconds = NULL;
    inference run = { list->model, batch };
    const int64_t length = thaw_model_batch_length(list->model, batch->samples, (size_t)batch->count, batch->most);
    thaw_status status = run_inference(&run);
    if (status == THAW_OK)
        status = thaw_plan_find_length(list->model, batch->count, length, &plan);
    if (status == THAW_OK) {
        seconds = thaw_allocate_array(list->model->context, plan->program.count, sizeof *seconds);
        status = seconds
                     ? thaw_profile_runs(plan, (thaw_profiled_run){ run_inference, &run }, runs, seconds, &rest, &whole)
                     : THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; status == THAW_OK && i < plan->program.count; i++)
        if (plan->program.instructions[i].node >= 0 && plan->program.instructions[i].section != THAW_SECTION_LOSS)
            list->layers[plan->program.instructions[i].node].frozen += (double)list->own * seconds[i];
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
    status =
        thaw_price_list_time_frozen(list, &(thaw_evaluated_batch){ .count = batch.count, .samples = batch.samples },
                                    steps);
    thaw_threads_leave(scope);
    return status;
}

thaw_status thaw_price_list_create(thaw_model *model, int64_t batch, thaw_shard_range range, thaw_price_list **list)
{
    *list = NULL;
    thaw_price_list *made = thaw_allocate(model->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_price_list){ .model = model,
                               .batch = batch,
                               .shards = range.shards,
                               .own = range.past - range.first,
                               .layer_count = model->node_count };
    made->layers = thaw_allocate_array(model->context, model->node_count, sizeof *made->layers);
    if (!made->layers) {
        thaw_release(model->context, made);
        return THAW_OUT_OF_MEMORY;
    }
    *list = made;
    return THAW_OK;
}

thaw_status thaw_price_list_measure(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                                    size_t steps, thaw_price_list **list)
{
    *list = NULL;
    thaw_packed_batch batch;
    thaw_status status = thaw_check_inputs(model, inputs, &batch);
    if (status != THAW_OK)
        return status;
    thaw_price_list *made;
    status = thaw_price_list_create(model, batch.count, (thaw_shard_range){ 1, 0, 1 }, &made);
    if (status == THAW_OK)
        status = measure(made, inputs, targets, steps ? steps : DEFAULT_STEPS);
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
