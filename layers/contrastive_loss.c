/* In-batch contrastive loss. With the scores s_ij = scale a_i . p_j of a batch, the loss of sample i is
   -log(e^s_ii / sum_j e^s_ij): the products are those of a dense layer whose weight is the positives. */
#include <math.h>
#include <thaw/layer_module.h>
#include <thaw/losses.h>

#include "kernels/cross_entropy.h"
#include "onednn/inner_product.h"

enum { ANCHORS, POSITIVES };
enum { ROW_GRAIN = 4096 /* the fewest scores of a thread */ };

/* The options of a node. */
typedef struct choice {
    double scale;
} choice;

typedef struct loss {
    size_t batch;
    float scale;
    const thaw_cross_entropy_functions *loops;
    thaw_kernel *scores, *anchors, *positives; /* the latter two give the inputs' gradients; NULL: not wanted */
    size_t kernel_bytes;                       /* of scratch, before the losses */
} loss;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const choice *o = options;
    const thaw_shape *anchors = thaw_builder_input(builder, ANCHORS),
                     *positives = thaw_builder_input(builder, POSITIVES);
    char texts[2][80];
    if (!(o->scale > 0) || !isfinite(o->scale))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "scale is %g, must be finite and above 0", o->scale);
    if (anchors->rank != 1 || !thaw_shape_equal(anchors, positives))
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "anchors have shape %s and positives %s, must both be [width]",
                                 thaw_shape_format(anchors, texts[0], sizeof texts[0]),
                                 thaw_shape_format(positives, texts[1], sizeof texts[1]));
    return thaw_builder_output(builder, &(thaw_shape){ .rank = 0 });
}

static void release(thaw_context *context, void *state)
{
    loss *l = state;
    if (!l)
        return;
    thaw_kernel_release(context, l->scores);
    thaw_kernel_release(context, l->anchors);
    thaw_kernel_release(context, l->positives);
    thaw_release(context, l);
}

static size_t larger(size_t left, size_t right)
{
    return left > right ? left : right;
}

static thaw_status create_kernels(const thaw_layer_demand *demand, loss *l)
{
    const thaw_inner_product problem = { .batch = demand->batch,
                                         .inputs = demand->inputs[0].dims[0],
                                         .outputs = demand->batch,
                                         .training = demand->training };
    thaw_status status = thaw_inner_product_forward(demand->context, &problem, &l->scores, NULL);
    if (status == THAW_OK && demand->input_gradient[ANCHORS])
        status = thaw_inner_product_backward_data(demand->context, &problem, &l->anchors, NULL);
    if (status == THAW_OK && demand->input_gradient[POSITIVES])
        status = thaw_inner_product_backward_weights(demand->context, &problem, &l->positives);
    const size_t backward = larger(thaw_kernel_scratch_bytes(l->anchors), thaw_kernel_scratch_bytes(l->positives));
    const size_t most = larger(thaw_kernel_scratch_bytes(l->scores), backward);
    l->kernel_bytes = (most + sizeof(double) - 1) / sizeof(double) * sizeof(double);
    return status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const choice *o = demand->options;
    const size_t batch = (size_t)demand->batch;
    loss *l = thaw_allocate(demand->context, sizeof *l);
    if (!l)
        return THAW_OUT_OF_MEMORY;
    l->batch = batch;
    l->scale = (float)o->scale;
    l->loops = THAW_FOR_LEVEL(thaw_context_cpu_level(demand->context), &thaw_cross_entropy_loops);
    const thaw_status status = create_kernels(demand, l);
    if (status != THAW_OK) {
        release(demand->context, l);
        return status;
    }
    needs->state = l;
    needs->workspace_bytes = batch * batch * sizeof(float);
    needs->scratch_bytes = l->kernel_bytes + batch * sizeof(double);
    needs->keeps_inputs = demand->training;
    needs->mixes_samples = true;
    needs->kernel = thaw_kernel_name(l->scores);
    return THAW_OK;
}

/* One call's data, for the loops over anchors. */
typedef struct pass {
    const loss *layer;
    float *scores;
    double *losses;
} pass;

/* Scores become the loss's slopes by them, times the batch. */
static void weigh_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const loss *l = p->layer;
    for (size_t i = begin; i < end; i++) {
        float *row = p->scores + i * l->batch;
        for (size_t j = 0; j < l->batch; j++)
            row[j] *= l->scale;
        const thaw_logit_row found = l->loops->measure(row, NULL, l->batch, false);
        const double own = (double)row[i] - (double)found.largest;
        p->losses[i] = log(found.sum) - own;
        l->loops->differentiate(row, NULL, l->batch, found.largest, (float)(1 / found.sum), 0, row);
        row[i] = (float)(exp(own) / found.sum - 1);
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const loss *l = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[ANCHORS] },
        { THAW_ARGUMENT_WEIGHTS, run->inputs[POSITIVES] },
        { THAW_ARGUMENT_DESTINATION, run->workspace },
    };
    const thaw_status status = thaw_kernel_run(l->scores, bindings, THAW_COUNT(bindings), run->scratch);
    if (status != THAW_OK)
        return status;
    pass p = { l, run->workspace, (double *)(void *)((char *)run->scratch + l->kernel_bytes) };
    thaw_parallel_for(run->context, l->batch, ROW_GRAIN / l->batch + 1, weigh_rows, &p);
    double total = 0;
    for (size_t i = 0; i < l->batch; i++)
        total += p.losses[i];
    float *output = run->output;
    *output = (float)(total / (double)l->batch);
    return THAW_OK;
}

static void scale_slopes(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const float factor = p->layer->scale / (float)p->layer->batch;
    for (size_t i = begin * p->layer->batch; i < end * p->layer->batch; i++)
        p->scores[i] *= factor;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const loss *l = run->state;
    pass p = { l, run->workspace, NULL };
    thaw_parallel_for(run->context, l->batch, ROW_GRAIN / l->batch + 1, scale_slopes, &p);
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[ANCHORS] },
        { THAW_ARGUMENT_WEIGHTS, run->inputs[POSITIVES] },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->workspace },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[ANCHORS] },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, run->input_gradients[POSITIVES] },
    };
    thaw_status status = THAW_OK;
    if (l->anchors)
        status = thaw_kernel_run(l->anchors, bindings, THAW_COUNT(bindings), run->scratch);
    if (status == THAW_OK && l->positives)
        status = thaw_kernel_run(l->positives, bindings, THAW_COUNT(bindings), run->scratch);
    return status;
}

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "contrastive_loss",
    .options_size = sizeof(choice),
    .loss = true,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_contrastive_loss(thaw_model *model, thaw_node anchors, thaw_node positives,
                                  const thaw_contrastive_loss_options *options, thaw_node *output)
{
    const thaw_contrastive_loss_options o = options ? *options : (thaw_contrastive_loss_options){ 0 };
    const choice settings = { .scale = o.scale == 0 ? 20 : o.scale };
    return thaw_model_append(model, &module, o.name, (thaw_node[]){ anchors, positives }, 2, &settings, output);
}
