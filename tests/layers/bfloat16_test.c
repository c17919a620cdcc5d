/* Layers in bfloat16 give what they give in floats on the same rounded numbers, which their own tests compare with
   definitions, rounded once. */
#include <string.h>

#include "support/layer.h"

typedef struct kind {
    const char *name;
    thaw_status (*append)(thaw_model *model, thaw_node *node); /* over node 0, an image or a sequence */
    double roundings;                                          /* of the result: 0 where nothing is computed */
    bool sequence;
} kind;

static thaw_status append_add(thaw_model *model, thaw_node *node)
{
    return thaw_add(model, 0, 0, NULL, node);
}

static thaw_status append_subtract(thaw_model *model, thaw_node *node)
{
    return thaw_subtract(model, 0, 0, NULL, node);
}

static thaw_status append_multiply(thaw_model *model, thaw_node *node)
{
    return thaw_multiply(model, 0, 0, NULL, node);
}

static thaw_status append_average(thaw_model *model, thaw_node *node)
{
    const thaw_pool2d_options options = { .kernel = { 3, 2 }, .stride = { 2, 2 }, .padding = { 1, 0 } };
    return thaw_average_pool2d(model, 0, &options, node);
}

static thaw_status append_global_average(thaw_model *model, thaw_node *node)
{
    return thaw_global_average_pool2d(model, 0, NULL, node);
}

static thaw_status append_flatten(thaw_model *model, thaw_node *node)
{
    return thaw_flatten(model, 0, NULL, node);
}

static thaw_status append_concatenate(thaw_model *model, thaw_node *node)
{
    return thaw_concatenate(model, (const thaw_node[]){ 0, 0, 0 }, 3, &(thaw_concatenate_options){ .axis = 1 }, node);
}

static thaw_status append_dropout(thaw_model *model, thaw_node *node)
{
    return thaw_dropout(model, 0, &(thaw_dropout_options){ .rate = 0.3 }, node);
}

static thaw_status append_slice(thaw_model *model, thaw_node *node)
{
    return thaw_slice(model, 0, &(thaw_slice_options){ .axis = 1, .begin = 2, .count = 5 }, node);
}

static thaw_status append_layer_scale(thaw_model *model, thaw_node *node)
{
    return thaw_layer_scale(model, 0, NULL, node);
}

static thaw_status append_stochastic_depth(thaw_model *model, thaw_node *node)
{
    return thaw_stochastic_depth(model, 0, &(thaw_stochastic_depth_options){ .rate = 0.3 }, node);
}

static thaw_status append_prepend_tokens(thaw_model *model, thaw_node *node)
{
    return thaw_prepend_tokens(model, 0, &(thaw_prepend_tokens_options){ .tokens = 3 }, node);
}

static thaw_status append_positions(thaw_model *model, thaw_node *node)
{
    return thaw_positions(model, 0, NULL, node);
}

static const kind kinds[] = {
    { "add", append_add, 1, false },
    { "subtract", append_subtract, 1, false },
    { "multiply", append_multiply, 1, false },
    { "average_pool2d", append_average, 2, false }, /* gradients are added up in bfloat16 where windows overlap */
    { "global_average_pool2d", append_global_average, 1, false },
    { "flatten", append_flatten, 0, false },
    { "concatenate", append_concatenate, 0, false },
    { "dropout", append_dropout, 1, false },
    { "slice", append_slice, 0, false },
    { "layer_scale", append_layer_scale, 1, false },
    { "stochastic_depth", append_stochastic_depth, 1, false },
    { "prepend_tokens", append_prepend_tokens, 1, true },
    { "positions", append_positions, 1, true },
};

static layer run(thaw_context *context, const kind *k, bool bfloat16, bool training, thaw_model **model)
{
    thaw_node node;
    *model = k->sequence ? layer_model(context, 2, (const int64_t[]){ 9, 70 })
                         : layer_model(context, 3, (const int64_t[]){ 9, 8, 17 });
    assert_ok(context, k->append(*model, &node));
    layer_wish wish = { .batch = 3, .bfloat16 = bfloat16, .training = training, .input_gradients = training };
    wish.parameter_gradient[0] = training && thaw_model_parameter_count(*model);
    layer l = layer_open(*model, &wish);
    cr_assert_neq((int)l.module->capabilities->bfloat16, THAW_BFLOAT16_NEVER);
    return l;
}

/* Lets the layer in floats begin with what the other one has rounded. */
static void take_numbers(layer *floats, const layer *rounded)
{
    for (size_t k = 0; k < floats->input_count; k++)
        memcpy(floats->inputs[k], rounded->inputs[k], floats->input_size[k] * sizeof(float));
    for (size_t k = 0; k < floats->parameter_count; k++)
        memcpy(floats->parameters[k], rounded->parameters[k], floats->parameter_size[k] * sizeof(float));
    if (floats->output_gradient)
        memcpy(floats->output_gradient, rounded->output_gradient, floats->output_size * sizeof(float));
}

static void check(thaw_context *context, const kind *k, bool training)
{
    thaw_model *models[2];
    layer floats = run(context, k, false, training, &models[0]), bf16 = run(context, k, true, training, &models[1]);
    const double tolerance = k->roundings * BFLOAT16_TOLERANCE;
    take_numbers(&floats, &bf16);
    if (!floats.needs.identity) {
        layer_forward(&floats);
        layer_forward(&bf16);
        assert_close(bf16.output, floats.output, floats.output_size, tolerance, k->name);
    }
    if (training) {
        layer_backward(&floats);
        layer_backward(&bf16);
    }
    for (size_t i = 0; training && i < floats.input_count; i++)
        assert_close(bf16.input_gradients[i], floats.input_gradients[i], floats.input_size[i], tolerance, k->name);
    for (size_t i = 0; training && i < floats.parameter_count; i++)
        assert_close(bf16.parameter_gradients[i], floats.parameter_gradients[i], floats.parameter_size[i], 1e-5,
                     k->name);
    layer_close(&floats, models[0]);
    layer_close(&bf16, models[1]);
}

Test(bfloat16, gives_what_floats_give_but_for_rounding)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(kinds); i++)
        for (int training = 0; training < 2; training++)
            check(context, &kinds[i], training);
    thaw_context_destroy(context);
}
