/* Squared error: the mean or sum of (x - target)^2 over batch and features. */
#include <thaw/layers.h>

/* Elements whose squares are added up as one term, whatever the thread count. */
enum { PART = 4096 };

typedef struct mse {
    size_t count, parts;
    double scale;
} mse;

/* One call's data, for the loops. */
typedef struct pass {
    const mse *layer;
    const float *prediction, *target;
    double *sums; /* of the parts; forward */
    float *gradient;
} pass;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_mse_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (o->reduction != THAW_REDUCE_MEAN && o->reduction != THAW_REDUCE_SUM)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "reduction %d is unknown", (int)o->reduction);
    thaw_builder_flops(builder, 3 * (double)thaw_shape_count(input));
    const thaw_status status = thaw_builder_target(builder, THAW_F32, input);
    return status == THAW_OK ? thaw_builder_output(builder, &(thaw_shape){ .rank = 0 }) : status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_mse_options *o = demand->options;
    mse *m = thaw_allocate(demand->context, sizeof *m);
    if (!m)
        return THAW_OUT_OF_MEMORY;
    m->count = (size_t)demand->batch * thaw_shape_count(&demand->inputs[0]);
    m->parts = (m->count + PART - 1) / PART;
    m->scale = o->reduction == THAW_REDUCE_MEAN ? 1 / (double)m->count : 1;
    needs->state = m;
    needs->scratch_bytes = m->parts * sizeof(double);
    needs->keeps_inputs = demand->training;
    needs->kernel = "squared error";
    return THAW_OK;
}

static void sum_parts(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    for (size_t part = begin; part < end; part++) {
        const size_t first = part * PART;
        const size_t past = first + PART < p->layer->count ? first + PART : p->layer->count;
        double sum = 0;
        for (size_t i = first; i < past; i++) {
            const double difference = (double)p->prediction[i] - (double)p->target[i];
            sum += difference * difference;
        }
        p->sums[part] = sum;
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const mse *m = run->state;
    pass p = { .layer = m, .prediction = run->inputs[0], .target = run->target, .sums = run->scratch };
    thaw_parallel_for(run->context, m->parts, 1, sum_parts, &p);
    double sum = 0;
    for (size_t part = 0; part < m->parts; part++)
        sum += p.sums[part];
    *run->output = (float)(sum * m->scale);
    return THAW_OK;
}

static void differentiate(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const float scale = (float)(2 * p->layer->scale);
    for (size_t i = begin; i < end; i++)
        p->gradient[i] = scale * (p->prediction[i] - p->target[i]);
}

static thaw_status backward(const thaw_layer_run *run)
{
    const mse *m = run->state;
    pass p = { .layer = m, .prediction = run->inputs[0], .target = run->target, .gradient = run->input_gradients[0] };
    if (p.gradient)
        thaw_parallel_for(run->context, m->count, PART, differentiate, &p);
    return THAW_OK;
}

static void release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}

static const thaw_layer_module module = {
    .name = "mse",
    .options_size = sizeof(thaw_mse_options),
    .loss = true,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_mse(thaw_model *model, thaw_node prediction, const thaw_mse_options *options, thaw_node *output)
{
    const thaw_mse_options chosen = options ? *options : (thaw_mse_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &prediction, 1, &chosen, output);
}
