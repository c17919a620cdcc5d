/* Dropout: zeroes elements at random and scales the others up. Srivastava et al. 2014, "Dropout: a simple way to
   prevent neural networks from overfitting". */
#include <math.h>
#include <thaw/layers.h>

/* Numbers that are drawn at a time, and what a thread takes on at least. */
enum { DRAWN = 256, GRAIN = 16 * DRAWN };

typedef struct dropout {
    size_t count;
    uint32_t threshold; /* a number below it zeroes its element */
    float scale;        /* of what is kept */
} dropout;

/* One call's data, for the loops. The mask has a byte an element: packing eight into one costs more than it saves. */
typedef struct pass {
    const dropout *layer;
    const thaw_stream *random;
    const float *source;
    float *destination; /* may be `source` */
    uint8_t *mask;      /* 1: kept */
} pass;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_dropout_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (!(o->rate >= 0 && o->rate < 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "rate is %g, wanted 0 <= rate < 1", o->rate);
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return thaw_builder_output(builder, input);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const double rate = ((const thaw_dropout_options *)demand->options)->rate;
    needs->identity = !demand->training || rate == 0;
    if (needs->identity)
        return THAW_OK;
    dropout *d = thaw_allocate(demand->context, sizeof *d);
    if (!d)
        return THAW_OUT_OF_MEMORY;
    d->count = (size_t)demand->batch * thaw_shape_count(&demand->output);
    d->threshold = (uint32_t)fmin(rate * 0x1p32, UINT32_MAX);
    d->scale = (float)(1 / (1 - rate));
    needs->state = d;
    needs->workspace_bytes = d->count;
    needs->in_place = needs->gradient_in_place = true;
    needs->kernel = "philox";
    return THAW_OK;
}

static void draw(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const uint32_t threshold = p->layer->threshold;
    const float scale = p->layer->scale;
    for (size_t first = begin; first < end; first += DRAWN) {
        uint32_t numbers[DRAWN];
        const size_t count = end - first < DRAWN ? end - first : DRAWN;
        thaw_random_fill(p->random, first, count, numbers);
        for (size_t i = 0; i < count; i++) {
            const bool kept = numbers[i] >= threshold;
            p->mask[first + i] = kept;
            p->destination[first + i] = kept ? p->source[first + i] * scale : 0;
        }
    }
}

static void apply(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const float scale = p->layer->scale;
    for (size_t i = begin; i < end; i++)
        p->destination[i] = p->mask[i] ? p->source[i] * scale : 0;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const dropout *d = run->state;
    pass p = { d, &run->random, run->inputs[0], run->output, run->workspace };
    thaw_parallel_for(run->context, d->count, GRAIN, draw, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const dropout *d = run->state;
    pass p = { d, NULL, run->output_gradient, run->input_gradients[0], run->workspace };
    if (p.destination)
        thaw_parallel_for(run->context, d->count, GRAIN, apply, &p);
    return THAW_OK;
}

static void release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}

static const thaw_layer_module module = {
    .name = "dropout",
    .options_size = sizeof(thaw_dropout_options),
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_dropout(thaw_model *model, thaw_node input, const thaw_dropout_options *options, thaw_node *output)
{
    const thaw_dropout_options chosen = options ? *options : (thaw_dropout_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
