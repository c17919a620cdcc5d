/* Other dimensions for the same elements. */
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* Replaces the dimension -1 by what the others leave of `count` elements. False: it is no shape of so many. */
static bool complete(thaw_shape *shape, size_t count)
{
    size_t known = 1;
    int open = -1;
    if (shape->rank < 0 || shape->rank > THAW_MAX_RANK)
        return false;
    for (int i = 0; i < shape->rank; i++) {
        const int64_t size = shape->dims[i];
        if (size == -1 && open < 0)
            open = i;
        else if (size < 1 || __builtin_mul_overflow(known, (size_t)size, &known))
            return false;
    }
    if (open >= 0 && count % known == 0)
        shape->dims[open] = (int64_t)(count / known);
    return open >= 0 ? count % known == 0 : count == known;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_reshape_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    thaw_shape result = o->shape;
    char texts[2][80];
    if (!complete(&result, thaw_shape_count(input)))
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "shape is %s, must have the %zu elements of the input's shape %s and at most one -1",
                                 result.rank < 0 || result.rank > THAW_MAX_RANK
                                     ? "of a wrong rank"
                                     : thaw_shape_format(&o->shape, texts[0], sizeof texts[0]),
                                 thaw_shape_count(input), thaw_shape_format(input, texts[1], sizeof texts[1]));
    return thaw_builder_output(builder, &result);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    (void)demand;
    needs->identity = true;
    return THAW_OK;
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    int64_t dims[THAW_MAX_RANK + 1] = { 0 }; /* 0: the batch */
    for (int i = 0; i < layer->output.rank; i++)
        dims[i + 1] = layer->output.dims[i];
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    thaw_onnx_value *shape = thaw_onnx_integers(layer, dims, (size_t)layer->output.rank + 1);
    return thaw_onnx_output(layer, thaw_onnx_apply(layer, "Reshape", x, shape, NULL), THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "reshape",
    .options_size = sizeof(thaw_reshape_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_reshape(thaw_model *model, thaw_node input, const thaw_reshape_options *options, thaw_node *output)
{
    const thaw_reshape_options settings = options ? *options : (thaw_reshape_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
