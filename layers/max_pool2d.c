/* Max-pooling of [H, W, C]. */
#include "layers/pool2d.h"

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_pool2d_options *o = options;
    if (o->exclude_padding)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "exclude_padding is for average-pooling");
    return thaw_pool_build(builder, o);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    thaw_pool *pool = thaw_allocate(demand->context, sizeof *pool);
    if (!pool)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status =
        thaw_pool_create(demand, thaw_pool_window(demand->options), THAW_POOLING_MAX, pool, needs);
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
    thaw_pool_release(context, state);
    thaw_release(context, state);
}

static const thaw_layer_module module = {
    .name = "max_pool2d",
    .options_size = sizeof(thaw_pool2d_options),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_max_pool2d(thaw_model *model, thaw_node input, const thaw_pool2d_options *options, thaw_node *output)
{
    const thaw_pool2d_options chosen = options ? *options : (thaw_pool2d_options){ 0 };
    return thaw_model_append(model, &module, chosen.name, &input, 1, &chosen, output);
}
