/* Rotary positions: rotates pairs of features of queries and keys by an angle that grows with the position. Su et al.
   2021, arXiv 2104.09864. */
#include <math.h>
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"

/* Most features of a head, and the fewest elements of a thread. */
enum { MOST_SIZE = 1024, GRAIN = 1 << 14 };

typedef struct rotary {
    size_t steps, rows, width; /* rows over the batch, of `width` features */
    size_t heads, size, pairs; /* what is rotated: `pairs` of each head of `size` features */
    bool interleaved;
    thaw_dtype precision;
    float turns[]; /* of each step: the cosines, then the sines, of its pairs */
} rotary;

static int64_t rotated_of(const thaw_rotary_options *o)
{
    return o->rotated ? o->rotated : o->head_size;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_rotary_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 2)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, must be a sequence [steps, features]",
                                 thaw_shape_format(input, text, sizeof text));
    if (o->head_size < 2 || o->head_size > MOST_SIZE || o->heads < 1 || o->heads > input->dims[1] / o->head_size)
        return thaw_builder_fail(
            builder, THAW_INVALID_ARGUMENT,
            "heads is %lld and head_size %lld, must be within the %lld features, a head of 2 to %d",
            (long long)o->heads, (long long)o->head_size, (long long)input->dims[1], MOST_SIZE);
    if (rotated_of(o) < 2 || rotated_of(o) > o->head_size || rotated_of(o) % 2)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "%lld features of a head of %lld are rotated, must be an even number of them",
                                 (long long)rotated_of(o), (long long)o->head_size);
    if (o->base != 0 && !(o->base > 0 && isfinite(o->base)))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "base is %g, must be finite and above 0", o->base);
    thaw_builder_flops(builder, 3 * (double)(input->dims[0] * o->heads * rotated_of(o)));
    return thaw_builder_output(builder, input);
}

/* Pair i of step t turns by t * base^(-2 i / rotated). */
static void fill_turns(rotary *r, double base)
{
    for (size_t t = 0; t < r->steps; t++) {
        float *cosines = r->turns + 2 * t * r->pairs, *sines = cosines + r->pairs;
        for (size_t i = 0; i < r->pairs; i++) {
            const double angle = (double)t * pow(base, -(double)i / (double)r->pairs);
            cosines[i] = (float)cos(angle);
            sines[i] = (float)sin(angle);
        }
    }
}

static size_t bytes_of(const thaw_rotary_options *o, const thaw_shape *sample)
{
    return sizeof(rotary) + (size_t)sample->dims[0] * (size_t)rotated_of(o) * sizeof(float);
}

/* All but what depends on the batch. */
static void describe(rotary *r, const thaw_rotary_options *o, const thaw_shape *sample)
{
    r->steps = (size_t)sample->dims[0];
    r->width = (size_t)sample->dims[1];
    r->heads = (size_t)o->heads;
    r->size = (size_t)o->head_size;
    r->pairs = (size_t)rotated_of(o) / 2;
    r->interleaved = o->interleaved;
    fill_turns(r, o->base > 0 ? o->base : 10000);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_rotary_options *o = demand->options;
    rotary *r = thaw_allocate(demand->context, bytes_of(o, &demand->output));
    if (!r)
        return THAW_OUT_OF_MEMORY;
    describe(r, o, &demand->output);
    r->rows = (size_t)demand->batch * r->steps;
    r->precision = demand->capabilities->precision;
    needs->state = r;
    needs->in_place = needs->gradient_in_place = true;
    needs->kernel = "rotation";
    return THAW_OK;
}

/* The data of one call. */
typedef struct pass {
    const rotary *layer;
    float direction; /* 1, or backward -1 */
    const void *from;
    void *into; /* may be `from` */
} pass;

static void load(const rotary *r, const void *from, size_t first, size_t count, float *values)
{
    if (r->precision == THAW_F32)
        memcpy(values, (const float *)from + first, count * sizeof *values);
    for (size_t i = 0; r->precision != THAW_F32 && i < count; i++)
        values[i] = thaw_bfloat16_widen(((const thaw_bfloat16 *)from)[first + i]);
}

static void store(const rotary *r, void *into, size_t first, size_t count, const float *values)
{
    if (r->precision == THAW_F32)
        memcpy((float *)into + first, values, count * sizeof *values);
    for (size_t i = 0; r->precision != THAW_F32 && i < count; i++)
        ((thaw_bfloat16 *)into)[first + i] = thaw_bfloat16_round(values[i]);
}

/* The two features of pair i are 2 i and 2 i + 1, or i and i + pairs. */
static void rotate(const pass *p, const float *restrict turns, const float *restrict from, float *restrict into)
{
    const rotary *r = p->layer;
    const size_t step = r->interleaved ? 2 : 1, apart = r->interleaved ? 1 : r->pairs;
    for (size_t i = 0; i < r->pairs; i++) {
        const float cosine = turns[i], sine = p->direction * turns[r->pairs + i];
        const float first = from[step * i], second = from[step * i + apart];
        into[step * i] = first * cosine - second * sine;
        into[step * i + apart] = second * cosine + first * sine;
    }
}

static void rotate_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const rotary *r = p->layer;
    const size_t bytes = thaw_dtype_bytes(r->precision), rotated = r->heads * r->size;
    float before[MOST_SIZE], after[MOST_SIZE];
    for (size_t row = begin; row < end; row++) {
        const float *turns = r->turns + 2 * (row % r->steps) * r->pairs;
        const size_t first = row * r->width;
        for (size_t head = 0; head < r->heads; head++) {
            load(r, p->from, first + head * r->size, r->size, before);
            memcpy(after, before, r->size * sizeof *after);
            rotate(p, turns, before, after);
            store(r, p->into, first + head * r->size, r->size, after);
        }
        if (p->into != p->from)
            memcpy((char *)p->into + (first + rotated) * bytes, (const char *)p->from + (first + rotated) * bytes,
                   (r->width - rotated) * bytes);
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const rotary *r = run->state;
    pass p = { r, 1, run->inputs[0], run->output };
    thaw_parallel_for(run->context, r->rows, GRAIN / r->width + 1, rotate_rows, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const rotary *r = run->state;
    pass p = { r, -1, run->output_gradient, run->input_gradients[0] };
    if (p.into)
        thaw_parallel_for(run->context, r->rows, GRAIN / r->width + 1, rotate_rows, &p);
    return THAW_OK;
}

/* ---- exporting ---- */

/* With these, y = x * same + x[partner] * other, element by element. */
typedef struct factors {
    float *same, *other; /* [steps, features] */
    int64_t *partner;    /* of each feature */
} factors;

static void fill_factors(const rotary *r, factors *f)
{
    for (size_t at = 0; at < r->steps * r->width; at++) {
        const size_t feature = at % r->width, place = feature % r->size, t = at / r->width;
        const float *turns = r->turns + 2 * t * r->pairs;
        const bool rotates = feature < r->heads * r->size && place < 2 * r->pairs;
        const bool second = r->interleaved ? place % 2 : place >= r->pairs;
        const size_t pair = r->interleaved ? place / 2 : place % r->pairs, apart = r->interleaved ? 1 : r->pairs;
        f->same[at] = rotates ? turns[pair] : 1;
        f->other[at] = !rotates ? 0 : second ? turns[r->pairs + pair] : -turns[r->pairs + pair];
        f->partner[feature] = (int64_t)(!rotates ? feature : second ? feature - apart : feature + apart);
    }
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_rotary_options *o = layer->options;
    const thaw_onnx_attribute axis = { .name = "axis", .integer = 2 };
    const size_t steps = (size_t)layer->output.dims[0], width = (size_t)layer->output.dims[1];
    rotary *r = thaw_onnx_allocate(layer, bytes_of(o, &layer->output));
    factors f = { thaw_onnx_allocate(layer, steps * width * sizeof(float)),
                  thaw_onnx_allocate(layer, steps * width * sizeof(float)),
                  thaw_onnx_allocate(layer, width * sizeof(int64_t)) };
    if (!r || !f.same || !f.other || !f.partner)
        return THAW_OUT_OF_MEMORY;
    describe(r, o, &layer->output);
    fill_factors(r, &f);
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    thaw_onnx_value *partners = thaw_onnx_apply(layer, "Gather", x, thaw_onnx_integers(layer, f.partner, width), &axis);
    x = thaw_onnx_apply(layer, "Mul", x, thaw_onnx_floats(layer, &layer->output, f.same), NULL);
    partners = thaw_onnx_apply(layer, "Mul", partners, thaw_onnx_floats(layer, &layer->output, f.other), NULL);
    return thaw_onnx_output(layer, thaw_onnx_apply(layer, "Add", x, partners, NULL), THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "rotary",
    .options_size = sizeof(thaw_rotary_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .recompute = forward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_rotary(thaw_model *model, thaw_node input, const thaw_rotary_options *options, thaw_node *output)
{
    const thaw_rotary_options settings = options ? *options : (thaw_rotary_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
