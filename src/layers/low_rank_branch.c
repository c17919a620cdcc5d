#include "layers/low_rank_branch.h"

#include "kernels/best_convolution.h"
#include "kernels/best_inner_product.h"
#include "kernels/scaled_sum.h"

/* A kernel, and the relayout of the weights that it reads or writes; NULL: none. */
typedef struct stage {
    thaw_kernel *kernel, *relayout;
    size_t bytes; /* of the weights in the kernel's layout */
} stage;

struct thaw_low_rank_branch {
    thaw_low_rank_branch_problem problem;
    stage down;          /* x, A -> u */
    stage up;            /* u, B -> y, added */
    stage back;          /* dy, B -> t */
    stage up_gradient;   /* u, dy -> dB */
    stage down_gradient; /* x, t -> dA */
    stage input;         /* t, A -> dx, or a term of it */
    bool adds_input;     /* that kernel cannot add: the term is added afterwards */
    size_t small_bytes;  /* of u, and of t */
};

/* ---- making ---- */

static void release_stage(thaw_context *context, stage *s)
{
    thaw_kernel_release(context, s->kernel);
    thaw_kernel_release(context, s->relayout);
}

void thaw_low_rank_branch_release(thaw_context *context, thaw_low_rank_branch *l)
{
    if (!l)
        return;
    stage *const stages[] = { &l->down, &l->up, &l->back, &l->up_gradient, &l->down_gradient, &l->input };
    for (size_t i = 0; i < THAW_COUNT(stages); i++)
        release_stage(context, stages[i]);
    thaw_release(context, l);
}

/* The layer's own problem with the rank instead of its outputs. Such narrow weights are not packed: that costs more
   than it gains (a step of three layers of 512 features, batch 32, rank 8, takes 0.64 of the time of full training,
   or 0.85 with packing). */
static thaw_inner_product down_product_of(const thaw_low_rank_branch_problem *p)
{
    return (thaw_inner_product){
        .batch = p->dense->batch, .inputs = p->dense->inputs, .outputs = p->demand.rank, .training = true
    };
}

static thaw_convolution down_convolution_of(const thaw_low_rank_branch_problem *p)
{
    thaw_convolution down = *p->convolution;
    down.output_channels = p->demand.rank;
    down.bias = false;
    down.after = (thaw_after){ 0 };
    down.training = true;
    return down;
}

static thaw_status create_dense_stages(thaw_context *context, thaw_low_rank_branch *l)
{
    const thaw_low_rank_branch_problem *p = &l->problem;
    const thaw_inner_product down = down_product_of(p);
    /* Transposed: from rank to inputs, by A^T. */
    const thaw_inner_product transposed = { .batch = down.batch,
                                            .inputs = down.outputs,
                                            .outputs = down.inputs,
                                            .training = true,
                                            .after = { .residual = THAW_RESIDUAL_IN_PLACE },
                                            .transposed = true };
    thaw_status status = THAW_OK;
    if (p->demand.beside || p->demand.up_gradient)
        status = thaw_best_inner_product_forward(context, &down, &l->down.kernel, &l->down.relayout);
    if (status == THAW_OK && p->demand.down_gradient)
        status = thaw_best_inner_product_backward_weights(context, &down, &l->down_gradient.kernel);
    if (status == THAW_OK && p->demand.beside && p->input_gradient)
        status = thaw_best_inner_product_forward(context, &transposed, &l->input.kernel, &l->input.relayout);
    return status;
}

static thaw_status create_convolution_stages(thaw_context *context, thaw_low_rank_branch *l)
{
    const thaw_low_rank_branch_problem *p = &l->problem;
    const thaw_convolution down = down_convolution_of(p);
    thaw_status status = THAW_OK;
    if (p->demand.beside || p->demand.up_gradient)
        status = thaw_best_convolution_forward(context, &down, &l->down.kernel, &l->down.relayout);
    if (status == THAW_OK && p->demand.down_gradient)
        status = thaw_best_convolution_backward_weights(context, &down, &l->down_gradient.kernel,
                                                        &l->down_gradient.relayout);
    if (status == THAW_OK && p->demand.beside && p->input_gradient)
        status = thaw_best_convolution_backward_data(context, &down, &l->input.kernel, &l->input.relayout);
    l->adds_input = true;
    return status;
}

/* Between u or t and the layer's output, which is a matrix for each layer. */
static thaw_status create_output_stages(thaw_context *context, thaw_low_rank_branch *l)
{
    const thaw_low_rank_branch_problem *p = &l->problem;
    thaw_inner_product product = { .batch = (int64_t)p->rows,
                                   .inputs = p->demand.rank,
                                   .outputs = (int64_t)p->outputs,
                                   .after = { THAW_RESIDUAL_IN_PLACE, p->activation },
                                   .training = true };
    thaw_status status = THAW_OK;
    if (p->demand.beside)
        status = thaw_best_inner_product_forward(context, &product, &l->up.kernel, &l->up.relayout);
    if (status == THAW_OK && (p->demand.down_gradient || l->input.kernel))
        status = thaw_inner_product_backward_data(context, &product, &l->back.kernel, NULL);
    if (status == THAW_OK && p->demand.up_gradient)
        status = thaw_best_inner_product_backward_weights(context, &product, &l->up_gradient.kernel);
    return status;
}

static void measure(stage *s, thaw_argument weights)
{
    if (s->relayout)
        s->bytes = thaw_align(thaw_kernel_bytes(s->kernel, weights));
}

thaw_status thaw_low_rank_branch_create(thaw_context *context, const thaw_low_rank_branch_problem *problem,
                                        thaw_low_rank_branch **made)
{
    *made = NULL;
    thaw_low_rank_branch *l = thaw_allocate(context, sizeof *l);
    if (!l)
        return THAW_OUT_OF_MEMORY;
    l->problem = *problem;
    thaw_status status = problem->dense ? create_dense_stages(context, l) : create_convolution_stages(context, l);
    l->problem.dense = NULL; /* the layer's, and may be gone later */
    l->problem.convolution = NULL;
    if (status == THAW_OK)
        status = create_output_stages(context, l);
    if (status != THAW_OK) {
        thaw_low_rank_branch_release(context, l);
        return status;
    }
    measure(&l->down, THAW_ARGUMENT_WEIGHTS);
    measure(&l->up, THAW_ARGUMENT_WEIGHTS);
    measure(&l->input, THAW_ARGUMENT_WEIGHTS);
    measure(&l->down_gradient, THAW_ARGUMENT_WEIGHTS_GRADIENT);
    l->small_bytes = thaw_align(problem->rows * (size_t)problem->demand.rank * sizeof(float));
    *made = l;
    return THAW_OK;
}

/* ---- memory ----
   u is in the workspace if backward reads it, otherwise in scratch. Scratch also holds, in this order, t, the term of
   the input's gradient, the weights of the running stage, and the kernels' own scratch. */

static size_t stage_bytes(const stage *s)
{
    const size_t own = thaw_kernel_scratch_bytes(s->kernel), relayout = thaw_kernel_scratch_bytes(s->relayout);
    return s->bytes + (own > relayout ? own : relayout);
}

size_t thaw_low_rank_branch_scratch_bytes(const thaw_low_rank_branch *l)
{
    if (!l)
        return 0;
    const stage *const stages[] = { &l->down, &l->up, &l->back, &l->up_gradient, &l->down_gradient, &l->input };
    size_t most = 0;
    for (size_t i = 0; i < THAW_COUNT(stages); i++)
        most = stage_bytes(stages[i]) > most ? stage_bytes(stages[i]) : most;
    const size_t input = l->input.kernel && l->adds_input ? thaw_align(l->problem.input_count * sizeof(float)) : 0;
    return 2 * l->small_bytes + input + most;
}

size_t thaw_low_rank_branch_workspace_bytes(const thaw_low_rank_branch *l)
{
    return l && l->problem.demand.beside && l->problem.demand.up_gradient ? l->small_bytes : 0;
}

bool thaw_low_rank_branch_keeps_input(const thaw_low_rank_branch *l)
{
    return l && (l->down_gradient.kernel || (l->up_gradient.kernel && !l->problem.demand.beside));
}

static float *down_result(const thaw_low_rank_branch *l, const thaw_layer_run *run)
{
    return thaw_low_rank_branch_workspace_bytes(l) ? run->workspace : run->scratch;
}

static char *after_small(const thaw_low_rank_branch *l, const thaw_layer_run *run)
{
    return (char *)run->scratch + 2 * l->small_bytes;
}

/* ---- running ---- */

/* Runs a kernel that reads weights. If it needs them in another layout, they are put at the beginning of `scratch`
   first. */
static thaw_status run_with_weights(const stage *s, const float *weights, thaw_binding from, thaw_binding into,
                                    void *scratch)
{
    void *rest = (char *)scratch + s->bytes;
    if (s->relayout) {
        const thaw_binding relayout[] = { { THAW_ARGUMENT_SOURCE, weights }, { THAW_ARGUMENT_DESTINATION, scratch } };
        const thaw_status status = thaw_kernel_run(s->relayout, relayout, THAW_COUNT(relayout), rest);
        if (status != THAW_OK)
            return status;
    }
    const thaw_binding bindings[] = { from, { THAW_ARGUMENT_WEIGHTS, s->relayout ? scratch : weights }, into };
    return thaw_kernel_run(s->kernel, bindings, THAW_COUNT(bindings), rest);
}

static thaw_status run_weight_gradient(const stage *s, const float *source, const float *output_gradient,
                                       float *gradient, void *scratch)
{
    void *rest = (char *)scratch + s->bytes;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, source },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, output_gradient },
        { THAW_ARGUMENT_WEIGHTS_GRADIENT, s->relayout ? scratch : gradient },
    };
    const thaw_status status = thaw_kernel_run(s->kernel, bindings, THAW_COUNT(bindings), rest);
    if (status != THAW_OK || !s->relayout)
        return status;
    const thaw_binding relayout[] = { { THAW_ARGUMENT_SOURCE, scratch }, { THAW_ARGUMENT_DESTINATION, gradient } };
    return thaw_kernel_run(s->relayout, relayout, THAW_COUNT(relayout), rest);
}

static void scale(const thaw_low_rank_branch *l, const thaw_layer_run *run, float *values)
{
    thaw_scaled_sum(run->context, values, NULL, l->problem.demand.scale, values,
                    l->problem.rows * (size_t)l->problem.demand.rank);
}

static thaw_status run_down(const thaw_low_rank_branch *l, const thaw_layer_run *run)
{
    float *u = down_result(l, run);
    const thaw_status status = run_with_weights(&l->down, run->capabilities->low_rank.down,
                                                (thaw_binding){ THAW_ARGUMENT_SOURCE, run->inputs[0] },
                                                (thaw_binding){ THAW_ARGUMENT_DESTINATION, u }, after_small(l, run));
    scale(l, run, u);
    return status;
}

thaw_status thaw_low_rank_branch_forward(const thaw_low_rank_branch *l, const thaw_layer_run *run)
{
    if (!l->problem.demand.beside)
        return THAW_OK;
    const thaw_status status = run_down(l, run);
    return status == THAW_OK
               ? run_with_weights(&l->up, run->capabilities->low_rank.up,
                                  (thaw_binding){ THAW_ARGUMENT_SOURCE, down_result(l, run) },
                                  (thaw_binding){ THAW_ARGUMENT_DESTINATION, run->output }, after_small(l, run))
               : status;
}

static thaw_status run_input(const thaw_low_rank_branch *l, const thaw_layer_run *run, const float *t)
{
    char *scratch = after_small(l, run);
    if (!l->adds_input)
        return run_with_weights(&l->input, run->capabilities->low_rank.down, (thaw_binding){ THAW_ARGUMENT_SOURCE, t },
                                (thaw_binding){ THAW_ARGUMENT_DESTINATION, run->input_gradients[0] }, scratch);
    const size_t count = l->problem.input_count;
    float *term = (float *)(void *)scratch;
    const thaw_status status = run_with_weights(&l->input, run->capabilities->low_rank.down,
                                                (thaw_binding){ THAW_ARGUMENT_DESTINATION_GRADIENT, t },
                                                (thaw_binding){ THAW_ARGUMENT_SOURCE_GRADIENT, term },
                                                scratch + thaw_align(count * sizeof(float)));
    if (status == THAW_OK)
        thaw_scaled_sum(run->context, run->input_gradients[0], run->input_gradients[0], 1, term, count);
    return status;
}

thaw_status thaw_low_rank_branch_backward(const thaw_low_rank_branch *l, const thaw_layer_run *run)
{
    thaw_status status = THAW_OK;
    char *scratch = after_small(l, run);
    float *t = (float *)(void *)((char *)run->scratch + l->small_bytes);
    if (l->up_gradient.kernel) {
        if (!l->problem.demand.beside)
            status = run_down(l, run);
        if (status == THAW_OK)
            status = run_weight_gradient(&l->up_gradient, down_result(l, run), run->output_gradient,
                                         run->capabilities->low_rank.up_gradient, scratch);
    }
    if (status == THAW_OK && l->back.kernel) {
        status = run_with_weights(&l->back, run->capabilities->low_rank.up,
                                  (thaw_binding){ THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
                                  (thaw_binding){ THAW_ARGUMENT_SOURCE_GRADIENT, t }, scratch);
        scale(l, run, t);
    }
    if (status == THAW_OK && l->down_gradient.kernel)
        status = run_weight_gradient(&l->down_gradient, run->inputs[0], t, run->capabilities->low_rank.down_gradient,
                                     scratch);
    return status == THAW_OK && l->input.kernel ? run_input(l, run, t) : status;
}
