#include "onednn/inner_product.h"

#include "onednn/engine.h"

/* What the descriptors of a problem are made from. */
typedef struct setting {
    thaw_context *context;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    thaw_layout source, bias, destination; /* bias NULL: none */
    thaw_layout weights;                   /* [outputs, inputs], or without a layout yet */
    thaw_layout plain_weights;             /* [outputs, inputs], floats */
} setting;

static void close_setting(setting *s)
{
    thaw_layout_release(s->context, s->source);
    thaw_layout_release(s->context, s->weights);
    thaw_layout_release(s->context, s->plain_weights);
    thaw_layout_release(s->context, s->bias);
    thaw_layout_release(s->context, s->destination);
    dnnl_primitive_attr_destroy(s->attributes);
}

static thaw_status describe_layouts(setting *s, const thaw_inner_product *p, bool packed)
{
    const int64_t source[] = { p->batch, p->inputs };
    const int64_t weights[] = { p->outputs, p->inputs };
    const int64_t destination[] = { p->batch, p->outputs };
    const dnnl_format_tag_t plain = p->transposed ? dnnl_ba : dnnl_ab;
    thaw_status status = thaw_layout_create_of(s->context, p->precision, 2, source, dnnl_ab, &s->source);
    if (status == THAW_OK)
        status = thaw_layout_create_of(s->context, packed ? p->precision : THAW_F32, 2, weights,
                                       packed ? dnnl_format_tag_any : plain, &s->weights);
    if (status == THAW_OK)
        status = thaw_layout_create(s->context, 2, weights, plain, &s->plain_weights);
    if (status == THAW_OK)
        status = thaw_layout_create_of(s->context, p->precision, 2, destination, dnnl_ab, &s->destination);
    if (status == THAW_OK && p->bias)
        status = thaw_layout_create(s->context, 1, &p->outputs, dnnl_x, &s->bias);
    return status;
}

/* Close the setting afterwards, even on failure. */
static thaw_status open_setting(setting *s, thaw_context *context, const thaw_inner_product *problem,
                                const thaw_after *after, bool packed)
{
    *s = (setting){ .context = context };
    thaw_engine *engine;
    thaw_status status = thaw_engine_of(context, &engine);
    if (status != THAW_OK)
        return status;
    s->engine = engine->engine;
    status = describe_layouts(s, problem, packed);
    return status == THAW_OK ? thaw_attributes_create(context, after, s->destination, &s->attributes) : status;
}

static thaw_status describe_forward(const setting *s, bool training, dnnl_primitive_desc_t *descriptor)
{
    const dnnl_prop_kind_t kind = training ? dnnl_forward_training : dnnl_forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    const dnnl_status_t status =
        thaw_dnnl_inner_product_forward_primitive_desc_create(descriptor, s->engine, kind, s->source, s->weights,
                                                              s->bias, s->destination, s->attributes);
#else
    dnnl_inner_product_desc_t operation;
    dnnl_status_t status =
        dnnl_inner_product_forward_desc_init(&operation, kind, s->source, s->weights, s->bias, s->destination);
    if (status == dnnl_success)
        status = thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, NULL);
#endif
    return status == dnnl_success ? THAW_OK : thaw_dnn_fail(s->context, status, "an inner product");
}

static dnnl_status_t describe_backward_data(const setting *s, dnnl_primitive_desc_t hint,
                                            dnnl_primitive_desc_t *descriptor)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_inner_product_backward_data_primitive_desc_create(descriptor, s->engine, s->source, s->weights,
                                                                       s->destination, hint, s->attributes);
#else
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status =
        dnnl_inner_product_backward_data_desc_init(&operation, s->source, s->weights, s->destination);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, hint)
               : status;
#endif
}

static dnnl_status_t describe_backward_weights(const setting *s, dnnl_primitive_desc_t hint,
                                               dnnl_primitive_desc_t *descriptor)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_inner_product_backward_weights_primitive_desc_create(descriptor, s->engine, s->source,
                                                                          s->plain_weights, s->bias, s->destination,
                                                                          hint, s->attributes);
#else
    dnnl_inner_product_desc_t operation;
    const dnnl_status_t status =
        dnnl_inner_product_backward_weights_desc_init(&operation, s->source, s->plain_weights, s->bias, s->destination);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, hint)
               : status;
#endif
}

/* Makes a backward descriptor by one of the two functions above. Its hint is the forward descriptor, which oneDNN
   requires. */
static thaw_status describe_backward(const setting *s,
                                     dnnl_status_t (*describe)(const setting *, dnnl_primitive_desc_t,
                                                               dnnl_primitive_desc_t *),
                                     dnnl_primitive_desc_t *descriptor)
{
    dnnl_primitive_desc_t hint;
    const thaw_status described = describe_forward(s, true, &hint);
    if (described != THAW_OK)
        return described;
    const dnnl_status_t status = describe(s, hint, descriptor);
    dnnl_primitive_desc_destroy(hint);
    return status == dnnl_success ? THAW_OK : thaw_dnn_fail(s->context, status, "an inner product's gradient");
}

/* The kernel, or none. */
static thaw_status finish_create(thaw_context *context, thaw_status status, thaw_kernel **kernel)
{
    if (status == THAW_OK)
        return THAW_OK;
    thaw_kernel_release(context, *kernel);
    *kernel = NULL;
    return status;
}

thaw_status thaw_inner_product_forward(thaw_context *context, const thaw_inner_product *problem, thaw_kernel **kernel,
                                       thaw_kernel **pack)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_WEIGHTS, THAW_ARGUMENT_BIAS,
                                               THAW_ARGUMENT_DESTINATION, THAW_ARGUMENT_RESIDUAL };
    /* If another post-op is first, oneDNN would describe it as the residual. */
    const size_t argument_count = THAW_COUNT(arguments) - (problem->after.residual != THAW_RESIDUAL_BESIDE);
    *kernel = NULL;
    if (pack)
        *pack = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_status status = open_setting(&s, context, problem, &problem->after, problem->packed);
    if (status == THAW_OK)
        status = describe_forward(&s, problem->training, &descriptor);
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, argument_count, kernel);
    if (status == THAW_OK && pack)
        status =
            thaw_reorder_create(context, s.plain_weights, thaw_kernel_layout(*kernel, THAW_ARGUMENT_WEIGHTS), pack);
    close_setting(&s);
    return finish_create(context, status, kernel);
}

thaw_status thaw_inner_product_backward_data(thaw_context *context, const thaw_inner_product *problem,
                                             thaw_kernel **kernel, thaw_kernel **pack)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_DESTINATION_GRADIENT, THAW_ARGUMENT_WEIGHTS,
                                               THAW_ARGUMENT_SOURCE_GRADIENT };
    *kernel = NULL;
    if (pack)
        *pack = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_status status = open_setting(&s, context, problem, NULL, problem->packed && pack);
    if (status == THAW_OK)
        status = describe_backward(&s, describe_backward_data, &descriptor);
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    if (status == THAW_OK && pack)
        status =
            thaw_reorder_create(context, s.plain_weights, thaw_kernel_layout(*kernel, THAW_ARGUMENT_WEIGHTS), pack);
    close_setting(&s);
    return finish_create(context, status, kernel);
}

thaw_status thaw_inner_product_backward_weights(thaw_context *context, const thaw_inner_product *problem,
                                                thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION_GRADIENT,
                                               THAW_ARGUMENT_WEIGHTS_GRADIENT };
    *kernel = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_inner_product without_bias = *problem;
    without_bias.bias = false;
    const bool packed = problem->precision != THAW_F32; /* in the hint: that precision has no others */
    thaw_status status = open_setting(&s, context, &without_bias, NULL, packed);
    if (status == THAW_OK)
        status = describe_backward(&s, describe_backward_weights, &descriptor);
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    close_setting(&s);
    return status;
}
