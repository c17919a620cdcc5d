#include "layers/pointwise_loss.h"

#include <math.h>

/* Elements whose terms are added together, whatever the number of threads. */
enum { CHUNK = 4096 };

typedef struct kernel {
    const thaw_pointwise_loss *loss;
    const void *options;
    size_t count, columns, chunks;
    double scale, unit;
    bool mean;
} kernel;

/* One call's data, for the loops. */
typedef struct pass {
    const kernel *layer;
    const float *prediction, *target;
    double *sums; /* of the chunks; forward */
    float *gradient;
} pass;

thaw_status thaw_pointwise_loss_build(thaw_layer_builder *builder, const void *options)
{
    const thaw_pointwise_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (o->reduction != THAW_REDUCE_MEAN && o->reduction != THAW_REDUCE_SUM)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "reduction is %d, must be THAW_REDUCE_MEAN or THAW_REDUCE_SUM", (int)o->reduction);
    if (!(o->target_deviation >= 0) || !isfinite(o->target_deviation))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "target_deviation is %g, must be finite and not negative", o->target_deviation);
    if (o->reduction == THAW_REDUCE_SUM)
        thaw_builder_sum_loss(builder);
    thaw_builder_flops(builder, 3 * (double)thaw_shape_count(input));
    const thaw_status status = thaw_builder_target(builder, THAW_F32, input);
    return status == THAW_OK ? thaw_builder_output(builder, &(thaw_shape){ .rank = 0 }) : status;
}

thaw_status thaw_pointwise_loss_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_pointwise_options *o = demand->options;
    kernel *k = thaw_allocate(demand->context, sizeof *k);
    if (!k)
        return THAW_OUT_OF_MEMORY;
    const thaw_shape *input = &demand->inputs[0];
    k->loss = o->loss;
    k->options = o;
    k->count = (size_t)demand->batch * thaw_shape_count(input);
    k->columns = input->rank > 0 ? (size_t)input->dims[input->rank - 1] : 1;
    k->chunks = (k->count + CHUNK - 1) / CHUNK;
    k->mean = o->reduction == THAW_REDUCE_MEAN;
    k->scale = k->mean ? 1 / (double)k->count : 1;
    const double deviation = o->target_deviation > 0 ? o->target_deviation : 1;
    k->unit = o->loss->squares ? deviation * deviation : deviation;
    needs->state = k;
    needs->scratch_bytes = k->chunks * sizeof(double);
    needs->keeps_inputs = demand->training;
    needs->kernel = o->loss->kernel;
    return THAW_OK;
}

static thaw_loss_span span_of(const pass *p, size_t begin, size_t end)
{
    return (thaw_loss_span){ .prediction = p->prediction,
                             .target = p->target,
                             .begin = begin,
                             .end = end,
                             .options = p->layer->options,
                             .columns = p->layer->columns };
}

static void sum_chunks(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    for (size_t chunk = begin; chunk < end; chunk++) {
        const size_t first = chunk * CHUNK;
        const size_t past = first + CHUNK < p->layer->count ? first + CHUNK : p->layer->count;
        const thaw_loss_span span = span_of(p, first, past);
        p->sums[chunk] = p->layer->loss->sum(&span);
    }
}

thaw_status thaw_pointwise_loss_forward(const thaw_layer_run *run)
{
    const kernel *k = run->state;
    pass p = { .layer = k, .prediction = run->inputs[0], .target = run->target, .sums = run->scratch };
    thaw_parallel_for(run->context, k->chunks, 1, sum_chunks, &p);
    double sum = 0;
    for (size_t chunk = 0; chunk < k->chunks; chunk++)
        sum += p.sums[chunk];
    float *loss = run->output;
    *loss = (float)(sum * k->scale * k->unit);
    return THAW_OK;
}

static void differentiate(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const thaw_loss_span span = span_of(p, begin, end);
    p->layer->loss->differentiate(&span, p->layer->scale, p->gradient);
}

thaw_status thaw_pointwise_loss_backward(const thaw_layer_run *run)
{
    const kernel *k = run->state;
    pass p = { .layer = k, .prediction = run->inputs[0], .target = run->target, .gradient = run->input_gradients[0] };
    if (p.gradient)
        thaw_parallel_for(run->context, k->count, CHUNK, differentiate, &p);
    return THAW_OK;
}

void thaw_pointwise_loss_weigh(const thaw_layer_run *run, double *total, double *weight)
{
    const kernel *k = run->state;
    (void)weight;
    if (!k->mean)
        *total = (double)*(const float *)run->output;
}

void thaw_pointwise_loss_release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}
