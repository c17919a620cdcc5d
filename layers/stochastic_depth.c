/* Stochastic depth: zeroes whole samples at random and scales the others up. Huang et al. 2016, arXiv 1603.09382. */
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"

/* Elements per block, and the fewest of a thread. */
enum { BLOCK = 256, GRAIN = 64 * BLOCK };

typedef struct depth {
    size_t batch, count; /* samples, and elements of one */
    thaw_dtype precision;
    int32_t threshold; /* a number of 24 bits below it drops its sample */
    float scale;       /* of what is kept */
} depth;

/* The data of one call, for the loops. */
typedef struct pass {
    const depth *layer;
    const float *scales; /* of each sample */
    const void *source;
    void *destination; /* may be `source` */
} pass;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_stochastic_depth_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (!(o->rate >= 0 && o->rate < 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "rate is %g, must be at least 0 and below 1", o->rate);
    if (o->rate > 0)
        thaw_builder_draw(builder, o->drop_when_frozen);
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return thaw_builder_output(builder, input);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const double rate = ((const thaw_stochastic_depth_options *)demand->options)->rate;
    needs->identity = !demand->draws || rate == 0;
    if (needs->identity)
        return THAW_OK;
    depth *d = thaw_allocate(demand->context, sizeof *d);
    if (!d)
        return THAW_OUT_OF_MEMORY;
    d->batch = (size_t)demand->batch;
    d->count = thaw_shape_count(&demand->output);
    d->precision = demand->capabilities->precision;
    d->threshold = (int32_t)(rate * 0x1p24);
    d->scale = (float)(1 / (1 - rate));
    needs->state = d;
    needs->workspace_bytes = d->batch * sizeof(float);
    needs->in_place = needs->gradient_in_place = true;
    needs->kernel = "philox";
    return THAW_OK;
}

/* Over a block, because compilers do not vectorise loops whose arrays may be the same. */
static void scale_floats(const float *from, float scale, size_t count, float *into)
{
    float values[BLOCK];
    for (size_t i = 0; i < count; i++)
        values[i] = from[i] * scale;
    memcpy(into, values, count * sizeof *into);
}

static void scale_bfloats(const thaw_bfloat16 *from, float scale, size_t count, thaw_bfloat16 *into)
{
    thaw_bfloat16 values[BLOCK];
    for (size_t i = 0; i < count; i++)
        values[i] = thaw_bfloat16_round(thaw_bfloat16_widen(from[i]) * scale);
    memcpy(into, values, count * sizeof *into);
}

/* Elements of the whole batch. A block ends where a sample does. */
static void scale_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const size_t whole = p->layer->count;
    for (size_t first = begin, count; first < end; first += count) {
        const size_t after = whole - first % whole, left = after < end - first ? after : end - first;
        const float scale = p->scales[first / whole];
        count = left < BLOCK ? left : BLOCK;
        if (p->layer->precision == THAW_F32)
            scale_floats((const float *)p->source + first, scale, count, (float *)p->destination + first);
        else
            scale_bfloats((const thaw_bfloat16 *)p->source + first, scale, count,
                          (thaw_bfloat16 *)p->destination + first);
    }
}

/* A sample's number is that of its first element, so that it depends on the sample's place in the whole step. */
static thaw_status forward(const thaw_layer_run *run)
{
    const depth *d = run->state;
    float *scales = run->workspace;
    for (size_t n = 0; n < d->batch; n++) {
        uint32_t number;
        thaw_random_fill(run->context, &run->random, n * d->count, 1, &number);
        scales[n] = (int32_t)(number >> 8) >= d->threshold ? d->scale : 0;
    }
    pass p = { d, scales, run->inputs[0], run->output };
    thaw_parallel_for(run->context, d->batch * d->count, GRAIN, scale_range, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const depth *d = run->state;
    pass p = { d, run->workspace, run->output_gradient, run->input_gradients[0] };
    if (p.destination)
        thaw_parallel_for(run->context, d->batch * d->count, GRAIN, scale_range, &p);
    return THAW_OK;
}

/* Nothing is dropped in inference. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_axis_order order = thaw_onnx_input_order(layer, 0);
    return thaw_onnx_output(layer, thaw_onnx_input(layer, 0, order), order);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "stochastic_depth",
    .options_size = sizeof(thaw_stochastic_depth_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_stochastic_depth(thaw_model *model, thaw_node input, const thaw_stochastic_depth_options *options,
                                  thaw_node *output)
{
    const thaw_stochastic_depth_options settings = options ? *options : (thaw_stochastic_depth_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
