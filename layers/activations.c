/* Activations: functions of single elements. The table at the end has one row for each. */
#include <math.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/kernel_pair.h"
#include "onednn/eltwise.h"

/* The options of a node. */
typedef struct choice {
    thaw_activation function;
    double slope; /* of RELU, for negative values */
} choice;

typedef struct activation {
    thaw_kernel_pair kernels;
    bool from_output;
} activation;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const choice *settings = options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (!isfinite(settings->slope))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "negative_slope is %g, must be finite",
                                 settings->slope);
    thaw_builder_flops(builder, (double)thaw_shape_count(input));
    return thaw_builder_output(builder, input);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const choice *settings = demand->options;
    activation *a = thaw_allocate(demand->context, sizeof *a);
    if (!a)
        return THAW_OUT_OF_MEMORY;
    const thaw_eltwise problem = { .count = (size_t)demand->batch * thaw_shape_count(&demand->output),
                                   .function = settings->function,
                                   .slope = settings->slope,
                                   .precision = demand->capabilities->precision };
    a->from_output = thaw_eltwise_backward_from_output(&problem);
    thaw_status status = thaw_eltwise_forward(demand->context, &problem, demand->training, &a->kernels.forward);
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_eltwise_backward(demand->context, &problem, &a->kernels.backward);
    if (status != THAW_OK) {
        thaw_kernel_pair_release_state(demand->context, a);
        return status;
    }
    needs->state = a;
    needs->scratch_bytes = thaw_kernel_pair_scratch_bytes(&a->kernels);
    needs->keeps_output = a->kernels.backward && a->from_output;
    needs->keeps_inputs = a->kernels.backward && !a->from_output;
    needs->in_place = !needs->keeps_inputs;
    needs->gradient_in_place = true;
    needs->kernel = thaw_kernel_name(a->kernels.forward);
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const activation *a = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(a->kernels.forward, bindings, THAW_COUNT(bindings), run->scratch);
}

static thaw_status backward(const thaw_layer_run *run)
{
    const activation *a = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, run->output },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
    };
    return thaw_kernel_run(a->kernels.backward, bindings, THAW_COUNT(bindings), run->scratch);
}

/* ---- exporting ---- */

static thaw_onnx_value *number(const thaw_layer_export *layer, double value)
{
    return thaw_onnx_fill(layer, &(thaw_shape){ 0 }, value);
}

/* x / 2 (1 + erf(x / sqrt 2)): opset 17 has no operator of it. */
static thaw_onnx_value *export_gelu(const thaw_layer_export *layer, thaw_onnx_value *x)
{
    thaw_onnx_value *share = thaw_onnx_apply(layer, "Mul", x, number(layer, sqrt(0.5)), NULL);
    share = thaw_onnx_apply(layer, "Erf", share, NULL, NULL);
    share = thaw_onnx_apply(layer, "Add", share, number(layer, 1), NULL);
    x = thaw_onnx_apply(layer, "Mul", x, number(layer, 0.5), NULL);
    return thaw_onnx_apply(layer, "Mul", x, share, NULL);
}

/* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
static thaw_onnx_value *export_gelu_tanh(const thaw_layer_export *layer, thaw_onnx_value *x)
{
    thaw_onnx_value *share = thaw_onnx_apply(layer, "Mul", x, x, NULL);
    share = thaw_onnx_apply(layer, "Mul", share, number(layer, 0.044715), NULL);
    share = thaw_onnx_apply(layer, "Add", share, number(layer, 1), NULL);
    share = thaw_onnx_apply(layer, "Mul", share, x, NULL);
    share = thaw_onnx_apply(layer, "Mul", share, number(layer, sqrt(2 / acos(-1))), NULL);
    share = thaw_onnx_apply(layer, "Tanh", share, NULL, NULL);
    share = thaw_onnx_apply(layer, "Add", share, number(layer, 1), NULL);
    x = thaw_onnx_apply(layer, "Mul", x, number(layer, 0.5), NULL);
    return thaw_onnx_apply(layer, "Mul", x, share, NULL);
}

static thaw_onnx_value *export_relu6(const thaw_layer_export *layer, thaw_onnx_value *x)
{
    thaw_onnx_value *least = number(layer, 0), *most = number(layer, 6);
    return thaw_onnx_append(layer, &(thaw_onnx_operator){ .kind = "Clip", .inputs = { x, least, most } });
}

static thaw_onnx_value *export_function(const thaw_layer_export *layer, thaw_onnx_value *x)
{
    const choice *settings = layer->options;
    const thaw_onnx_attribute alpha = { .name = "alpha", .kind = THAW_ONNX_REAL, .real = settings->slope };
    switch (settings->function) {
    case THAW_ACTIVATION_RELU:
        return settings->slope != 0 ? thaw_onnx_apply(layer, "LeakyRelu", x, NULL, &alpha)
                                    : thaw_onnx_apply(layer, "Relu", x, NULL, NULL);
    case THAW_ACTIVATION_RELU6:
        return export_relu6(layer, x);
    case THAW_ACTIVATION_SIGMOID:
        return thaw_onnx_apply(layer, "Sigmoid", x, NULL, NULL);
    case THAW_ACTIVATION_TANH:
        return thaw_onnx_apply(layer, "Tanh", x, NULL, NULL);
    case THAW_ACTIVATION_GELU:
        return export_gelu(layer, x);
    case THAW_ACTIVATION_GELU_TANH:
        return export_gelu_tanh(layer, x);
    case THAW_ACTIVATION_SILU:
        return thaw_onnx_apply(layer, "Mul", x, thaw_onnx_apply(layer, "Sigmoid", x, NULL, NULL), NULL);
    case THAW_ACTIVATION_NONE:
        break;
    }
    return x;
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_axis_order order = thaw_onnx_input_order(layer, 0);
    return thaw_onnx_output(layer, export_function(layer, thaw_onnx_input(layer, 0, order)), order);
}

/* `function`: what an earlier layer may apply instead of this one. */
#define CAPABILITIES(function)                                                                              \
    {                                                                                                       \
        .size = sizeof(thaw_layer_capabilities), .activation = function, .bfloat16 = THAW_BFLOAT16_FOLLOWS, \
    }

#define MODULE(kind)                                                                                          \
    {                                                                                                         \
        THAW_LAYER_MODULE_HEAD, .name = kind, .options_size = sizeof(choice), .capabilities = &capabilities,  \
                                .build = build, .prepare = prepare, .forward = forward, .backward = backward, \
                                .recompute = forward, .release = thaw_kernel_pair_release_state,              \
                                .export_onnx = export_onnx,                                                   \
    }

/* The public function thaw_KIND and the module of an activation whose only option is a name. */
#define ACTIVATION(kind, function)                                                                                     \
    thaw_status thaw_##kind(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output) \
    {                                                                                                                  \
        static const thaw_layer_capabilities capabilities = CAPABILITIES(function);                                    \
        static const thaw_layer_module module = MODULE(#kind);                                                         \
        return thaw_model_append(model, &module, options ? options->name : NULL, &input, 1, &(choice){ function, 0 },  \
                                 output);                                                                              \
    }

ACTIVATION(relu, THAW_ACTIVATION_RELU)       /* max(x, 0) */
ACTIVATION(relu6, THAW_ACTIVATION_RELU6)     /* min(max(x, 0), 6). Howard et al. 2017, arXiv 1704.04861 */
ACTIVATION(sigmoid, THAW_ACTIVATION_SIGMOID) /* 1 / (1 + exp(-x)) */
ACTIVATION(tanh, THAW_ACTIVATION_TANH)       /* the hyperbolic tangent */
ACTIVATION(gelu, THAW_ACTIVATION_GELU)       /* x times P(X < x), X normal. Hendrycks & Gimpel 2016, arXiv 1606.08415 */
ACTIVATION(gelu_tanh, THAW_ACTIVATION_GELU_TANH) /* nearly the same: section 2 of that paper */
ACTIVATION(silu, THAW_ACTIVATION_SILU)           /* or swish: x sigmoid(x). Elfwing et al. 2017, arXiv 1702.03118 */

/* x, or slope * x where x is negative. */
thaw_status thaw_leaky_relu(thaw_model *model, thaw_node input, const thaw_leaky_relu_options *options,
                            thaw_node *output)
{
    static const thaw_layer_capabilities capabilities = CAPABILITIES(THAW_ACTIVATION_NONE);
    static const thaw_layer_module module = MODULE("leaky_relu");
    const double slope = options && options->negative_slope != 0 ? options->negative_slope : 0.01;
    return thaw_model_append(model, &module, options ? options->name : NULL, &input, 1,
                             &(choice){ THAW_ACTIVATION_RELU, slope }, output);
}
