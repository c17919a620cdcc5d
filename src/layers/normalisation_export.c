/* The normalisations as operators of ONNX, which always want a scale and mostly a shift. */
#include <thaw/layers.h>

#include "layers/normalisation.h"

enum { WEIGHT, BIAS };

/* An operator of x, a scale and a shift: the first `affine` parameters, or ones and zeros of this shape. Its first
   attribute is epsilon. */
static thaw_onnx_operator start(const thaw_layer_export *layer, const char *kind, thaw_onnx_value *x,
                                const thaw_shape *shape, size_t affine, double epsilon)
{
    return (thaw_onnx_operator){
        .kind = kind,
        .inputs = { x, affine > WEIGHT ? thaw_onnx_parameter(layer, WEIGHT) : thaw_onnx_fill(layer, shape, 1),
                    affine > BIAS ? thaw_onnx_parameter(layer, BIAS) : thaw_onnx_fill(layer, shape, 0) },
        .attributes = { { .name = "epsilon", .kind = THAW_ONNX_REAL, .real = epsilon } },
    };
}

thaw_status thaw_batch_norm_export(const thaw_layer_export *layer)
{
    const thaw_batch_norm_options *o = layer->options;
    const size_t affine = o->no_affine ? 0 : 2;
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    thaw_onnx_operator operation = start(layer, "BatchNormalization", x, &layer->parameters[affine], affine,
                                         thaw_normalisation_epsilon(o->epsilon, o->use_epsilon));
    operation.inputs[3] = thaw_onnx_parameter(layer, affine); /* the running mean, and the variance */
    operation.inputs[4] = thaw_onnx_parameter(layer, affine + 1);
    return thaw_onnx_output(layer, thaw_onnx_append(layer, &operation), THAW_CHANNELS_FIRST);
}

thaw_status thaw_layer_norm_export(const thaw_layer_export *layer)
{
    const thaw_layer_norm_options *o = layer->options;
    thaw_shape last = { .rank = o->dimensions ? o->dimensions : 1 };
    for (int i = 0; i < last.rank; i++)
        last.dims[i] = layer->output.dims[layer->output.rank - last.rank + i];
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    thaw_onnx_operator operation = start(layer, "LayerNormalization", x, &last, layer->parameter_count,
                                         thaw_normalisation_epsilon(o->epsilon, o->use_epsilon));
    operation.attributes[1] = (thaw_onnx_attribute){ .name = "axis", .integer = -last.rank };
    return thaw_onnx_output(layer, thaw_onnx_append(layer, &operation), THAW_CHANNELS_LAST);
}

/* A group is normalised as one channel. */
static thaw_onnx_value *normalise_groups(const thaw_layer_export *layer, const thaw_group_norm_options *o)
{
    const thaw_shape groups = { 1, { o->groups } }, *own = &layer->output;
    const int64_t joined[] = { 0, o->groups, -1 };
    int64_t whole[THAW_MAX_RANK + 1] = { 0, own->dims[own->rank - 1] };
    for (int i = 2; i <= own->rank; i++)
        whole[i] = own->dims[i - 2];
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_FIRST);
    thaw_onnx_value *shape = thaw_onnx_integers(layer, joined, THAW_COUNT(joined));
    x = thaw_onnx_apply(layer, "Reshape", x, shape, NULL);
    const thaw_onnx_operator operation =
        start(layer, "InstanceNormalization", x, &groups, 0, thaw_normalisation_epsilon(o->epsilon, o->use_epsilon));
    x = thaw_onnx_append(layer, &operation);
    shape = thaw_onnx_integers(layer, whole, (size_t)own->rank + 1);
    return thaw_onnx_apply(layer, "Reshape", x, shape, NULL);
}

/* A parameter, with dimensions of 1 for the places of a channel. */
static thaw_onnx_value *for_places(const thaw_layer_export *layer, size_t index)
{
    int64_t dims[THAW_MAX_RANK] = { layer->parameters[index].dims[0] };
    for (int i = 1; i < layer->output.rank; i++)
        dims[i] = 1;
    thaw_onnx_value *shape = thaw_onnx_integers(layer, dims, (size_t)layer->output.rank);
    return thaw_onnx_apply(layer, "Reshape", thaw_onnx_parameter(layer, index), shape, NULL);
}

thaw_status thaw_group_norm_export(const thaw_layer_export *layer)
{
    thaw_onnx_value *x = normalise_groups(layer, layer->options);
    if (layer->parameter_count > WEIGHT)
        x = thaw_onnx_apply(layer, "Mul", x, for_places(layer, WEIGHT), NULL);
    if (layer->parameter_count > BIAS)
        x = thaw_onnx_apply(layer, "Add", x, for_places(layer, BIAS), NULL);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_FIRST);
}
