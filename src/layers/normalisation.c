#include "layers/normalisation.h"

#include <math.h>

/* The initializer of weight or bias: `usual` by default. */
static thaw_initializer initializer_of(thaw_initializer wanted, thaw_initializer usual)
{
    return wanted == THAW_INITIAL_DEFAULT ? usual : wanted;
}

thaw_status thaw_normalisation_parameters(thaw_layer_builder *builder, const thaw_normalisation *wanted)
{
    if (!(wanted->epsilon >= 0 && isfinite(wanted->epsilon)))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "epsilon is %g, must be finite and not negative",
                                 wanted->epsilon);
    const thaw_parameter_specification weight = {
        .name = "weight",
        .role = THAW_SCALE,
        .shape = wanted->shape,
        .initializer = initializer_of(wanted->initializer, THAW_INITIAL_ONE),
    };
    const thaw_parameter_specification bias = {
        .name = "bias",
        .role = THAW_SHIFT,
        .shape = wanted->shape,
        .initializer = initializer_of(wanted->bias_initializer, THAW_INITIAL_ZERO),
    };
    thaw_status status = wanted->no_affine ? THAW_OK : thaw_builder_parameter(builder, &weight);
    if (status == THAW_OK && !wanted->no_affine && !wanted->no_bias)
        status = thaw_builder_parameter(builder, &bias);
    return status;
}

thaw_status thaw_normalisation_build(thaw_layer_builder *builder, const thaw_normalisation *wanted)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    const thaw_status status = thaw_normalisation_parameters(builder, wanted);
    thaw_builder_flops(builder, 8 * (double)thaw_shape_count(input));
    return status == THAW_OK ? thaw_builder_output(builder, input) : status;
}

double thaw_normalisation_epsilon(double wanted, bool zero_too)
{
    return wanted > 0 || zero_too ? wanted : 1e-5;
}
