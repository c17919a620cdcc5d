/* Attention: each query's mean of the values, weighted by the softmax of its products with the keys. Vaswani et al.
   2017, arXiv 1706.03762; without a matrix of queries by keys: see kernels/attention.h. */
#include "kernels/attention.h"

#include <math.h>
#include <thaw/attention.h>
#include <thaw/layer_capabilities.h>

#include "layers/attention.h"

typedef struct attention {
    thaw_attention_sizes sizes;
    thaw_attention_inputs inputs;
    bool packed;
} attention;

/* ---- building ---- */

static thaw_status check_options(thaw_layer_builder *builder, const thaw_attention_node *o)
{
    if (o->heads < 1)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "heads is %lld, must be at least 1",
                                 (long long)o->heads);
    if (!isfinite(o->scale))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "scale is %g, must be finite", o->scale);
    if (!(o->dropout >= 0 && o->dropout < 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "dropout is %g, must be at least 0 and below 1",
                                 o->dropout);
    return THAW_OK;
}

static thaw_status check_width(thaw_layer_builder *builder, size_t index, int64_t shares)
{
    const thaw_shape *input = thaw_builder_input(builder, index);
    char text[80];
    if (input->rank != 2)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "input %zu has shape %s, must be [rows, width]", index,
                                 thaw_shape_format(input, text, sizeof text));
    if (input->dims[1] % shares != 0)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                                 "input %zu has shape %s, its width must be a multiple of %lld", index,
                                 thaw_shape_format(input, text, sizeof text), (long long)shares);
    return THAW_OK;
}

static thaw_status check_rows(thaw_layer_builder *builder, const thaw_attention_node *o)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < o->rows && status == THAW_OK; i++)
        status = check_width(builder, i, o->rows == 1 ? 3 * o->heads : o->heads);
    if (status != THAW_OK || o->rows == 1)
        return status;
    const int64_t *query = thaw_builder_input(builder, 0)->dims, *key = thaw_builder_input(builder, 1)->dims;
    const int64_t *value = thaw_builder_input(builder, 2)->dims;
    if (query[1] != key[1])
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "queries are %lld wide and keys %lld, must be equal",
                                 (long long)query[1], (long long)key[1]);
    if (key[0] != value[0])
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "there are %lld keys and %lld values, must be as many",
                                 (long long)key[0], (long long)value[0]);
    return THAW_OK;
}

static thaw_status check_lengths(thaw_layer_builder *builder, size_t index)
{
    const thaw_shape *lengths = thaw_builder_input(builder, index);
    char text[80];
    if (index && !thaw_shape_equal(lengths, &(thaw_shape){ 1, { 1 } }))
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "lengths have shape %s, must be [1]",
                                 thaw_shape_format(lengths, text, sizeof text));
    return THAW_OK;
}

static thaw_status check_bias(thaw_layer_builder *builder, const thaw_attention_node *o,
                              const thaw_attention_inputs *in)
{
    const thaw_shape *bias = thaw_builder_input(builder, in->bias);
    char text[80];
    if (!in->bias)
        return THAW_OK;
    if (bias->rank == 3 && (bias->dims[0] == 1 || bias->dims[0] == o->heads) && bias->dims[1] == in->queries &&
        bias->dims[2] == in->keys)
        return THAW_OK;
    return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH,
                             "the bias has shape %s, must be [1 or %lld heads, %lld queries, %lld keys]",
                             thaw_shape_format(bias, text, sizeof text), (long long)o->heads, (long long)in->queries,
                             (long long)in->keys);
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_attention_node *o = options;
    thaw_status status = check_options(builder, o);
    if (status == THAW_OK)
        status = check_rows(builder, o);
    if (status != THAW_OK)
        return status;
    thaw_shape shapes[3] = { { 0 } };
    for (size_t i = 0; i < o->rows; i++)
        shapes[i] = *thaw_builder_input(builder, i);
    const thaw_attention_inputs in = thaw_attention_read(o, shapes);
    status = check_lengths(builder, in.lengths);
    if (status == THAW_OK)
        status = check_lengths(builder, in.query_lengths);
    if (status == THAW_OK)
        status = check_bias(builder, o, &in);
    if (status != THAW_OK)
        return status;
    if (o->dropout > 0)
        thaw_builder_draw(builder, o->drop_when_frozen);
    const double pairs = (double)in.queries * (double)in.keys * (o->causal ? 0.5 : 1);
    thaw_builder_flops(builder, 2 * pairs * (double)(in.width + in.value_width));
    return thaw_builder_output(builder, &(thaw_shape){ 2, { in.queries, in.value_width } });
}

/* ---- preparing ---- */

static thaw_attention_sizes sizes_of(const thaw_layer_demand *demand, const thaw_attention_inputs *in)
{
    const thaw_attention_node *o = demand->options;
    const size_t heads = (size_t)o->heads;
    return (thaw_attention_sizes){
        .batch = (size_t)demand->batch,
        .heads = heads,
        .queries = (size_t)in->queries,
        .keys = (size_t)in->keys,
        .width = (size_t)in->width / heads,
        .value_width = (size_t)in->value_width / heads,
        .scale = (float)thaw_attention_scale(o, in->width),
        .causal = o->causal,
        .bias_heads = in->bias ? (size_t)demand->inputs[in->bias].dims[0] : 0,
        .precision = demand->capabilities->precision,
        .threshold = demand->draws ? (uint32_t)(o->dropout * 0x1p24) : 0,
        .kept_scale = (float)(1 / (1 - o->dropout)),
    };
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_attention_node *o = demand->options;
    const thaw_attention_inputs in = thaw_attention_read(o, demand->inputs);
    if ((in.lengths && demand->input_gradient[in.lengths]) ||
        (in.query_lengths && demand->input_gradient[in.query_lengths]))
        return thaw_fail(
            demand->context, THAW_INVALID_ARGUMENT,
            "attention: a layer below its lengths trains, but lengths have no gradient; freeze that layer");
    attention *a = thaw_allocate(demand->context, sizeof *a);
    if (!a)
        return THAW_OUT_OF_MEMORY;
    a->sizes = sizes_of(demand, &in);
    a->inputs = in;
    a->packed = o->rows == 1;
    bool differentiates = false;
    for (size_t i = 0; i < demand->input_count; i++)
        differentiates = differentiates || demand->input_gradient[i];
    const size_t forward = thaw_attention_forward_bytes(demand->context, &a->sizes);
    const size_t backward = differentiates ? thaw_attention_backward_bytes(demand->context, &a->sizes) : 0;
    needs->state = a;
    needs->scratch_bytes = forward > backward ? forward : backward;
    needs->workspace_bytes = differentiates ? a->sizes.batch * a->sizes.heads * a->sizes.queries * sizeof(float) : 0;
    needs->keeps_inputs = needs->keeps_output = differentiates;
    needs->kernel = "blocks of keys";
    return THAW_OK;
}

/* ---- running ---- */

/* Columns of packed rows, or rows of their own. */
static thaw_attention_rows rows_at(const attention *a, const void *values, size_t which, size_t heads_width)
{
    const size_t bytes = a->packed ? which * heads_width * thaw_dtype_bytes(a->sizes.precision) : 0;
    return (thaw_attention_rows){
        .values = values ? (char *)(uintptr_t)values + bytes : NULL,
        .stride = a->packed ? 3 * heads_width : heads_width,
    };
}

static thaw_attention_job open_job(const thaw_layer_run *run)
{
    const attention *a = run->state;
    const thaw_attention_inputs *in = &a->inputs;
    const size_t width = (size_t)in->width, value_width = (size_t)in->value_width, next = a->packed ? 0 : 1;
    thaw_attention_job job = {
        .of = &a->sizes,
        .context = run->context,
        .query = rows_at(a, run->inputs[0], 0, width),
        .key = rows_at(a, run->inputs[next], 1, width),
        .value = rows_at(a, run->inputs[2 * next], 2, value_width),
        .output = { run->output, value_width },
        .key_lengths = in->lengths ? run->inputs[in->lengths] : NULL,
        .query_lengths = in->query_lengths ? run->inputs[in->query_lengths] : NULL,
        .bias = in->bias ? run->inputs[in->bias] : NULL,
        .random = run->random,
        .log_sums = run->workspace,
    };
    job.random.origin /= a->sizes.queries * value_width;
    return job;
}

static thaw_status check_numbers(const thaw_layer_run *run, size_t input, size_t most)
{
    const attention *a = run->state;
    const float *lengths = input ? run->inputs[input] : NULL;
    for (size_t i = 0; lengths && i < a->sizes.batch; i++)
        if (!(lengths[i] >= 0 && lengths[i] <= (float)most && lengths[i] == floorf(lengths[i])))
            return thaw_fail(run->context, THAW_INVALID_ARGUMENT,
                             "attention: the length of sample %zu is %.9g, must be a whole number from 0 to %zu", i,
                             (double)lengths[i], most);
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const attention *a = run->state;
    thaw_status status = check_numbers(run, a->inputs.lengths, a->sizes.keys);
    if (status == THAW_OK)
        status = check_numbers(run, a->inputs.query_lengths, a->sizes.queries);
    if (status != THAW_OK)
        return status;
    const thaw_attention_job job = open_job(run);
    thaw_attention_forward(&job, run->scratch);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const attention *a = run->state;
    const thaw_attention_inputs *in = &a->inputs;
    const size_t width = (size_t)in->width, value_width = (size_t)in->value_width, next = a->packed ? 0 : 1;
    thaw_attention_job job = open_job(run);
    job.output_gradient = (thaw_attention_rows){ (void *)(uintptr_t)run->output_gradient, value_width };
    job.query_gradient = rows_at(a, run->input_gradients[0], 0, width);
    job.key_gradient = rows_at(a, run->input_gradients[next], 1, width);
    job.value_gradient = rows_at(a, run->input_gradients[2 * next], 2, value_width);
    job.bias_gradient = in->bias ? run->input_gradients[in->bias] : NULL;
    thaw_attention_backward(&job, run->scratch);
    return THAW_OK;
}

/* Lengths and biases, behind the rows. */
static uint32_t keeps_floats(const void *options, size_t input_count)
{
    const size_t rows = ((const thaw_attention_node *)options)->rows;
    return (1U << input_count) - (1U << rows);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
    .keeps_floats = keeps_floats,
};

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "attention",
    .options_size = sizeof(thaw_attention_node),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = thaw_attention_export,
};

thaw_status thaw_attention(thaw_model *model, const thaw_node *inputs, size_t input_count,
                           const thaw_attention_options *options, thaw_node *output)
{
    const thaw_attention_options o = options ? *options : (thaw_attention_options){ 0 };
    const thaw_node *const others[] = { o.lengths, o.query_lengths, o.bias };
    thaw_node nodes[THAW_MAX_INPUTS];
    if (input_count != 1 && input_count != 3)
        return thaw_fail(thaw_model_context(model), THAW_INVALID_ARGUMENT,
                         "attention has %zu inputs, must have 1 (packed) or 3 (queries, keys, values)", input_count);
    size_t count = 0;
    for (; count < input_count; count++)
        nodes[count] = inputs[count];
    for (size_t i = 0; i < THAW_COUNT(others); i++)
        if (others[i])
            nodes[count++] = *others[i];
    const thaw_attention_node settings = {
        .heads = o.heads,
        .scale = o.scale,
        .dropout = o.dropout,
        .causal = o.causal,
        .drop_when_frozen = o.drop_when_frozen,
        .rows = input_count,
        .lengths = o.lengths,
        .query_lengths = o.query_lengths,
        .bias = o.bias,
    };
    return thaw_model_append(model, &module, o.name, nodes, count, &settings, output);
}
