/* A tensor that never trains, as a node of the graph. */
#include <math.h>
#include <string.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* The fewest floats that a thread copies. */
enum { GRAIN = 16384 };

typedef struct constant {
    const float *values;
    size_t batch, count;
} constant;

static thaw_status check_options(thaw_layer_builder *builder, const thaw_constant_options *o)
{
    if (!o->values || !thaw_shape_usable(&o->shape, 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "a constant must have values, and a shape whose dimensions are at least 1");
    const size_t count = thaw_shape_count(&o->shape);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(o->values[i]))
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "value %zu is %g, must be finite", i,
                                     (double)o->values[i]);
    return THAW_OK;
}

static thaw_status adopt_options(thaw_layer_builder *builder, void *options)
{
    thaw_constant_options *o = options;
    const thaw_status status = check_options(builder, o);
    if (status != THAW_OK)
        return status;
    const size_t bytes = thaw_shape_count(&o->shape) * sizeof(float);
    float *copy = thaw_allocate(thaw_builder_context(builder), bytes);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    o->values = memcpy(copy, o->values, bytes);
    return THAW_OK;
}

static void release_options(thaw_context *context, void *options)
{
    const thaw_constant_options *o = options;
    thaw_release(context, (void *)(uintptr_t)o->values);
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_constant_options *o = options;
    return thaw_builder_output(builder, &o->shape);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_constant_options *o = demand->options;
    constant *c = thaw_allocate(demand->context, sizeof *c);
    if (!c)
        return THAW_OUT_OF_MEMORY;
    c->values = o->values;
    c->batch = (size_t)demand->batch;
    c->count = thaw_shape_count(&o->shape);
    needs->state = c;
    return THAW_OK;
}

typedef struct repetition {
    const constant *layer;
    float *rows;
} repetition;

static void repeat_rows(void *argument, size_t begin, size_t end)
{
    const repetition *r = argument;
    const size_t count = r->layer->count;
    for (size_t i = begin; i < end; i++)
        memcpy(r->rows + i * count, r->layer->values, count * sizeof(float));
}

static thaw_status pack(const thaw_layer_run *run)
{
    const constant *c = run->state;
    repetition r = { c, run->output };
    thaw_parallel_for(run->context, c->batch, c->count < GRAIN ? GRAIN / c->count : 1, repeat_rows, &r);
    return THAW_OK;
}

/* The same for every sample of the batch. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_constant_options *o = layer->options;
    const thaw_onnx_attribute axis = { .name = "axis", .integer = 0 };
    thaw_onnx_value *shape = thaw_onnx_integers(layer, o->shape.dims, (size_t)o->shape.rank);
    shape = thaw_onnx_apply(layer, "Concat", thaw_onnx_batch(layer), shape, &axis);
    thaw_onnx_value *values = thaw_onnx_floats(layer, &o->shape, o->values);
    return thaw_onnx_output(layer, thaw_onnx_apply(layer, "Expand", values, shape, NULL), THAW_CHANNELS_LAST);
}

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "constant",
    .options_size = sizeof(thaw_constant_options),
    .source = true,
    .adopt_options = adopt_options,
    .release_options = release_options,
    .build = build,
    .prepare = prepare,
    .pack = pack,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_constant(thaw_model *model, const thaw_constant_options *options, thaw_node *output)
{
    return thaw_model_append(model, &module, options->name, NULL, 0, options, output);
}
