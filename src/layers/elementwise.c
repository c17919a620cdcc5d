#include "layers/elementwise.h"

typedef struct elementwise {
    thaw_kernel *forward, *backward;
    bool from_output;
} elementwise;

thaw_status thaw_elementwise_build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return thaw_builder_output(builder, input);
}

void thaw_elementwise_release(thaw_context *context, void *state)
{
    elementwise *e = state;
    thaw_kernel_release(context, e->forward);
    thaw_kernel_release(context, e->backward);
    thaw_release(context, e);
}

static size_t larger(size_t left, size_t right)
{
    return left > right ? left : right;
}

thaw_status thaw_elementwise_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs, thaw_activation function,
                                     double slope)
{
    elementwise *e = thaw_allocate(demand->context, sizeof *e);
    if (!e)
        return THAW_OUT_OF_MEMORY;
    const thaw_eltwise problem = { .count = (size_t)demand->batch * thaw_shape_count(&demand->output),
                                   .function = function,
                                   .slope = slope,
                                   .precision = demand->precision };
    e->from_output = thaw_eltwise_backward_from_output(&problem);
    thaw_status status = thaw_eltwise_forward(demand->context, &problem, demand->training, &e->forward);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_eltwise_backward(demand->context, &problem, &e->backward);
    if (status != THAW_OK) {
        thaw_elementwise_release(demand->context, e);
        return status;
    }
    needs->state = e;
    needs->scratch_bytes = larger(thaw_kernel_scratch_bytes(e->forward), thaw_kernel_scratch_bytes(e->backward));
    needs->keeps_output = e->backward && e->from_output;
    needs->keeps_inputs = e->backward && !e->from_output;
    needs->in_place = !needs->keeps_inputs;
    needs->gradient_in_place = true;
    needs->kernel = thaw_kernel_name(e->forward);
    return THAW_OK;
}

thaw_status thaw_elementwise_forward(const thaw_layer_run *run)
{
    const elementwise *e = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(e->forward, bindings, THAW_COUNT(bindings), run->scratch);
}

thaw_status thaw_elementwise_backward(const thaw_layer_run *run)
{
    const elementwise *e = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, run->output },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
    };
    return thaw_kernel_run(e->backward, bindings, THAW_COUNT(bindings), run->scratch);
}

thaw_status thaw_elementwise_append(thaw_model *model, const thaw_layer_module *module, thaw_node input,
                                    const thaw_simple_options *options, thaw_node *output)
{
    const thaw_simple_options chosen = options ? *options : (thaw_simple_options){ 0 };
    return thaw_model_append(model, module, chosen.name, &input, 1, &chosen, output);
}
