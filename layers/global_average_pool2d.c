/* The mean over height and width: [H, W, C] to [C]. */
#include "layers/pool2d.h"

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 3)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "the input has shape %s, wanted [height, width, channels]",
                                 thaw_shape_format(input, text, sizeof text));
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return thaw_builder_output(builder, &(thaw_shape){ 1, { input->dims[2] } });
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const int64_t *input = demand->inputs[0].dims;
    needs->identity = input[0] * input[1] == 1;
    if (needs->identity)
        return THAW_OK;
    thaw_pool *pool = thaw_allocate(demand->context, sizeof *pool);
    if (!pool)
        return THAW_OUT_OF_MEMORY;
    const thaw_window window = { .kernel = { input[0], input[1] }, .stride = { 1, 1 }, .dilation = { 1, 1 } };
    const thaw_status status = thaw_pool_create(demand, window, THAW_POOLING_AVERAGE, pool, needs);
    if (status == THAW_OK)
        needs->state = pool;
    else
        thaw_release(demand->context, pool);
    return status;
}

static thaw_status forward(const thaw_layer_run *run)
{
    return thaw_pool_forward(run->state, run);
}

static thaw_status backward(const thaw_layer_run *run)
{
    return thaw_pool_backward(run->state, run, run->output_gradient, run->scratch);
}

static void release(thaw_context *context, void *state)
{
    if (state)
        thaw_pool_release(context, state);
    thaw_release(context, state);
}

static const thaw_layer_module module = {
    .name = "global_average_pool2d",
    .options_size = sizeof(thaw_simple_options),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_global_average_pool2d(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                       thaw_node *output)
{
    const thaw_simple_options chosen = options ? *options : (thaw_simple_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
