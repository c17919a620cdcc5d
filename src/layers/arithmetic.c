#include "layers/arithmetic.h"

#include <string.h>

#include "core/shape.h"
#include "onednn/binary.h"

enum { GRAIN = 16384 };

typedef struct arithmetic {
    thaw_binary_kind kind;
    thaw_dtype precision;
    size_t count;        /* elements of the result, over the batch */
    size_t operands[2];  /* the same for each operand */
    thaw_kernel *kernel; /* for operands of one shape; NULL: the loops */
    thaw_broadcast forward, gradients[2];
} arithmetic;

thaw_status thaw_arithmetic_build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *left = thaw_builder_input(builder, 0), *right = thaw_builder_input(builder, 1);
    thaw_shape result;
    char texts[2][80];
    if (!thaw_shape_broadcast(left, right, &result))
        return thaw_builder_fail(
            builder, THAW_SHAPE_MISMATCH,
            "the inputs have shapes %s and %s; in each dimension, their sizes must be equal or one of them 1",
            thaw_shape_format(left, texts[0], sizeof texts[0]), thaw_shape_format(right, texts[1], sizeof texts[1]));
    const thaw_status status = thaw_builder_output(builder, &result);
    if (status == THAW_OK)
        thaw_builder_flops(builder, (double)thaw_shape_count(&result));
    return status;
}

bool thaw_arithmetic_takes_bfloat16(const void *options, const thaw_shape *inputs, size_t input_count)
{
    (void)options;
    return input_count == 2 && thaw_shape_equal(&inputs[0], &inputs[1]);
}

static void fill_loops(arithmetic *p, const thaw_layer_demand *demand)
{
    const size_t batch = (size_t)demand->batch;
    const thaw_shape *left = &demand->inputs[0], *right = &demand->inputs[1], *result = &demand->output;
    const thaw_shape one = { .rank = 0 };
    const bool product = p->kind == THAW_BINARY_PRODUCT;
    p->forward = thaw_broadcast_of(batch, left, right, result);
    for (int k = 0; k < 2; k++) {
        const thaw_shape *own = &demand->inputs[k], *other = product ? &demand->inputs[1 - k] : &one;
        /* If nothing is summed, the gradient is a product like those of forward: of the result's gradient. */
        p->gradients[k] = thaw_broadcast_of(batch, p->operands[k] == p->count ? result : own, other, result);
    }
}

thaw_status thaw_arithmetic_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs, thaw_binary_kind kind)
{
    arithmetic *p = thaw_allocate(demand->context, sizeof *p);
    if (!p)
        return THAW_OUT_OF_MEMORY;
    const size_t batch = (size_t)demand->batch;
    p->kind = kind;
    p->precision = demand->capabilities->precision;
    p->count = batch * thaw_shape_count(&demand->output);
    for (int k = 0; k < 2; k++)
        p->operands[k] = batch * thaw_shape_count(&demand->inputs[k]);
    fill_loops(p, demand);
    const bool alike = thaw_shape_equal(&demand->inputs[0], &demand->inputs[1]);
    const thaw_status status =
        alike ? thaw_binary_create(demand->context, kind, demand->capabilities->precision, p->count, &p->kernel)
              : THAW_OK;
    if (status != THAW_OK) {
        thaw_release(demand->context, p);
        return status;
    }
    needs->state = p;
    needs->scratch_bytes = thaw_kernel_scratch_bytes(p->kernel);
    needs->keeps_inputs = kind == THAW_BINARY_PRODUCT && demand->training;
    needs->in_place = alike && !needs->keeps_inputs;
    needs->gradient_in_place = alike;
    needs->kernel = alike ? thaw_kernel_name(p->kernel) : "loops";
    return THAW_OK;
}

static thaw_status run_kernel(const arithmetic *p, const thaw_layer_run *run, const float *left, const float *right,
                              float *result)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, left },
        { THAW_ARGUMENT_SOURCE_1, right },
        { THAW_ARGUMENT_DESTINATION, result },
    };
    return thaw_kernel_run(p->kernel, bindings, THAW_COUNT(bindings), run->scratch);
}

thaw_status thaw_arithmetic_forward(const thaw_layer_run *run)
{
    const arithmetic *p = run->state;
    if (p->kernel)
        return run_kernel(p, run, run->inputs[0], run->inputs[1], run->output);
    thaw_pairs_compute(run->context, &(thaw_pairs){ .loops = p->forward,
                                                    .count = p->count,
                                                    .kind = p->kind,
                                                    .left = run->inputs[0],
                                                    .right = run->inputs[1],
                                                    .result = run->output });
    return THAW_OK;
}

typedef struct copy {
    const void *source;
    void *destination;
    thaw_dtype precision;
} copy;

static void copy_range(void *argument, size_t begin, size_t end)
{
    const copy *c = argument;
    const size_t bytes = thaw_dtype_bytes(c->precision);
    memcpy((char *)c->destination + begin * bytes, (const char *)c->source + begin * bytes, (end - begin) * bytes);
}

static void negate_range(void *argument, size_t begin, size_t end)
{
    const copy *c = argument;
    if (c->precision == THAW_F32)
        for (size_t i = begin; i < end; i++)
            ((float *)c->destination)[i] = -((const float *)c->source)[i];
    else
        for (size_t i = begin; i < end; i++)
            ((thaw_bfloat16 *)c->destination)[i] = ((const thaw_bfloat16 *)c->source)[i] ^ 0x8000;
}

/* Differentiates an operand that repeats nothing. */
static thaw_status differentiate_whole(const arithmetic *p, const thaw_layer_run *run, int k)
{
    if (p->kind == THAW_BINARY_PRODUCT && p->kernel)
        return run_kernel(p, run, run->output_gradient, run->inputs[1 - k], run->input_gradients[k]);
    if (p->kind == THAW_BINARY_PRODUCT) {
        thaw_pairs_compute(run->context, &(thaw_pairs){ .loops = p->gradients[k],
                                                        .count = p->count,
                                                        .kind = THAW_BINARY_PRODUCT,
                                                        .left = run->output_gradient,
                                                        .right = run->inputs[1 - k],
                                                        .result = run->input_gradients[k] });
        return THAW_OK;
    }
    copy c = { run->output_gradient, run->input_gradients[k], p->precision };
    const bool negated = k == 1 && p->kind == THAW_BINARY_DIFFERENCE;
    if (c.destination != c.source)
        thaw_parallel_for(run->context, p->count, GRAIN, negated ? negate_range : copy_range, &c);
    return THAW_OK;
}

static void differentiate_repeated(const arithmetic *p, const thaw_layer_run *run, int k)
{
    thaw_pair_gradient_compute(run->context, &(thaw_pair_gradient){
                                                 .loops = p->gradients[k],
                                                 .count = p->operands[k],
                                                 .repeats = p->count / p->operands[k],
                                                 .gradient = run->output_gradient,
                                                 .factor = p->kind == THAW_BINARY_PRODUCT ? run->inputs[1 - k] : NULL,
                                                 .sign = k == 1 && p->kind == THAW_BINARY_DIFFERENCE ? -1.0F : 1.0F,
                                                 .into = run->input_gradients[k] });
}

/* The first operand's gradient comes last: it may take the place of the result's. */
thaw_status thaw_arithmetic_backward(const thaw_layer_run *run)
{
    const arithmetic *p = run->state;
    thaw_status status = THAW_OK;
    for (int k = 2; k-- > 0 && status == THAW_OK;) {
        if (!run->input_gradients[k])
            continue;
        if (p->operands[k] == p->count)
            status = differentiate_whole(p, run, k);
        else
            differentiate_repeated(p, run, k);
    }
    return status;
}

void thaw_arithmetic_release(thaw_context *context, void *state)
{
    arithmetic *p = state;
    thaw_kernel_release(context, p->kernel);
    thaw_release(context, p);
}

thaw_status thaw_arithmetic_append(thaw_model *model, const thaw_layer_module *module, thaw_node left, thaw_node right,
                                   const thaw_simple_options *options, thaw_node *output)
{
    const thaw_simple_options settings = options ? *options : (thaw_simple_options){ 0 };
    const thaw_node inputs[] = { left, right };
    return thaw_model_append(model, module, settings.name, inputs, 2, &settings, output);
}

/* Brings an operand to the result's rank, which its dimensions are aligned to at the end: a channel or a number for every
   position. */
static thaw_onnx_value *spread(const thaw_layer_export *layer, size_t index, thaw_axis_order order)
{
    const thaw_shape *own = &layer->inputs[index];
    const int missing = layer->output.rank - own->rank;
    int64_t dims[THAW_MAX_RANK + 1];
    thaw_onnx_value *x = thaw_onnx_input(layer, index, missing ? THAW_CHANNELS_LAST : order);
    if (!missing)
        return x;
    dims[0] = 0; /* the batch */
    for (int i = 0; i < layer->output.rank; i++)
        dims[i + 1] = i < missing ? 1 : own->dims[i - missing];
    if (order == THAW_CHANNELS_FIRST && own->rank == 1) {
        dims[1] = own->dims[0];
        dims[layer->output.rank] = 1;
    }
    thaw_onnx_value *wanted = thaw_onnx_integers(layer, dims, (size_t)layer->output.rank + 1);
    return thaw_onnx_apply(layer, "Reshape", x, wanted, NULL);
}

/* The order of the larger operand, if the other can have it. */
static thaw_axis_order order_of(const thaw_layer_export *layer)
{
    const size_t larger = layer->inputs[1].rank > layer->inputs[0].rank;
    const int smaller_rank = layer->inputs[!larger].rank;
    const bool moves = smaller_rank < 2 || smaller_rank == layer->output.rank;
    return moves ? thaw_onnx_input_order(layer, larger) : THAW_CHANNELS_LAST;
}

thaw_status thaw_arithmetic_export(const thaw_layer_export *layer, const char *kind)
{
    const thaw_axis_order order = order_of(layer);
    thaw_onnx_value *left = spread(layer, 0, order), *right = spread(layer, 1, order);
    return thaw_onnx_output(layer, thaw_onnx_apply(layer, kind, left, right, NULL), order);
}
