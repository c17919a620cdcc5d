/* Resizes images as PyTorch's interpolate does: nearest and bilinear. Positions are computed in floats, as there. */
#include <math.h>
#include <string.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* The fewest floats of a thread. */
enum { GRAIN = 4096 };

/* How an output row or column is mixed: (1 - weight) times one input row or column, plus weight times another. */
typedef struct mix {
    size_t low, high;
    float weight;
} mix;

/* One dimension: how each output is mixed, and the outputs that each input takes part in. */
typedef struct axis {
    size_t input, output;
    mix *mixes;           /* of the outputs */
    size_t *first, *past; /* of the inputs */
} axis;

typedef struct upsample {
    size_t batch, channels;
    axis rows, columns;
} upsample;

/* ---- building ---- */

static thaw_status check_options(thaw_layer_builder *builder, const thaw_upsample2d_options *o)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 3)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, must be [height, width, channels]",
                                 thaw_shape_format(input, text, sizeof text));
    if (o->mode != THAW_UPSAMPLE_NEAREST && o->mode != THAW_UPSAMPLE_BILINEAR)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "mode is %d, must be THAW_UPSAMPLE_NEAREST or THAW_UPSAMPLE_BILINEAR", (int)o->mode);
    if (o->align_corners && o->mode == THAW_UPSAMPLE_NEAREST)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "align_corners is set, must be unset for THAW_UPSAMPLE_NEAREST");
    const bool scaled = o->scale[0] || o->scale[1], sized = o->size[0] || o->size[1];
    const int64_t *wanted = scaled ? o->scale : o->size;
    if (scaled == sized || wanted[0] < 1 || wanted[1] < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "either scale or size must be set, with a height and a width of at least 1");
    return THAW_OK;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_upsample2d_options *o = options;
    thaw_status status = check_options(builder, o);
    if (status != THAW_OK)
        return status;
    thaw_shape output = *thaw_builder_input(builder, 0);
    for (int i = 0; i < 2; i++) {
        if (o->size[i])
            output.dims[i] = o->size[i];
        else if (__builtin_mul_overflow(output.dims[i], o->scale[i], &output.dims[i]))
            output.dims[i] = 0; /* refused as a size */
    }
    status = thaw_builder_output(builder, &output);
    if (status == THAW_OK)
        thaw_builder_flops(builder, (o->mode == THAW_UPSAMPLE_BILINEAR ? 7 : 1) * (double)thaw_shape_count(&output));
    return status;
}

/* ---- preparing ---- */

static mix nearest(size_t at, size_t input, size_t output)
{
    const size_t found = (size_t)((float)at * ((float)input / (float)output));
    const size_t place = found < input ? found : input - 1;
    return (mix){ .low = place, .high = place };
}

static mix between(size_t at, size_t input, size_t output, bool align_corners)
{
    float place;
    if (align_corners) {
        place = output > 1 ? (float)at * ((float)(input - 1) / (float)(output - 1)) : 0;
    } else {
        place = ((float)at + 0.5F) * ((float)input / (float)output) - 0.5F;
        place = place > 0 ? place : 0;
    }
    const size_t low = (size_t)place < input ? (size_t)place : input - 1;
    const float weight = place - (float)low;
    return (mix){ .low = low, .high = low + 1 < input ? low + 1 : low, .weight = weight < 1 ? weight : 1 };
}

static void release_axis(thaw_context *context, axis *a)
{
    thaw_release(context, a->mixes);
    thaw_release(context, a->first);
    thaw_release(context, a->past);
}

/* Release the axis afterwards, even on failure. */
static thaw_status fill_axis(thaw_context *context, const thaw_upsample2d_options *o, int64_t input, int64_t output,
                             axis *a)
{
    a->input = (size_t)input;
    a->output = (size_t)output;
    a->mixes = thaw_allocate(context, a->output * sizeof *a->mixes);
    a->first = thaw_allocate(context, a->input * sizeof *a->first);
    a->past = thaw_allocate(context, a->input * sizeof *a->past);
    if (!a->mixes || !a->first || !a->past)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = a->output; i-- > 0;) {
        a->mixes[i] = o->mode == THAW_UPSAMPLE_NEAREST ? nearest(i, a->input, a->output)
                                                       : between(i, a->input, a->output, o->align_corners);
        const size_t ends[] = { a->mixes[i].low, a->mixes[i].high };
        for (int k = 0; k < 2; k++) {
            a->first[ends[k]] = i;
            if (a->past[ends[k]] == 0)
                a->past[ends[k]] = i + 1;
        }
    }
    return THAW_OK;
}

static void release(thaw_context *context, void *state)
{
    upsample *u = state;
    release_axis(context, &u->rows);
    release_axis(context, &u->columns);
    thaw_release(context, u);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_upsample2d_options *o = demand->options;
    const thaw_shape *input = &demand->inputs[0], *output = &demand->output;
    upsample *u = thaw_allocate(demand->context, sizeof *u);
    if (!u)
        return THAW_OUT_OF_MEMORY;
    u->batch = (size_t)demand->batch;
    u->channels = (size_t)input->dims[2];
    thaw_status status = fill_axis(demand->context, o, input->dims[0], output->dims[0], &u->rows);
    if (status == THAW_OK)
        status = fill_axis(demand->context, o, input->dims[1], output->dims[1], &u->columns);
    if (status != THAW_OK) {
        release(demand->context, u);
        return status;
    }
    needs->state = u;
    needs->kernel = o->mode == THAW_UPSAMPLE_NEAREST ? "nearest" : "bilinear";
    return THAW_OK;
}

/* ---- running ---- */

typedef struct pass {
    const upsample *layer;
    const float *input, *output_gradient;
    float *output, *input_gradient;
} pass;

/* One place of the output: a mix of four places of the input, or a copy of one. */
static void mix_place(const float *top, const float *bottom, float down, const mix *column, size_t channels, float *to)
{
    const float *a = top + column->low * channels, *b = top + column->high * channels;
    const float *c = bottom + column->low * channels, *d = bottom + column->high * channels;
    const float right = column->weight;
    if (down == 0 && right == 0) {
        memcpy(to, a, channels * sizeof *to);
        return;
    }
    for (size_t i = 0; i < channels; i++)
        to[i] = (1 - down) * ((1 - right) * a[i] + right * b[i]) + down * ((1 - right) * c[i] + right * d[i]);
}

static void compute_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const upsample *u = p->layer;
    const size_t width = u->columns.input * u->channels;
    for (size_t row = begin; row < end; row++) {
        const float *image = p->input + row / u->rows.output * u->rows.input * width;
        const mix *m = &u->rows.mixes[row % u->rows.output];
        float *to = p->output + row * u->columns.output * u->channels;
        for (size_t x = 0; x < u->columns.output; x++, to += u->channels)
            mix_place(image + m->low * width, image + m->high * width, m->weight, &u->columns.mixes[x], u->channels,
                      to);
    }
}

static void add_scaled(float *restrict sum, const float *restrict term, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += factor * term[i];
}

/* Adds a row of the output's gradient, times a weight, to a row of the input's gradient. */
static void spread_row(const upsample *u, const float *from, float weight, float *to)
{
    for (size_t x = 0; x < u->columns.output; x++, from += u->channels) {
        const mix *m = &u->columns.mixes[x];
        add_scaled(to + m->low * u->channels, from, weight * (1 - m->weight), u->channels);
        if (m->weight != 0)
            add_scaled(to + m->high * u->channels, from, weight * m->weight, u->channels);
    }
}

/* Computes rows of the input's gradient. Each is summed by one thread, in the order of the outputs that it took part
   in. */
static void gather_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const upsample *u = p->layer;
    const size_t width = u->columns.output * u->channels;
    for (size_t row = begin; row < end; row++) {
        const float *image = p->output_gradient + row / u->rows.input * u->rows.output * width;
        const size_t own = row % u->rows.input;
        float *to = p->input_gradient + row * u->columns.input * u->channels;
        memset(to, 0, u->columns.input * u->channels * sizeof *to);
        for (size_t y = u->rows.first[own]; y < u->rows.past[own]; y++) {
            const mix *m = &u->rows.mixes[y];
            const float weight = (m->low == own ? 1 - m->weight : 0) + (m->high == own ? m->weight : 0);
            spread_row(u, image + y * width, weight, to);
        }
    }
}

static size_t grain_of(const upsample *u)
{
    const size_t row = u->columns.output * u->channels;
    return row < GRAIN ? GRAIN / row : 1;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const upsample *u = run->state;
    pass p = { .layer = u, .input = run->inputs[0], .output = run->output };
    thaw_parallel_for(run->context, u->batch * u->rows.output, grain_of(u), compute_rows, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const upsample *u = run->state;
    pass p = { .layer = u, .output_gradient = run->output_gradient, .input_gradient = run->input_gradients[0] };
    if (p.input_gradient)
        thaw_parallel_for(run->context, u->batch * u->rows.input, grain_of(u), gather_rows, &p);
    return THAW_OK;
}

/* The input's row or column of each output is a list: operators round in ways of their own. */
static thaw_onnx_value *pick(const thaw_layer_export *layer, thaw_onnx_value *x, int dimension)
{
    const size_t input = (size_t)layer->inputs[0].dims[dimension], output = (size_t)layer->output.dims[dimension];
    int64_t *list = thaw_onnx_allocate(layer, output * sizeof *list);
    for (size_t i = 0; list && i < output; i++)
        list[i] = (int64_t)nearest(i, input, output).low;
    return thaw_onnx_apply(layer, "Gather", x, thaw_onnx_integers(layer, list, output),
                           &(thaw_onnx_attribute){ .name = "axis", .integer = dimension + 2 });
}

static thaw_onnx_value *resize(const thaw_layer_export *layer, thaw_onnx_value *x, bool align_corners)
{
    const int64_t rest[] = { layer->output.dims[2], layer->output.dims[0], layer->output.dims[1] };
    const char *corners = align_corners ? "align_corners" : "half_pixel";
    const thaw_onnx_operator operation = {
        .kind = "Resize",
        .inputs = { x, NULL, NULL,
                    thaw_onnx_apply(layer, "Concat", thaw_onnx_batch(layer), thaw_onnx_integers(layer, rest, 3),
                                    &(thaw_onnx_attribute){ .name = "axis", .integer = 0 }) },
        .attributes = { { .name = "mode", .kind = THAW_ONNX_TEXT, .text = "linear" },
                        { .name = "coordinate_transformation_mode", .kind = THAW_ONNX_TEXT, .text = corners } },
    };
    return thaw_onnx_append(layer, &operation);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_upsample2d_options *o = layer->options;
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    x = o->mode == THAW_UPSAMPLE_NEAREST ? pick(layer, pick(layer, x, 0), 1) : resize(layer, x, o->align_corners);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_FIRST);
}

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD, .name = "upsample2d", .options_size = sizeof(thaw_upsample2d_options),
    .build = build,         .prepare = prepare,   .forward = forward,
    .backward = backward,   .release = release,   .export_onnx = export_onnx,
};

thaw_status thaw_upsample2d(thaw_model *model, thaw_node input, const thaw_upsample2d_options *options,
                            thaw_node *output)
{
    const thaw_upsample2d_options settings = options ? *options : (thaw_upsample2d_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
