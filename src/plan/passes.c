/* The compiler: a new plan, and the passes that fill it. */
#include <string.h>

#include "core/context.h"
#include "plan/plan.h"

const thaw_pass thaw_passes[] = {
    { "trainability", thaw_pass_trainability },
    { "regions", thaw_pass_regions },
    { "cut", thaw_pass_cut },
    { "combination", thaw_pass_combination },
    { "precision", thaw_pass_precision },
    { "tiles", thaw_pass_tiles },
    { "fusion", thaw_pass_fusion },
    { "kernels", thaw_pass_kernels },
    { "sharing", thaw_pass_sharing },
    { "masks", thaw_pass_masks },
    { "recompute", thaw_pass_recompute },
    { "buffers", thaw_pass_buffers },
    { "memory", thaw_pass_memory },
    { "emit", thaw_pass_emit },
};
const size_t thaw_pass_count = THAW_COUNT(thaw_passes);

static void clear_requests(thaw_plan_node *node)
{
    node->places.output = node->places.gradient = node->places.workspace = node->places.mask = node->places.copy =
        node->places.again = node->places.statistics = node->places.sums = -1;
    for (size_t k = 0; k < THAW_MAX_INPUTS; k++)
        node->places.spare[k] = -1;
}

/* Finds the shapes of all nodes for the plan's length. */
static thaw_status find_shapes(thaw_plan *plan)
{
    const thaw_model *model = plan->model;
    plan->target_shape = model->nodes[plan->target].target;
    if (!plan->length)
        return THAW_OK;
    plan->shapes = thaw_allocate_array(model->context, plan->node_count, sizeof *plan->shapes);
    return plan->shapes ? thaw_model_find_shapes(plan->program.model, plan->length, plan->shapes, &plan->target_shape)
                        : THAW_OUT_OF_MEMORY;
}

const thaw_shape *thaw_plan_shape(const thaw_plan *plan, thaw_node node)
{
    return plan->shapes ? &plan->shapes[node] : &plan->model->nodes[node].output;
}

thaw_status thaw_plan_check_request(const thaw_model *model, const thaw_plan_request *request)
{
    const int64_t batch = request->batch;
    if (batch < 1)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "batch is %lld, must be at least 1", (long long)batch);
    if (!thaw_model_has_layers(model))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model has no layers");
    if (request->training && thaw_model_loss(model) < 0)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model has no loss to train on");
    for (size_t i = 0; i < model->node_count; i++) {
        size_t bytes;
        if (__builtin_mul_overflow((size_t)batch, thaw_shape_count(&model->nodes[i].output) * sizeof(float), &bytes) ||
            bytes > SIZE_MAX / 1024)
            return thaw_fail(model->context, THAW_OUT_OF_MEMORY, "%s: a batch of %lld samples overflows a size",
                             model->nodes[i].name, (long long)batch);
    }
    return THAW_OK;
}

thaw_status thaw_plan_create(thaw_model *model, const thaw_plan_request *request, thaw_plan **plan)
{
    thaw_plan *made = thaw_allocate(model->context, sizeof *made);
    *plan = made;
    if (!made)
        return THAW_OUT_OF_MEMORY;
    const thaw_node loss = thaw_model_loss(model);
    made->model = made->program.model = model;
    made->batch = request->batch;
    made->length = request->length;
    made->shards = request->shards ? request->shards : 1;
    made->threads = model->context->threads;
    made->training = request->training;
    made->cuts = request->training || request->cuts;
    made->cache = request->cache;
    made->unfused = model->unfused;
    made->frozen = request->frozen;
    made->syncs = model->syncs && request->training && made->shards > 1;
    made->node_count = model->node_count;
    made->target = loss >= 0 ? loss : thaw_model_output(model);
    made->nodes = thaw_allocate_array(model->context, made->node_count, sizeof *made->nodes);
    for (size_t i = 0; made->nodes && i < made->node_count; i++)
        clear_requests(&made->nodes[i]);
    const thaw_status status = made->nodes ? find_shapes(made) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        return THAW_OK;
    thaw_plan_release(made);
    *plan = NULL;
    return status;
}

thaw_status thaw_plan_compile(thaw_plan *plan, const char *last)
{
    for (size_t i = 0; i < thaw_pass_count; i++) {
        const thaw_status status = thaw_passes[i].run(plan);
        if (status != THAW_OK)
            return status;
        if (last && strcmp(thaw_passes[i].name, last) == 0)
            break;
    }
    return THAW_OK;
}

void thaw_plan_release(thaw_plan *plan)
{
    if (!plan)
        return;
    thaw_context *context = plan->model->context;
    thaw_plan_release_kernels(plan);
    thaw_plan_release_packed(plan);
    for (size_t i = 0; plan->uses && i < plan->use_count; i++)
        thaw_release(context, plan->uses[i].order);
    thaw_program_release(context, &plan->program);
    thaw_release(context, plan->trainability);
    thaw_release(context, plan->trains);
    thaw_release(context, plan->uses);
    thaw_release(context, plan->terms);
    thaw_release(context, plan->gradient_buffers);
    thaw_release(context, plan->finite);
    thaw_release(context, plan->trained);
    thaw_release(context, plan->requests);
    thaw_release(context, plan->shapes);
    thaw_release(context, plan->targets);
    thaw_release(context, plan->features);
    thaw_release(context, plan->position);
    thaw_release(context, plan->order);
    thaw_release(context, plan->nodes);
    thaw_release(context, plan);
}
