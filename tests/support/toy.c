#include "support/toy.h"

thaw_status toy_build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *shape = thaw_builder_input(builder, 0);
    for (size_t i = 1; i < thaw_builder_input_count(builder); i++)
        if (!thaw_shape_equal(shape, thaw_builder_input(builder, i)))
            return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "its inputs differ in shape");
    thaw_builder_flops(builder, (double)thaw_shape_count(shape));
    return thaw_builder_output(builder, shape);
}

thaw_status toy_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    toy *made = thaw_allocate(demand->context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->batch = (double)demand->batch;
    made->count = (size_t)demand->batch * thaw_shape_count(demand->input_count ? &demand->inputs[0] : &demand->output);
    made->centers = demand->parameter_count > 1;
    made->rectifies = demand->capabilities->epilogue.activation == THAW_ACTIVATION_RELU;
    needs->state = made;
    needs->kernel = "toy";
    return THAW_OK;
}

void toy_release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}
