/* Learned tokens before a sequence, the same in each sample. */
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "kernels/bfloat16.h"
#include "layers/batch_sum.h"
#include "layers/token_table.h"

enum { TOKENS };

/* The fewest bytes that a thread copies. */
enum { GRAIN = 65536 };

typedef struct prepend {
    size_t batch, tokens, given; /* samples, and elements of the tokens and of a sample of the input */
    thaw_dtype precision;
} prepend;

static int64_t token_count(const thaw_prepend_tokens_options *o)
{
    return o->tokens ? o->tokens : 1;
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_prepend_tokens_options *o = options;
    thaw_shape result = *thaw_builder_input(builder, 0);
    const int64_t tokens = token_count(o);
    thaw_status status = thaw_token_table_check(builder);
    if (status != THAW_OK)
        return status;
    if (tokens < 1 || tokens > INT32_MAX)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "tokens is %lld, must be from 1 to %d",
                                 (long long)tokens, INT32_MAX);
    result.dims[0] += tokens;
    status = thaw_token_table_register(builder, o->parameter, tokens, o->leading, NULL, o->initializer);
    return status == THAW_OK ? thaw_builder_output(builder, &result) : status;
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    prepend *p = thaw_allocate(demand->context, sizeof *p);
    if (!p)
        return THAW_OUT_OF_MEMORY;
    p->batch = (size_t)demand->batch;
    p->given = thaw_shape_count(&demand->inputs[0]);
    p->tokens = thaw_shape_count(&demand->output) - p->given;
    p->precision = demand->capabilities->precision;
    needs->state = p;
    needs->kernel = "copy";
    return THAW_OK;
}

/* The data of one call. */
typedef struct pass {
    const prepend *layer;
    const float *tokens;
    const char *from;
    char *into;
} pass;

static void write_tokens(const prepend *l, const float *tokens, void *into)
{
    if (l->precision == THAW_F32)
        memcpy(into, tokens, l->tokens * sizeof *tokens);
    for (size_t i = 0; l->precision != THAW_F32 && i < l->tokens; i++)
        ((thaw_bfloat16 *)into)[i] = thaw_bfloat16_round(tokens[i]);
}

static void join_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const prepend *l = p->layer;
    const size_t bytes = thaw_dtype_bytes(l->precision), given = l->given * bytes, tokens = l->tokens * bytes;
    for (size_t n = begin; n < end; n++) {
        char *sample = p->into + n * (tokens + given);
        write_tokens(l, p->tokens, sample);
        memcpy(sample + tokens, p->from + n * given, given);
    }
}

static void split_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const prepend *l = p->layer;
    const size_t bytes = thaw_dtype_bytes(l->precision), given = l->given * bytes, tokens = l->tokens * bytes;
    for (size_t n = begin; n < end; n++)
        memcpy(p->into + n * given, p->from + n * (tokens + given) + tokens, given);
}

static size_t grain_of(const prepend *l)
{
    return GRAIN / ((l->given + l->tokens) * thaw_dtype_bytes(l->precision)) + 1;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const prepend *l = run->state;
    pass p = { l, run->parameters[TOKENS], run->inputs[0], run->output };
    thaw_parallel_for(run->context, l->batch, grain_of(l), join_samples, &p);
    return THAW_OK;
}

static thaw_status backward(const thaw_layer_run *run)
{
    const prepend *l = run->state;
    pass p = { .layer = l, .from = run->output_gradient, .into = run->input_gradients[0] };
    if (p.into)
        thaw_parallel_for(run->context, l->batch, grain_of(l), split_samples, &p);
    if (run->parameter_gradients[TOKENS])
        thaw_batch_sum(run->context, l->precision, run->output_gradient, l->batch, l->tokens + l->given, l->tokens,
                       run->parameter_gradients[TOKENS]);
    return THAW_OK;
}

/* The tokens are expanded to [batch, tokens, width]. */
static thaw_status export_onnx(const thaw_layer_export *layer)
{
    const thaw_prepend_tokens_options *o = layer->options;
    const thaw_onnx_attribute axis = { .name = "axis", .integer = 1 }, first = { .name = "axis", .integer = 0 };
    const int64_t own[] = { 1, token_count(o), layer->output.dims[1] };
    thaw_onnx_value *tokens = thaw_onnx_parameter(layer, TOKENS), *x = thaw_onnx_input(layer, 0, THAW_CHANNELS_LAST);
    if (!o->leading)
        tokens = thaw_onnx_apply(layer, "Reshape", tokens, thaw_onnx_integers(layer, own, 3), NULL);
    thaw_onnx_value *shape =
        thaw_onnx_apply(layer, "Concat", thaw_onnx_batch(layer), thaw_onnx_integers(layer, own + 1, 2), &first);
    tokens = thaw_onnx_apply(layer, "Expand", tokens, shape, NULL);
    return thaw_onnx_output(layer, thaw_onnx_apply(layer, "Concat", tokens, x, &axis), THAW_CHANNELS_LAST);
}

static const thaw_layer_capabilities capabilities = {
    .size = sizeof(thaw_layer_capabilities),
    .bfloat16 = THAW_BFLOAT16_FOLLOWS,
};

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "prepend_tokens",
    .options_size = sizeof(thaw_prepend_tokens_options),
    .capabilities = &capabilities,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .export_onnx = export_onnx,
};

thaw_status thaw_prepend_tokens(thaw_model *model, thaw_node input, const thaw_prepend_tokens_options *options,
                                thaw_node *output)
{
    const thaw_prepend_tokens_options settings = options ? *options : (thaw_prepend_tokens_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &input, 1, &settings, output);
}
