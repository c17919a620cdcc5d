/* Layers in bfloat16 give what they give in floats on the same rounded numbers, which their own tests compare with
   definitions, rounded once. */
#include <string.h>

#include "support/layer.h"

typedef struct kind {
    const char *name;
    thaw_status (*append)(thaw_model *model, thaw_node *node); /* over node 0, an image */
    double roundings;                                          /* of the result: 0 where nothing is computed */
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

static const kind kinds[] = {
    { "add", append_add, 1 },
    { "subtract", append_subtract, 1 },
    { "multiply", append_multiply, 1 },
    { "average_pool2d", append_average, 2 }, /* gradients are added up in bfloat16 where windows overlap */
    { "global_average_pool2d", append_global_average, 1 },
    { "flatten", append_flatten, 0 },
    { "concatenate", append_concatenate, 0 },
    { "dropout", append_dropout, 1 },
};

static layer run(thaw_context *context, const kind *k, bool bfloat16, bool training, thaw_model **model)
{
    thaw_node node;
    *model = layer_model(context, 3, (const int64_t[]){ 9, 8, 17 });
    assert_ok(context, k->append(*model, &node));
    layer l =
        layer_open(*model, &(layer_wish){
                               .batch = 3, .bfloat16 = bfloat16, .training = training, .input_gradients = training });
    cr_assert_neq((int)l.module->capabilities->bfloat16, THAW_BFLOAT16_NEVER);
    return l;
}

/* Lets the layer in floats begin with what the other one has rounded. */
static void take_numbers(layer *floats, const layer *rounded)
{
    for (size_t k = 0; k < floats->input_count; k++)
        memcpy(floats->inputs[k], rounded->inputs[k], floats->input_size[k] * sizeof(float));
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
