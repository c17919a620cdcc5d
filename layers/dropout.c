/* Dropout: zeroes elements at random and scales the others up. Srivastava et al. 2014, "Dropout: a simple way to
   prevent neural networks from overfitting". */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"

/* Elements per block, and the fewest elements of a thread. */
enum { BLOCK = 256, GRAIN = 16 * BLOCK };

typedef struct dropout {
    size_t count;
    thaw_dtype precision;
    int32_t threshold; /* a number of 24 bits below it zeroes its element */
    float scale;       /* of what is kept */
} dropout;

/* The data of one call, for the loops. The mask has a byte per element: packing eight into one byte costs more than
   it saves. */
typedef struct pass {
    const dropout *layer;
    thaw_context *context;
    const thaw_stream *random; /* NULL: the mask is drawn already */
    const void *source;
    void *destination; /* may be `source` */
    uint8_t *mask;     /* 1: kept */
} pass;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_dropout_options *o = options;
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
    const double rate = ((const thaw_dropout_options *)demand->options)->rate;
    needs->identity = !demand->draws || rate == 0;
    if (needs->identity)
        return THAW_OK;
    dropout *d = thaw_allocate(demand->context, sizeof *d);
    if (!d)
        return THAW_OUT_OF_MEMORY;
    d->count = (size_t)demand->batch * thaw_shape_count(&demand->output);
    d->precision = demand->capabilities->precision;
    d->threshold = (int32_t)(rate * 0x1p24);
    d->scale = (float)(1 / (1 - rate));
    needs->state = d;
    needs->workspace_bytes = d->count;
    needs->in_place = needs->gradient_in_place = true;
    needs->kernel = "philox";
    return THAW_OK;
}

static void load(const pass *p, size_t first, size_t count, float values[BLOCK])
{
    if (p->layer->precision == THAW_F32)
        memcpy(values, (const float *)p->source + first, count * sizeof *values);
    for (size_t i = 0; p->layer->precision != THAW_F32 && i < count; i++)
        values[i] = thaw_bfloat16_widen(((const thaw_bfloat16 *)p->source)[first + i]);
}

static void store(const pass *p, size_t first, size_t count, const float values[BLOCK])
{
    if (p->layer->precision == THAW_F32)
        memcpy((float *)p->destination + first, values, count * sizeof *values);
    for (size_t i = 0; p->layer->precision != THAW_F32 && i < count; i++)
        ((thaw_bfloat16 *)p->destination)[first + i] = thaw_bfloat16_round(values[i]);
}

/* Uses a block, because compilers do not vectorise loops whose arrays may be the same. */
static void apply_to_block(const pass *p, size_t first, size_t count)
{
    const float scale = p->layer->scale;
    const uint8_t *mask = p->mask + first;
    float values[BLOCK];
    load(p, first, count, values);
    for (size_t i = 0; i < count; i++)
        values[i] *= (float)mask[i] * scale;
    store(p, first, count, values);
}

static void draw_block(const pass *p, size_t first, size_t count)
{
    const int32_t threshold = p->layer->threshold;
    uint8_t *mask = p->mask + first;
    uint32_t numbers[BLOCK];
    thaw_random_fill(p->context, p->random, first, count, numbers);
    for (size_t i = 0; i < count; i++)
        mask[i] = (int32_t)(numbers[i] >> 8) >= threshold;
}

/* Draws a mask if there are random numbers, and applies it. */
static void run_range(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    for (size_t first = begin; first < end; first += BLOCK) {
        const size_t count = end - first < BLOCK ? end - first : BLOCK;
        if (p->random)
            draw_block(p, first, count);
        apply_to_block(p, first, count);
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const dropout *d = run->state;
    pass p = { d, run->context, &run->random, run->inputs[0], run->output, run->workspace };
    thaw_parallel_for(run->context, d->count, GRAIN, run_range, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const dropout *d = run->state;
    pass p = { d, run->context, NULL, run->output_gradient, run->input_gradients[0], run->workspace };
    if (p.destination)
        thaw_parallel_for(run->context, d->count, GRAIN, run_range, &p);
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
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "dropout",
    .options_size = sizeof(thaw_dropout_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_dropout(thaw_model *model, thaw_node input, const thaw_dropout_options *options, thaw_node *output)
{
    const thaw_dropout_options settings = options ? *options : (thaw_dropout_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
