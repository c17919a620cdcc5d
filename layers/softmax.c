/* Softmax over the last axis, exp(x) / sum(exp(x)), and its logarithm. */
#include <math.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/kernel_pair.h"
#include "onednn/softmax.h"

/* The fewest floats of a thread. */
enum { GRAIN = 8192 };

/* The options of a node. */
typedef struct choice {
    bool logarithm;
} choice;

typedef struct softmax {
    thaw_kernel_pair kernels;
    size_t rows, columns;
    bool logarithm;
} softmax;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank < 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the input is a number, must have at least 1 dimension");
    thaw_builder_flops(builder, 4 * (double)thaw_shape_count(input));
    return thaw_builder_output(builder, input);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const choice *settings = demand->options;
    softmax *s = thaw_allocate(demand->context, sizeof *s);
    if (!s)
        return THAW_OUT_OF_MEMORY;
    const int64_t columns = demand->output.dims[demand->output.rank - 1];
    thaw_softmax_rows problem = { .rows = demand->batch * ((int64_t)thaw_shape_count(&demand->output) / columns),
                                  .columns = columns };
    s->rows = (size_t)problem.rows;
    s->columns = (size_t)columns;
    s->logarithm = settings->logarithm;
    thaw_status status = thaw_softmax_forward(demand->context, &problem, demand->training, &s->kernels.forward);
    problem.logarithm = settings->logarithm;
    if (status == THAW_OK && demand->input_gradient[0])
        status = thaw_softmax_backward(demand->context, &problem, &s->kernels.backward);
    if (status != THAW_OK) {
        thaw_kernel_pair_release_state(demand->context, s);
        return status;
    }
    needs->state = s;
    needs->scratch_bytes = thaw_kernel_pair_scratch_bytes(&s->kernels);
    needs->keeps_output = s->kernels.backward != NULL;
    needs->in_place = !settings->logarithm;
    needs->gradient_in_place = true;
    needs->kernel = thaw_kernel_name(s->kernels.forward);
    return THAW_OK;
}

/* Turns probabilities into their logarithms. */
typedef struct pass {
    const softmax *layer;
    const float *input;
    float *output;
} pass;

/* log(sum) follows from the largest probability, which is 1 / sum. oneDNN 2.6 has a kernel for the logarithm, but
   with an error of 4e-6. */
static void take_logarithms(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const size_t columns = p->layer->columns;
    for (size_t row = begin; row < end; row++) {
        const float *x = p->input + row * columns;
        float *y = p->output + row * columns;
        size_t best = 0;
        for (size_t i = 1; i < columns; i++)
            best = x[i] > x[best] ? i : best;
        const float most = x[best], log_sum = -logf(y[best]);
        for (size_t i = 0; i < columns; i++)
            y[i] = x[i] - most - log_sum;
    }
}

static thaw_status forward(const thaw_layer_run *run)
{
    const softmax *s = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    const thaw_status status = thaw_kernel_run(s->kernels.forward, bindings, THAW_COUNT(bindings), run->scratch);
    pass p = { s, run->inputs[0], run->output };
    if (status == THAW_OK && s->logarithm)
        thaw_parallel_for(run->context, s->rows, s->columns < GRAIN ? GRAIN / s->columns : 1, take_logarithms, &p);
    return status;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const softmax *s = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_DESTINATION, run->output },
        { THAW_ARGUMENT_DESTINATION_GRADIENT, run->output_gradient },
        { THAW_ARGUMENT_SOURCE_GRADIENT, run->input_gradients[0] },
    };
    return thaw_kernel_run(s->kernels.backward, bindings, THAW_COUNT(bindings), run->scratch);
}

static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const choice *settings = layer->options;
    const thaw_onnx_attribute axis = { .name = "axis", .integer = -1 };
    thaw_onnx_value *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    x = thaw_onnx_apply(layer, settings->logarithm ? "LogSoftmax" : "Softmax", x, NULL, &axis);
    return thaw_onnx_output(layer, x, THAW_CHANNELS_LAST);
}

#define MODULE(kind)                                                                                                 \
    {                                                                                                                \
        THAW_LAYER_MODULE_HEAD, .name = kind, .options_size = sizeof(choice), .build = build, .prepare = prepare,    \
                                .forward = forward, .backward = backward, .release = thaw_kernel_pair_release_state, \
                                .export_onnx = export_onnx,                                                          \
    }

thaw_status thaw_softmax(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    static const thaw_layer_module module = MODULE("softmax");
    return thaw_model_append(model, &module, options ? options->name : NULL, &input, 1, &(choice){ .logarithm = false },
                             output);
}

thaw_status thaw_log_softmax(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output)
{
    static const thaw_layer_module module = MODULE("log_softmax");
    return thaw_model_append(model, &module, options ? options->name : NULL, &input, 1, &(choice){ .logarithm = true },
                             output);
}
