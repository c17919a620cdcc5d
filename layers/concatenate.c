/* Concatenates nodes along an axis. */
#include <inttypes.h>
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* The fewest bytes that a thread copies. */
enum { GRAIN = 65536 };

typedef struct concatenate {
    size_t rows;                    /* the product of the batch and the dimensions before the axis */
    size_t count, width;            /* inputs; bytes of a row of the output */
    size_t widths[THAW_MAX_INPUTS]; /* bytes of a row of each input */
} concatenate;

/* The axis, counted from the first dimension. */
static int axis_of(const thaw_concatenate_options *o, const thaw_shape *shape)
{
    return o->axis < 0 ? o->axis + shape->rank : o->axis;
}

static bool fit_together(const thaw_shape *first, const thaw_shape *other, int axis)
{
    if (first->rank != other->rank)
        return false;
    for (int i = 0; i < first->rank; i++)
        if (i != axis && first->dims[i] != other->dims[i])
            return false;
    return true;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_concatenate_options *o = options;
    const thaw_shape *first = thaw_builder_input(builder, 0);
    thaw_shape result = *first;
    char texts[2][80];
    if (thaw_builder_input_count(builder) < 2)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "has 1 input, must have 2 to %d", THAW_MAX_INPUTS);
    const int axis = axis_of(o, first);
    if (axis < 0 || axis >= first->rank)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "axis is %d for shape %s, must be from %d to %d",
                                 o->axis, thaw_shape_format(first, texts[0], sizeof texts[0]), -first->rank,
                                 first->rank - 1);
    for (size_t k = 1; k < thaw_builder_input_count(builder); k++) {
        const thaw_shape *other = thaw_builder_input(builder, k);
        if (!fit_together(first, other, axis))
            return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                     "inputs 0 and %zu have shapes %s and %s, which differ outside axis %d", k,
                                     thaw_shape_format(first, texts[0], sizeof texts[0]),
                                     thaw_shape_format(other, texts[1], sizeof texts[1]), axis);
        if (__builtin_add_overflow(result.dims[axis], other->dims[axis], &result.dims[axis]))
            return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the inputs together are too large");
    }
    return thaw_builder_output(builder, &result);
}

static size_t multiply_dims(const thaw_shape *shape, int first, int past)
{
    size_t product = 1;
    for (int i = first; i < past; i++)
        product *= (size_t)shape->dims[i];
    return product;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const int axis = axis_of(demand->options, &demand->output);
    concatenate *c = thaw_allocate(demand->context, sizeof *c);
    if (!c)
        return THAW_OUT_OF_MEMORY;
    c->rows = (size_t)demand->batch * multiply_dims(&demand->output, 0, axis);
    const size_t bytes = thaw_dtype_bytes(demand->capabilities->precision);
    c->width = bytes * multiply_dims(&demand->output, axis, demand->output.rank);
    c->count = demand->input_count;
    for (size_t k = 0; k < c->count; k++)
        c->widths[k] = bytes * multiply_dims(&demand->inputs[k], axis, demand->inputs[k].rank);
    needs->state = c;
    needs->kernel = "copy";
    return THAW_OK;
}

/* The data of one call. `parts` that are NULL are skipped. */
typedef struct pass {
    const concatenate *layer;
    const void *const *sources; /* forward */
    void *whole;
    void *const *parts; /* backward */
    const void *gradient;
} pass;

static void join_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const concatenate *c = p->layer;
    for (size_t row = begin; row < end; row++) {
        char *at = (char *)p->whole + row * c->width;
        for (size_t k = 0; k < c->count; at += c->widths[k++])
            memcpy(at, (const char *)p->sources[k] + row * c->widths[k], c->widths[k]);
    }
}

static void split_rows(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const concatenate *c = p->layer;
    for (size_t row = begin; row < end; row++) {
        const char *at = (const char *)p->gradient + row * c->width;
        for (size_t k = 0; k < c->count; at += c->widths[k++])
            if (p->parts[k])
                memcpy((char *)p->parts[k] + row * c->widths[k], at, c->widths[k]);
    }
}

static size_t grain_of(const concatenate *c)
{
    return c->width < GRAIN ? GRAIN / c->width : 1;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const concatenate *c = run->state;
    pass p = { .layer = c, .sources = run->inputs, .whole = run->output };
    thaw_parallel_for(run->context, c->rows, grain_of(c), join_rows, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const concatenate *c = run->state;
    pass p = { .layer = c, .parts = run->input_gradients, .gradient = run->output_gradient };
    thaw_parallel_for(run->context, c->rows, grain_of(c), split_rows, &p);
    return THAW_OK;
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const int rank = layer->output.rank, own = axis_of(layer->options, &layer->inputs[0]);
    const thaw_axis_order order = thaw_onnx_input_order(layer, 0);
    thaw_onnx_operator join = { .kind = "Concat" };
    for (size_t k = 0; k < layer->input_count; k++)
        join.inputs[k] = thaw_onnx_input(layer, k, order);
    const int after = own == rank - 1 ? 1 : own + 2;
    join.attributes[0] =
        (thaw_onnx_attribute){ .name = "axis", .integer = order == THAW_CHANNELS_FIRST ? after : own + 1 };
    return thaw_onnx_output(layer, thaw_onnx_append(layer, &join), order);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "concatenate",
    .options_size = sizeof(thaw_concatenate_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_concatenate(thaw_model *model, const thaw_node *inputs, size_t count,
                             const thaw_concatenate_options *options, thaw_node *output)
{
    const thaw_concatenate_options settings = options ? *options : (thaw_concatenate_options){ 0 };
    return thaw_model_append(model, &module, settings.name, inputs, count, &settings, output);
}
