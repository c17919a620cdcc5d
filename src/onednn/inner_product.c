#include "onednn/inner_product.h"

#include "onednn/operation.h"

typedef struct inner_product {
    thaw_operation of;
    thaw_layout bias;          /* NULL: none */
    thaw_layout weights;       /* [outputs, inputs], or without a layout yet */
    thaw_layout plain_weights; /* [outputs, inputs], floats */
} inner_product;

static void close(inner_product *s)
{
    thaw_layout_release(s->of.context, s->weights);
    thaw_layout_release(s->of.context, s->plain_weights);
    thaw_layout_release(s->of.context, s->bias);
    thaw_operation_close(&s->of);
}

static thaw_status describe_layouts(inner_product *s, const thaw_inner_product *p, bool packed)
{
    const int64_t source[] = { p->batch, p->inputs };
    const int64_t weights[] = { p->outputs, p->inputs };
    const int64_t destination[] = { p->batch, p->outputs };
    const dnnl_format_tag_t plain = p->transposed ? dnnl_ba : dnnl_ab;
    thaw_status status = thaw_layout_create_of(s->of.context, p->precision, 2, source, dnnl_ab, &s->of.source);
    if (status == THAW_OK)
        status = thaw_layout_create_of(s->of.context, packed ? p->precision : THAW_F32, 2, weights,
                                       packed ? dnnl_format_tag_any : plain, &s->weights);
    if (status == THAW_OK)
        status = thaw_layout_create(s->of.context, 2, weights, plain, &s->plain_weights);
    if (status == THAW_OK)
        status = thaw_layout_create_of(s->of.context, p->precision, 2, destination, dnnl_ab, &s->of.destination);
    if (status == THAW_OK && p->bias)
        status = thaw_layout_create(s->of.context, 1, &p->outputs, dnnl_x, &s->bias);
    return status;
}

static dnnl_status_t describe_forward(const thaw_operation *of, dnnl_prop_kind_t kind,
                                      dnnl_primitive_desc_t *descriptor)
{
    const inner_product *s = (const inner_product *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_inner_product_forward_primitive_desc_create(descriptor, of->engine, kind, of->source, s->weights,
                                                                 s->bias, of->destination, of->attributes);
#else
    dnnl_inner_product_desc_t described;
    const dnnl_status_t status =
        dnnl_inner_product_forward_desc_init(&described, kind, of->source, s->weights, s->bias, of->destination);
    return thaw_operation_describe(of, status, &described, NULL, descriptor);
#endif
}

static dnnl_status_t describe_backward_data(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                            dnnl_primitive_desc_t *descriptor)
{
    const inner_product *s = (const inner_product *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_inner_product_backward_data_primitive_desc_create(descriptor, of->engine, of->source, s->weights,
                                                                       of->destination, hint, of->attributes);
#else
    dnnl_inner_product_desc_t described;
    const dnnl_status_t status =
        dnnl_inner_product_backward_data_desc_init(&described, of->source, s->weights, of->destination);
    return thaw_operation_describe(of, status, &described, hint, descriptor);
#endif
}

static dnnl_status_t describe_backward_weights(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                               dnnl_primitive_desc_t *descriptor)
{
    const inner_product *s = (const inner_product *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_inner_product_backward_weights_primitive_desc_create(descriptor, of->engine, of->source,
                                                                          s->plain_weights, s->bias, of->destination,
                                                                          hint, of->attributes);
#else
    dnnl_inner_product_desc_t described;
    const dnnl_status_t status = dnnl_inner_product_backward_weights_desc_init(&described, of->source, s->plain_weights,
                                                                               s->bias, of->destination);
    return thaw_operation_describe(of, status, &described, hint, descriptor);
#endif
}

/* Close it afterwards, even on failure. */
static thaw_status open(inner_product *s, thaw_context *context, const thaw_inner_product *problem,
                        const thaw_after *after, bool packed)
{
    *s = (inner_product){ .bias = NULL };
    thaw_status status = thaw_operation_open(&s->of, context, "an inner product", describe_forward);
    if (status == THAW_OK)
        status = describe_layouts(s, problem, packed);
    return status == THAW_OK ? thaw_attributes_create(context, after, s->of.destination, &s->of.attributes) : status;
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
    inner_product s;
    thaw_status status = open(&s, context, problem, &problem->after, problem->packed);
    if (status == THAW_OK)
        status = thaw_operation_forward(&s.of, problem->training, arguments, argument_count, kernel);
    if (status == THAW_OK && pack)
        status =
            thaw_reorder_create(context, s.plain_weights, thaw_kernel_layout(*kernel, THAW_ARGUMENT_WEIGHTS), pack);
    close(&s);
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
    inner_product s;
    thaw_status status = open(&s, context, problem, NULL, problem->packed && pack);
    if (status == THAW_OK)
        status = thaw_operation_backward(&s.of, describe_backward_data, arguments, THAW_COUNT(arguments), kernel);
    if (status == THAW_OK && pack)
        status =
            thaw_reorder_create(context, s.plain_weights, thaw_kernel_layout(*kernel, THAW_ARGUMENT_WEIGHTS), pack);
    close(&s);
    return finish_create(context, status, kernel);
}

thaw_status thaw_inner_product_backward_weights(thaw_context *context, const thaw_inner_product *problem,
                                                thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION_GRADIENT,
                                               THAW_ARGUMENT_WEIGHTS_GRADIENT };
    *kernel = NULL;
    inner_product s;
    thaw_inner_product without_bias = *problem;
    without_bias.bias = false;
    const bool packed = problem->precision != THAW_F32; /* in the hint: that precision has no others */
    thaw_status status = open(&s, context, &without_bias, NULL, packed);
    if (status == THAW_OK)
        status = thaw_operation_backward(&s.of, describe_backward_weights, arguments, THAW_COUNT(arguments), kernel);
    close(&s);
    return status;
}
